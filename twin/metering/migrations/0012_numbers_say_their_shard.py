"""A batch is numbered once, in whichever shard is free; its number says the shard.

Numbers go up in steps of the number of shards, so what is left of a division is the shard. They begin at the same one
in every installation, above all that was given before: what was stored then keeps its place, in the shard of its
company.
"""

from __future__ import annotations

from django.db import migrations

SHARDS = 4
FIRST = 1_000_000_000

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


class Migration(migrations.Migration):
    dependencies = [("metering", "0011_what_waits_of_a_day")]
    # There is no way back: an earlier Twin would look for new usage in the shards of its companies.
    operations = [migrations.RunSQL(SHARD_OF), migrations.RunSQL(NUMBERS)]
