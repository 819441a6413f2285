"""What programs asked to be done once: a key of their own choice, what it stood for, and what came of it."""

from __future__ import annotations

from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

TABLES = """
create table billing_request (
    company_id integer not null references companies_company,
    key_digest bytea not null check (octet_length(key_digest) = 32),
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    made_id bigint not null,
    recorded_at timestamptz not null,
    primary key (company_id, key_digest)
);
comment on table billing_request is 'made_id: the document or transaction; which of them the fingerprint tells apart';
"""


def secure(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    run = schema_editor.execute
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    table = "billing_request"
    run(f"alter table {table} enable row level security")
    run(f"alter table {table} force row level security")
    run(f"create policy {table}_read on {table} for select using (company_id = {ORGANISATION})")
    run(f"create policy {table}_add on {table} for insert with check (company_id = {ORGANISATION})")
    run(
        f"create trigger {table}_append_only before update or delete on {table}"
        " for each statement execute function billing_refuse_change()"
    )
    run(f"revoke all on {table} from {writer}")


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        migrations.RunSQL(TABLES, migrations.RunSQL.noop),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
