"""From a line of a statement to its charges, one by one, as of a cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.rules.identity import id_of
from twin.metering.types import AskedSpan, Cutoff
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.rules.charge import billed_quantity

ChargeKind = Literal["event", "priced", "reversal", "rerated", "withdrawal"]

_USAGE: Final = """
    event_time >= greatest(%(start)s, %(after_time)s::timestamptz) and event_time < %(end)s
"""
_LATE: Final = """
    event_time < %(start)s and batch > %(least)s
    and least(date_trunc('month', event_time at time zone %(zone)s)::date, %(before)s::date) = %(month)s::date
"""
_CHARGES: Final = """
    with rate as (
        select minimum, increment from pricing_rate where id = %(rate)s and seller_id = %(seller)s
    ), charge as (
        select event_time, source_id, key, 0::bigint as place, 'event' as kind, company_id, batch, shard, quantity,
               attributes_id, amount, received_at, event_id
        from metering_billable
        where buyer_id = %(buyer)s and meter_id = %(meter)s and rate_id = %(rate)s and {rows}
        union all
        select c.event_time, c.source_id, c.key, c.correction_id, c.kind, c.company_id, c.batch,
               metering_shard_of(c.company_id, c.batch), c.quantity, c.attributes_id, c.amount, e.received_at,
               e.event_id
        from (
            select * from metering_correction
            where seller_id = %(seller)s and buyer_id = %(buyer)s and meter_id = %(meter)s and rate_id = %(rate)s
              and {rows}
        ) c join metering_billable e using (company_id, source_id, key)
    )
    select charge.event_time, charge.source_id, charge.key, charge.place, charge.kind, charge.company_id, s.name,
           charge.event_id, charge.received_at, charge.quantity, charge.amount, a.body::json, rate.minimum,
           rate.increment
    from charge
    join metering_source s using (source_id)
    join metering_attributes a using (attributes_id)
    cross join rate
    where batch <= (%(until)s::bigint[])[shard + 1]
      and (%(is_own)s or batch > (%(since)s::bigint[])[shard + 1])
      and (%(after_time)s::timestamptz is null
           or (event_time, source_id, key, place)
              > (%(after_time)s::timestamptz, %(after_source)s::int, %(after_key)s::uuid, %(after_place)s::bigint))
    order by event_time, source_id, key, place
    limit %(limit)s
"""
# The index of events is by time: of a month with millions of them a page needs the first ones only.
_LOOKS: Final = (timedelta(days=1), timedelta(days=7), None)


@dataclass(frozen=True, slots=True)
class AskedLine:
    """Which line of a statement: its span, `month` None for the month's own usage, meter and rate version."""

    span: AskedSpan
    until: Cutoff
    month: date | None
    meter: str
    rate_id: int


@dataclass(frozen=True, slots=True)
class BillableCharge:
    """One charge of a line: the event's own, or what was charged or taken back for it later."""

    kind: ChargeKind
    company_id: int
    source: str
    id: str
    event_time: datetime
    received_at: datetime
    quantity: int
    billed: int
    amount: int
    attributes: dict[str, str]


Place = tuple[datetime, int, UUID, int]


@scoped(snapshot=True)
def billable_charges(
    scope: Scope, asked: AskedLine, *, limit: int, after: Place | None = None
) -> tuple[list[BillableCharge], Place | None]:
    """The charges that a line of the organisation's statement adds up, oldest first, and where the next page begins."""
    given = _given(scope, asked, limit, after)
    rows: list[Any] = []
    with connection.cursor() as cursor:
        for part in _LOOKS if asked.month is None else _LOOKS[-1:]:
            end = asked.span.end if part is None else min(asked.span.end, (after or (asked.span.start,))[0] + part)
            cursor.execute(_CHARGES.format(rows=_USAGE if asked.month is None else _LATE), {**given, "end": end})
            rows = cursor.fetchall()
            if len(rows) > limit or end == asked.span.end:
                break
    page = rows[:limit]
    following: Place | None = page[-1][:4] if len(rows) > limit else None
    return [_charge(row) for row in page], following


def _given(scope: Scope, asked: AskedLine, limit: int, after: Place | None) -> dict[str, Any]:
    span = asked.span
    since = list(span.since or ())
    place: tuple[Any, ...] = after or (None, None, None, None)
    return {
        "seller": scope.organisation_id,
        "buyer": span.buyer_id,
        "meter": METER_BY_CODE[asked.meter].id,
        "rate": asked.rate_id,
        "start": span.start,
        "end": span.end,
        "zone": span.time_zone,
        "before": span.month_before,
        "month": asked.month,
        "since": since,
        "least": min(since, default=0),
        "until": list(asked.until),
        "is_own": asked.month is None,
        "limit": limit + 1,
        "after_time": place[0],
        "after_source": place[1],
        "after_key": place[2],
        "after_place": place[3],
    }


def _charge(row: tuple[Any, ...]) -> BillableCharge:
    sign = -1 if row[4] in ("reversal", "withdrawal") else 1
    return BillableCharge(
        kind=row[4],
        company_id=row[5],
        source=row[6],
        id=id_of(row[2].bytes, row[7]),
        event_time=row[0],
        received_at=row[8],
        quantity=sign * row[9],
        billed=sign * billed_quantity(row[9], row[12], row[13]),
        amount=row[10],
        attributes=row[11],
    )
