"""What a seller's people were told of by mail: that a statement, or its document, waits for somebody's word."""

from __future__ import annotations

from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

TABLES = """
create table billing_told (
    statement_id bigint not null references billing_statement,
    waits_for text not null check (waits_for in ('unrated', 'late', 'details')),
    seller_id int not null references companies_company,
    told_at timestamptz not null,
    primary key (statement_id, waits_for)
);
"""


def secure(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The seller's alone: its buyers are not told what its people read."""
    run = schema_editor.execute
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    table = "billing_told"
    run(f"alter table {table} enable row level security")
    run(f"alter table {table} force row level security")
    run(f"create policy {table}_read on {table} for select using (seller_id = {ORGANISATION})")
    run(f"create policy {table}_add on {table} for insert with check (seller_id = {ORGANISATION})")
    run(
        f"create trigger {table}_append_only before update or delete on {table}"
        " for each statement execute function billing_refuse_change()"
    )
    run(f"revoke all on {table} from {writer}")


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_request")]
    operations = [
        migrations.RunSQL(TABLES, migrations.RunSQL.noop),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
