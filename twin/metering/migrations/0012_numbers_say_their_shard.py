"""A batch is numbered once, in whichever shard is free; its number says the shard.

Numbers go up in steps of the number of shards, so what is left of a division is the shard. They begin at the same one
in every installation, above all that was given before: what was stored then keeps its place, in the shard of its
company.
"""

from __future__ import annotations

from django.db import migrations

SHARDS = 4
FIRST = 1_000_000_000
ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

SHARD_OF = f"""
create function metering_shard_of(company_id int, batch bigint) returns smallint
language sql immutable parallel safe
return (case when batch < {FIRST} then company_id % {SHARDS} else batch % {SHARDS} end)::smallint;
"""

# Cutoffs that stand are below all new numbers, and cutoffs to come are not below any old one.
# `counted_from` makes the way a shard has gone the number of all batches it ever took.
NUMBERS = f"""
do $$ begin
    if (select max(last) from metering_shard) > {FIRST - SHARDS} then
        raise exception 'More batches were stored than an earlier Twin could: nothing was changed.';
    end if;
end $$;
alter table metering_shard add column counted_from bigint;
update metering_shard
set last = {FIRST - SHARDS} + shard, counted_from = {FIRST - SHARDS} + shard - metering_shard.last * {SHARDS};
alter table metering_shard alter column counted_from set not null;
"""

# The columns of 0004 and 0007 in their order.
VIEWS = f"""
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
where l.seller_id = {ORGANISATION};

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
where l.seller_id = {ORGANISATION};
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0011_what_waits_of_a_day")]
    # There is no way back: an earlier Twin would look for new usage in the shards of its companies.
    operations = [migrations.RunSQL(SHARD_OF), migrations.RunSQL(NUMBERS), migrations.RunSQL(VIEWS)]
