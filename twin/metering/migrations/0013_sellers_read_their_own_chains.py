"""A seller's events are found by its own chains: of a few minutes nobody reads what all the others sold, too."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"
# Joined alone, the index of chain and time was read for the time of all chains and thrown away for most of them.
OWN = f"and e.chain_id = any(array(select own.chain_id from metering_chain_link own where own.seller_id = {ORGANISATION}))"

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
where l.seller_id = {ORGANISATION} {OWN};
"""
BACK = f"""
create or replace view metering_sold with (security_barrier) as
select * from metering_edge where seller_id = {ORGANISATION};
"""

_EVENT_BY_EVENT: str = import_module("twin.metering.migrations.0012_numbers_say_their_shard").VIEWS


class Migration(migrations.Migration):
    dependencies = [("metering", "0012_numbers_say_their_shard")]
    operations = [
        migrations.RunSQL(SOLD, BACK),
        migrations.RunSQL(
            _EVENT_BY_EVENT.replace(
                f"where l.seller_id = {ORGANISATION};", f"where l.seller_id = {ORGANISATION} {OWN};"
            ),
            _EVENT_BY_EVENT,
        ),
    ]
