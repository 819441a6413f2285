"""Corrections of what is charged: what a correction row has to tell, and the runs that write them."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# 'priced' and 'rerated' charge, 'reversal' takes back what stood on one edge, 'withdrawal' takes the whole
# event back on each of its edges. Corrections of one event are found and ordered by the primary key; a run of
# millions pays for every further index.
CORRECTIONS = """
alter table metering_correction add quantity bigint;
update metering_correction c set quantity = e.quantity from metering_event e
    where e.company_id = c.company_id and e.source_id = c.source_id and e.key = c.key;
alter table metering_correction alter quantity set not null;
alter table metering_correction add rerating_id bigint;
alter table metering_correction drop constraint metering_correction_kind_check;
alter table metering_correction add constraint metering_correction_kind_check
    check (kind in ('priced', 'rerated', 'reversal', 'withdrawal'));
alter table metering_correction drop constraint metering_correction_pkey;
drop index metering_correction_identity;
alter table metering_correction add primary key (company_id, source_id, key, correction_id);
drop index metering_correction_buyer;
create index metering_correction_buyer on metering_correction (buyer_id, event_time) where pos > 0;

create function metering_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: record a new row instead', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger metering_correction_append_only before update or delete on metering_correction
    for each statement execute function metering_refuse_change();
"""

# `above_id` is the seller's own seller where one person decides for both edges; `change` holds the prices
# that are recorded with the decision. A run is `asked` until its
# preview is counted, `ready` until somebody decides, `running` until the last step.
RUNS = """
create table metering_rerating (
    rerating_id bigint generated always as identity primary key,
    seller_id int not null,
    above_id int,
    buyer_id int,
    company_id int,
    meters smallint[],
    start_at timestamptz not null,
    end_at timestamptz not null,
    reason text not null default '',
    change jsonb not null default '{}',
    state text not null default 'asked' check (state in ('asked', 'ready', 'running', 'done', 'discarded')),
    counted_at timestamptz,
    place jsonb,
    preview jsonb,
    figures jsonb,
    asked_at timestamptz not null,
    asked_by text not null default '',
    decided_at timestamptz,
    decided_by text not null default '',
    finished_at timestamptz,
    check (start_at < end_at)
);
create index metering_rerating_seller on metering_rerating (seller_id, rerating_id);
create index metering_rerating_open on metering_rerating (rerating_id) where state in ('asked', 'running');
"""


def secure(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The seller asks, looks and decides; steps are done by the writer. Nobody removes a run."""
    run = schema_editor.execute
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    run("alter table metering_rerating enable row level security")
    run("alter table metering_rerating force row level security")
    own = f"seller_id = {ORGANISATION}"
    run(f"create policy metering_rerating_read on metering_rerating for select using ({own})")
    run(f"create policy metering_rerating_add on metering_rerating for insert with check ({own})")
    run(f"create policy metering_rerating_change on metering_rerating for update using ({own}) with check ({own})")
    run(f"revoke all on metering_rerating from {app}")
    run(f"grant select, insert, update on metering_rerating to {app}")


class Migration(migrations.Migration):
    dependencies = [("metering", "0004_billable")]
    operations = [
        migrations.RunSQL(CORRECTIONS, migrations.RunSQL.noop),
        migrations.RunSQL(RUNS, migrations.RunSQL.noop),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
