"""What a seller sees of its events is found by its own chains and tells the shard that the number says.

Joined alone, the index of chain and time was read for the minutes of all sellers' chains, and thrown away for most.
"""

from __future__ import annotations

from django.db import migrations

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"
OWN = f"""
    l.seller_id = {ORGANISATION}
    and e.chain_id = any(array(select own.chain_id from metering_chain_link own where own.seller_id = {ORGANISATION}))
"""

# The columns of `metering_edge`, which has no chain to ask for.
SOLD = f"""
create or replace view metering_sold with (security_barrier) as
select l.seller_id, coalesce(l.buyer_id, e.company_id) as buyer_id, l.pos,
       e.company_id, e.meter_id, e.event_time, e.quantity, e.source_id, e.key, e.attributes_id, e.batch,
       case l.pos when 0 then e.amount_0 when 1 then e.amount_1 when 2 then e.amount_2 when 3 then e.amount_3
            else e.amounts_above[l.pos - 3] end as sell,
       coalesce(case l.pos when 0 then e.amount_1 when 1 then e.amount_2 when 2 then e.amount_3
            else e.amounts_above[l.pos - 2] end, 0) as buy,
       r.rates[l.pos + 1] as sell_rate_id,
       r.rates[l.pos + 2] as buy_rate_id,
       (r.rates[l.pos + 1] = 0 or coalesce(r.rates[l.pos + 2], -1) = 0) as unrated
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
where {OWN};
"""

# The columns of 0004 and 0007 in their order; the shard is the one that the number says.
EVENT_BY_EVENT = f"""
create or replace view metering_billable with (security_barrier) as
select l.seller_id, coalesce(l.buyer_id, e.company_id) as buyer_id, e.company_id, e.meter_id, e.event_time,
       e.batch, metering_shard_of(e.company_id, e.batch) as shard, e.quantity, e.source_id, e.key, e.event_id,
       e.attributes_id, b.received_at, r.rates[l.pos + 1] as rate_id,
       case l.pos when 0 then e.amount_0 when 1 then e.amount_1 when 2 then e.amount_2 when 3 then e.amount_3
            else e.amounts_above[l.pos - 3] end as amount
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
left join metering_batch b on b.shard = metering_shard_of(e.company_id, e.batch) and b.batch = e.batch
where {OWN};

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
       metering_shard_of(e.company_id, e.batch) as shard, e.batch
from metering_chain_link l
join metering_event e using (chain_id)
join metering_rating r using (rating_id)
left join metering_batch b on b.shard = metering_shard_of(e.company_id, e.batch) and b.batch = e.batch
where {OWN};
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0012_numbers_say_their_shard")]
    # The views of before would tell the wrong shard of new usage.
    operations = [migrations.RunSQL(SOLD), migrations.RunSQL(EVENT_BY_EVENT)]
