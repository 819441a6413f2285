"""Other prices tried on usage that happened; nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.errors import invalid_field
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.rules.standing import standing
from twin.metering.rules.trials import tried
from twin.metering.types import CardUsage, Trial
from twin.pricing.meters import METER_BY_ID
from twin.pricing.queries import rates_of
from twin.pricing.types import NewRate

# Each is a few hundred bytes of memory; a month of a million calls has some hundred thousand.
MOST_GROUPS: Final = 500_000

# What corrections left standing counts: prices found later, charges made anew; what was withdrawn never happened.
_USAGE: Final = f"""
    with late as ({standing()}), line as (
        select e.buyer_id, e.meter_id, e.attributes_id, e.event_time, e.quantity,
               coalesce(late.sell_rate, e.sell_rate_id) as rate_id,
               e.sell + coalesce(late.sell, 0) as sell, e.buy + coalesce(late.buy, 0) as buy,
               coalesce((coalesce(late.buy_rate, e.buy_rate_id) = 0)::int, 0) as buy_unrated
        from metering_sold e
        left join late on late.company_id = e.company_id and late.source_id = e.source_id and late.key = e.key
        where e.event_time >= %(start)s and e.event_time < %(end)s and late.withdrawn is not true
    )
    select buyer_id, meter_id, attributes_id, rate_id, quantity, count(*), sum(sell)::text, sum(buy)::text,
           sum(buy_unrated)
    from line
    where rate_id = any(%(rates)s) or (rate_id = 0 and %(card)s = (
        select s.card_id from pricing_assignment s
        where s.seller_id = %(seller)s and s.buyer_id = line.buyer_id and s.effective_from <= line.event_time
        order by s.effective_from desc, s.id desc limit 1))
    group by buyer_id, meter_id, attributes_id, rate_id, quantity limit %(most)s
"""  # noqa: S608 - constants only


@scoped
def trial_of(scope: Scope, card_id: int, period: Period, rates: Sequence[NewRate]) -> Trial:
    """What the buyers of a card of the asker paid by it in the period, and would have paid by these rates.

    The new rates count for the whole period, whatever their `effective_from`. Exact to the last digit: every
    group of equal events is charged anew. Raises `Invalid` where the period holds too much to be tried.
    """
    known = {rate.id: rate for rate in rates_of(scope, card_id)}
    asked = {
        "seller": scope.organisation_id,
        "card": card_id,
        "rates": list(known),
        "start": period.start,
        "end": period.end,
        "most": MOST_GROUPS + 1,
    }
    return tried(_usage(asked), known, rates)


def _usage(asked: dict[str, Any]) -> Iterator[CardUsage]:
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, asked)
        if cursor.rowcount > MOST_GROUPS:
            raise invalid_field("The period holds too much usage; choose a shorter one.", "period")
        rows = cursor.fetchall()
        cursor.execute(
            "select attributes_id, body::json from metering_attributes where attributes_id = any(%s)",
            [list({row[2] for row in rows})],
        )
        attributes = dict(cursor.fetchall())
    for buyer_id, meter_id, attributes_id, rate_id, quantity, count, sell, buy, buy_unrated in rows:
        yield CardUsage(
            buyer_id=buyer_id,
            meter=METER_BY_ID[meter_id].code,
            attributes=attributes[attributes_id],
            rate_id=rate_id,
            quantity=quantity,
            count=count,
            sell=int(sell),
            buy=int(buy),
            buy_unrated=int(buy_unrated),
        )
