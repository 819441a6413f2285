"""From a total to what it is made of: by rate, and event by event, on the two sides that the seller may see."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.period import Period, instant_text, parse_instant
from twin.kernel.tenancy import scoped
from twin.metering.rules.identity import id_of
from twin.metering.rules.standing import standing
from twin.metering.types import CommitPlace, EdgeCharge, EventLine, EventPage, RateGroup, RateTerms
from twin.pricing.meters import METER_BY_CODE, METER_BY_ID
from twin.pricing.rules.charge import billed_quantity
from twin.pricing.types import Terms

# What the last correction of an edge left is its rate; the amounts of all its corrections belong to it.
_LINES = f"""
    with late as ({standing("and company_id = %(company)s and meter_id = any(%(meters)s)")}), line as (
        select e.meter_id, e.attributes_id, e.event_time, e.received_at, e.quantity, e.source_id, e.key, e.event_id,
               coalesce(late.sell_rate, e.sell_rate_id) as sell_rate,
               e.sell + coalesce(late.sell, 0) as sell,
               late.sell_rate is not null as sell_late, coalesce(late.sell_back, false) as sell_back,
               case when e.buy_rate_id is not null then coalesce(late.buy_rate, e.buy_rate_id) end as buy_rate,
               e.buy + coalesce(late.buy, 0) as buy,
               late.buy_rate is not null as buy_late, coalesce(late.buy_back, false) as buy_back,
               coalesce(late.withdrawn, false) as withdrawn, e.buyer_id, e.shard, e.batch,
               late.sell_places
        from metering_sold_event e
        left join late on late.company_id = e.company_id and late.source_id = e.source_id and late.key = e.key
        where e.company_id = %(company)s and e.event_time >= %(start)s and e.event_time < %(end)s
          and e.meter_id = any(%(meters)s)
    )
"""  # noqa: S608 - constants only
# Of the attributes those that some rate for the meter asks for; `keys` holds their names by meter.
_ATTRIBUTES = """
    coalesce((select jsonb_object_agg(k, v) from jsonb_each_text(a.body::jsonb) item(k, v)
              where (%(keys)s::jsonb -> {of}.meter_id::text) ? k), '{{}}'::jsonb)
"""
_BILLED = """
    case when line.quantity <= 0 then 0 when line.quantity <= {rate}.minimum then {rate}.minimum
         else {rate}.minimum + ((line.quantity - {rate}.minimum + {rate}.increment - 1) / {rate}.increment)
              * {rate}.increment end
"""
_RATES = """
    select id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector, effective_from, meter_id
    from pricing_rate where seller_id = %(seller)s
    union all
    select id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector, effective_from, meter_id
    from pricing_rate_paid
"""
_GROUPS = f"""
    {_LINES}, rate as ({_RATES}), alike as (
        select line.meter_id, line.attributes_id, line.sell_rate, line.buy_rate, count(*) as count,
               sum(line.quantity) as quantity, sum({_BILLED.format(rate="sold")}) as sell_billed,
               sum(line.sell) as sell, sum({_BILLED.format(rate="bought")}) as buy_billed, sum(line.buy) as buy,
               min(line.event_time) as first_at, max(line.event_time) as last_at
        from line left join rate sold on sold.id = line.sell_rate left join rate bought on bought.id = line.buy_rate
        where not line.withdrawn
        group by 1, 2, 3, 4
    )
    select alike.meter_id, ({_ATTRIBUTES.format(of="alike")})::text, sell_rate, buy_rate,
           sum(count)::text, sum(quantity)::text, coalesce(sum(sell_billed), 0)::text, sum(sell)::text,
           coalesce(sum(buy_billed), 0)::text, sum(buy)::text, min(first_at), max(last_at)
    from alike join metering_attributes a using (attributes_id)
    group by 1, 2, 3, 4
"""  # noqa: S608 - constants only
_EVENTS = f"""
    {_LINES}
    select line.meter_id, s.name, line.key, line.event_id, line.event_time, line.received_at, line.quantity,
           a.body::json, line.sell_rate, line.sell, line.sell_late, line.buy_rate, line.buy, line.buy_late,
           line.source_id, line.sell_back, line.buy_back, line.withdrawn, line.buyer_id, line.shard, line.batch,
           line.sell_places
    from line
    join metering_source s using (source_id)
    join metering_attributes a using (attributes_id)
    where (%(sell_rate)s::int is null or (line.sell_rate = %(sell_rate)s and not line.withdrawn))
      and (%(buy_rate)s::int is null or line.buy_rate = %(buy_rate)s)
      and (%(attributes)s::jsonb is null
           or {_ATTRIBUTES.format(of="line")} = %(attributes)s::jsonb)
      and (%(before)s::timestamptz is null
           or (line.event_time, line.source_id, line.key)
              < (%(before)s::timestamptz, %(before_source)s::int, %(before_key)s::uuid))
    order by line.event_time desc, line.source_id desc, line.key desc
    limit %(limit)s
"""  # noqa: S608 - constants only
_KEYS = f"""
    select coalesce(jsonb_object_agg(meter_id, keys), '{{}}'::jsonb)::text from (
        select meter_id, jsonb_agg(key) as keys from (
            select distinct meter_id, jsonb_object_keys(selector::jsonb) as key from ({_RATES}) rate
            where meter_id = any(%(meters)s)
        ) named group by meter_id
    ) asked
"""  # noqa: S608 - constants only
_LONGEST_CURSOR = 400
# No event lies further ahead than this.
_AHEAD = timedelta(minutes=10)
_EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
# The index of events is by time: a short look at the end spares a company with millions of them a long one.
_LOOKS_BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta.max)


@scoped(snapshot=True)
def charges_by_rate(scope: Scope, company_id: int, period: Period, *, meters: Sequence[str]) -> list[RateGroup]:
    """What the organisation sold of the company's usage, grouped by what decided the price; by meter, largest first.

    Sums are exact. Usage priced or corrected after it was taken stands under the rate that holds now; what was
    withdrawn stands nowhere.
    """
    with connection.cursor() as cursor:
        asked = _asked(cursor, scope, company_id, period, meters)
        cursor.execute(_GROUPS, asked)
        rows = cursor.fetchall()
        rates = _rates(cursor, scope, (rate for row in rows for rate in row[2:4]))
    groups = [_group(row, rates) for row in rows]
    return sorted(groups, key=lambda one: (METER_BY_CODE[one.meter].id, -one.sell, -one.count, _order(one.attributes)))


@scoped(snapshot=True)
def events_of(
    scope: Scope,
    company_id: int,
    period: Period,
    *,
    meters: Sequence[str],
    sell_rate: int | None = None,
    buy_rate: int | None = None,
    attributes: Mapping[str, str] | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> EventPage:
    """Events of the company that the organisation sold, newest first, each with its calculation.

    `sell_rate`, `buy_rate` and `attributes` are those of a `RateGroup`, rate 0 for no price yet. A cursor
    that was given for another question is refused.
    """
    question = _fingerprint(scope, company_id, period, meters, sell_rate, buy_rate, attributes)
    before = _read_cursor(cursor, question) if cursor is not None else (None, None, None)
    with connection.cursor() as database:
        asked = _asked(database, scope, company_id, period, meters) | {
            "sell_rate": sell_rate,
            "buy_rate": buy_rate,
            "attributes": None if attributes is None else json.dumps(dict(attributes)),
            "limit": limit + 1,
            **dict(zip(("before", "before_source", "before_key"), before, strict=True)),
        }
        rows = _newest(database, asked)
        rates = _rates(database, scope, (rate for row in rows for rate in (row[8], row[11])))
    page = rows[:limit]
    following = _write_cursor(question, page[-1]) if len(rows) > limit else None
    return EventPage(tuple(_event(company_id, row, rates) for row in page), following)


def _newest(cursor: Any, asked: dict[str, Any]) -> list[Any]:
    """One page of lines: looked for in the last hour, day, week, and only then in the whole period."""
    top = min(asked["before"] or asked["end"], asked["end"], clock.now() + _AHEAD)
    rows: list[Any] = []
    for look_back in _LOOKS_BACK:
        start = max(asked["start"], top - look_back) if top - _EARLIEST > look_back else asked["start"]
        if start < asked["end"]:
            cursor.execute(_EVENTS, asked | {"start": start})
            rows = cursor.fetchall()
        if start == asked["start"] or len(rows) == asked["limit"]:
            break
    return rows


def _asked(cursor: Any, scope: Scope, company_id: int, period: Period, meters: Sequence[str]) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "seller": scope.organisation_id,
        "company": company_id,
        "start": period.start,
        "end": period.end,
        "meters": [METER_BY_CODE[code].id for code in meters],
    }
    cursor.execute(_KEYS, asked)
    return asked | {"keys": cursor.fetchone()[0]}


def _rates(cursor: Any, scope: Scope, wanted: Iterable[int | None]) -> dict[int, RateTerms]:
    ids = sorted({rate for rate in wanted if rate})
    cursor.execute(
        f"select * from ({_RATES}) rate where id = any(%(ids)s)",  # noqa: S608 - constants only
        {"seller": scope.organisation_id, "ids": ids},
    )
    return {
        row[0]: RateTerms(row[0], Terms(*row[1:6]), json.loads(row[6]) if isinstance(row[6], str) else row[6], row[7])
        for row in cursor.fetchall()
    }


def _group(row: Any, rates: Mapping[int, RateTerms]) -> RateGroup:
    return RateGroup(
        meter=METER_BY_ID[row[0]].code,
        attributes=json.loads(row[1]),
        count=int(row[4]),
        quantity=int(row[5]),
        sell_rate=rates.get(row[2]),
        sell_billed=int(row[6]),
        sell=int(row[7]),
        has_buying_side=row[3] is not None,
        buy_rate=rates.get(row[3] or 0),
        buy_billed=int(row[8]),
        buy=int(row[9]),
        first_at=row[10],
        last_at=row[11],
    )


def _event(company_id: int, row: Any, rates: Mapping[int, RateTerms]) -> EventLine:
    quantity = row[6]
    return EventLine(
        company_id=company_id,
        source=row[1],
        id=id_of(row[2].bytes, row[3]),
        meter=METER_BY_ID[row[0]].code,
        event_time=row[4],
        received_at=row[5],
        quantity=quantity,
        attributes=row[7],
        sell=_charge(rates.get(row[8]), quantity, row[9], row[10], row[15]),
        buy=None if row[11] is None else _charge(rates.get(row[11]), quantity, row[12], row[13], row[16]),
        is_withdrawn=row[17],
        buyer_id=row[18],
        place=CommitPlace(row[19], row[20], [(shard, batch) for shard, batch in row[21] or ()]),
    )


def _charge(rate: RateTerms | None, quantity: int, amount: int, is_late: bool, is_corrected: bool) -> EdgeCharge:
    if rate is None:
        return EdgeCharge(None, 0, amount, is_late=False, is_corrected=is_corrected)
    billed = billed_quantity(quantity, rate.terms.minimum, rate.terms.increment)
    return EdgeCharge(rate, billed, amount, is_late, is_corrected)


def _order(attributes: Mapping[str, str]) -> str:
    return json.dumps(dict(attributes), sort_keys=True)


def _fingerprint(scope: Scope, company_id: int, period: Period, *parts: Any) -> str:
    bounds = (instant_text(period.start), instant_text(period.end))
    text = json.dumps([scope.organisation_id, company_id, *bounds, *map(_plain, parts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(part: Any) -> Any:
    return dict(part) if isinstance(part, Mapping) else list(part) if isinstance(part, tuple) else part


def _write_cursor(question: str, row: Any) -> str:
    last = [question, instant_text(row[4]), row[14], row[2].hex]
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode().rstrip("=")


def _read_cursor(text: str, question: str) -> tuple[datetime, int, UUID]:
    try:
        if len(text) > _LONGEST_CURSOR:
            raise ValueError(text)
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        mark, moment, source, key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if mark != question or type(source) is not int:
            raise ValueError(text)
        return parse_instant(moment), source, UUID(hex=key)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error, Invalid):
        raise invalid_field("This `cursor` belongs to another question; begin again without it.", "cursor") from None
