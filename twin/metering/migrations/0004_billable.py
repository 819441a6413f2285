"""What a seller may bill: its charges with their place in the commit order, found by time or by that order."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SHARDS = 4
ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# Equal pairs stand together and are stored once: such an index is small, and written at its end.
INDEXES = """
create index metering_event_chain_batch on metering_event (chain_id, batch);
create index metering_correction_batch on metering_correction using brin (batch int8_minmax_multi_ops)
    with (pages_per_range = 16);
"""

# The selling side alone: what the seller pays above has no business in a statement. Who does not ask when an
# event came pays nothing for the join with the batches: the planner leaves it out.
VIEW = f"""
create view metering_billable with (security_barrier) as
select l.seller_id, coalesce(l.buyer_id, e.company_id) as buyer_id, e.company_id, e.meter_id, e.event_time,
       e.batch, (e.company_id % {SHARDS})::smallint as shard, e.quantity, e.source_id, e.key, e.event_id,
       e.attributes_id, b.received_at, r.rates[l.pos + 1] as rate_id,
       case l.pos when 0 then e.amount_0 when 1 then e.amount_1 when 2 then e.amount_2 when 3 then e.amount_3
            else e.amounts_above[l.pos - 3] end as amount
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
left join metering_batch b on b.shard = (e.company_id % {SHARDS})::smallint and b.batch = e.batch
where l.seller_id = {ORGANISATION};
"""


def grant(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    schema_editor.execute(f"revoke all on metering_billable from {app}")
    schema_editor.execute(f"grant select on metering_billable, metering_shard to {app}")


class Migration(migrations.Migration):
    dependencies = [("metering", "0003_sold_events")]
    operations = [
        migrations.RunSQL(INDEXES, "drop index metering_event_chain_batch; drop index metering_correction_batch"),
        migrations.RunSQL(VIEW, "drop view metering_billable"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
