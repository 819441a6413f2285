"""Single events as their seller may read them: its own two sides, the id that was sent, when it came."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SHARDS = 4
ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# `buy_rate_id` is null where nobody is above. Beside `metering_sold`, which sums millions of rows and stays lean.
VIEW = f"""
create view metering_sold_event with (security_barrier) as
select l.seller_id, coalesce(l.buyer_id, e.company_id) as buyer_id, l.pos,
       e.company_id, e.meter_id, e.event_time, b.received_at, e.quantity, e.source_id, e.key, e.event_id,
       e.attributes_id,
       case l.pos when 0 then e.amount_0 when 1 then e.amount_1 when 2 then e.amount_2 when 3 then e.amount_3
            else e.amounts_above[l.pos - 3] end as sell,
       coalesce(case l.pos when 0 then e.amount_1 when 1 then e.amount_2 when 2 then e.amount_3
            else e.amounts_above[l.pos - 2] end, 0) as buy,
       r.rates[l.pos + 1] as sell_rate_id,
       r.rates[l.pos + 2] as buy_rate_id
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
left join metering_batch b on b.shard = (e.company_id % {SHARDS})::smallint and b.batch = e.batch
where l.seller_id = {ORGANISATION};
"""


def grant(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    schema_editor.execute(f"revoke all on metering_sold_event from {app}")
    schema_editor.execute(f"grant select on metering_sold_event to {app}")


class Migration(migrations.Migration):
    dependencies = [("metering", "0002_conflicts_by_time")]
    operations = [
        migrations.RunSQL(VIEW, "drop view metering_sold_event"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
