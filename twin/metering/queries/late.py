"""What was learnt of after a place in the commit order: events that came, charges that were made or taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.types import Cutoff
from twin.pricing.meters import METER_BY_ID


@dataclass(frozen=True, slots=True)
class SeenUntil:
    """What one buyer used in the period had been seen up to `cutoff` when somebody settled it."""

    buyer_id: int
    period: Period
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class ChargedAfter:
    """Of one company and meter: events that came later, charges changed later, and by how much both rise the price."""

    company_id: int
    meter: str
    came: int
    changed: int
    amount: int


# A correction takes back and charges anew: it is counted by what it took back, or by the price it found.
_CHARGED: Final = """
    with asked as materialized (
        select buyer_id, start_at, end_at, cutoff::bigint[] as cutoff
        from unnest(%(buyers)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(cutoffs)s::text[])
            a(buyer_id, start_at, end_at, cutoff)
    )
    select company_id, meter_id, sum(came)::bigint, sum(changed)::bigint, sum(amount)::text
    from (
        select buyer_id, company_id, meter_id, event_time, batch, shard, amount, 1 as came, 0 as changed
        from metering_billable
        where event_time >= %(first)s and event_time < %(last)s and batch > %(least)s
        union all
        select buyer_id, company_id, meter_id, event_time, batch, metering_shard_of(company_id, batch), amount, 0,
               case when kind = 'rerated' then 0 else 1 end
        from metering_correction
        where seller_id = %(seller)s and event_time >= %(first)s and event_time < %(last)s and batch > %(least)s
    ) charge
    join asked using (buyer_id)
    where event_time >= start_at and event_time < end_at and batch > cutoff[shard + 1]
    group by company_id, meter_id order by company_id, meter_id
"""


@scoped(snapshot=True)
def charged_after(scope: Scope, seen: Sequence[SeenUntil]) -> list[ChargedAfter]:
    """What the asking seller's edges of these buyers and times learnt of later; by company and meter.

    Ask together about what was seen up to about the same place: rows behind the least of them are read.
    """
    if not seen:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CHARGED,
            {
                "seller": scope.organisation_id,
                "buyers": [one.buyer_id for one in seen],
                "starts": [one.period.start for one in seen],
                "ends": [one.period.end for one in seen],
                "cutoffs": [f"{{{','.join(map(str, one.cutoff))}}}" for one in seen],
                "first": min(one.period.start for one in seen),
                "last": max(one.period.end for one in seen),
                "least": min(min(one.cutoff) for one in seen),
            },
        )
        return [
            ChargedAfter(company, METER_BY_ID[meter].code, came, changed, int(amount))
            for company, meter, came, changed, amount in cursor.fetchall()
        ]
