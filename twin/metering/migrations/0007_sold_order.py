"""Single events with their place in the commit order, which says whether a closed statement has seen them."""

from __future__ import annotations

from django.db import migrations

SHARDS = 4
ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# The columns of 0003 in their order, then those that are new: a view cannot be changed otherwise in place.
VIEW = f"""
create or replace view metering_sold_event with (security_barrier) as
select l.seller_id, coalesce(l.buyer_id, e.company_id) as buyer_id, l.pos,
       e.company_id, e.meter_id, e.event_time, b.received_at, e.quantity, e.source_id, e.key, e.event_id,
       e.attributes_id,
       case l.pos when 0 then e.amount_0 when 1 then e.amount_1 when 2 then e.amount_2 when 3 then e.amount_3
            else e.amounts_above[l.pos - 3] end as sell,
       coalesce(case l.pos when 0 then e.amount_1 when 1 then e.amount_2 when 2 then e.amount_3
            else e.amounts_above[l.pos - 2] end, 0) as buy,
       r.rates[l.pos + 1] as sell_rate_id,
       r.rates[l.pos + 2] as buy_rate_id,
       (e.company_id % {SHARDS})::smallint as shard, e.batch
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
left join metering_batch b on b.shard = (e.company_id % {SHARDS})::smallint and b.batch = e.batch
where l.seller_id = {ORGANISATION};
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0006_spent")]
    operations = [migrations.RunSQL(VIEW, migrations.RunSQL.noop)]
