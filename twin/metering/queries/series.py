"""Totals for many periods at once, of a seller or of one buyer: every book, journal and ragged row is read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
from django.db import connection

from twin.companies.queries import direct_sellers
from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.slow_queries import binary_rows
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.queries.cells import NEWEST, cells_of
from twin.metering.rules.buckets import DAY_LEVEL, HOUR_LEVEL, WAITING_LEVEL, Plan, nearest_plan
from twin.metering.rules.cells import Cells, group_sums, summed, total_of
from twin.metering.rules.packing import unpack
from twin.metering.types import UsageCell
from twin.pricing.meters import METER_BY_ID

_NOBODY = 0
_MOST_METERS = 64

# The company is compared and grouped inside each part, so that indexes are used.
_SPAN_ROWS = """
    select place, company_id, meter_id, sum(count)::text, sum(quantity)::text, sum(buy)::text, sum(sell)::text,
           sum(unrated)::text
    from unnest(%(places)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) span(place, start_at, end_at)
    cross join lateral (
        select case when %(each)s then company_id else 0 end as company_id, meter_id, count(*) as count,
               sum(quantity) as quantity, sum(buy) as buy, sum(sell) as sell, count(*) filter (where unrated) as unrated
        from metering_sold
        where event_time >= span.start_at and event_time < span.end_at
          and (%(company)s::int is null or company_id = %(company)s)
        group by 1, 2
        union all
        select case when %(each)s then company_id else 0 end, meter_id, -count(*) filter (where kind = 'withdrawal'),
               -coalesce(sum(quantity) filter (where kind = 'withdrawal'), 0), 0, sum(amount), sum(seller_unrated)
        from metering_correction
        where seller_id = %(seller)s and event_time >= span.start_at and event_time < span.end_at
          and (%(company)s::int is null or company_id = %(company)s)
        group by 1, 2
        union all
        select case when %(each)s then company_id else 0 end, meter_id, 0, 0, sum(amount), 0, sum(buyer_unrated)
        from metering_correction
        where buyer_id = %(seller)s and pos > 0 and event_time >= span.start_at and event_time < span.end_at
          and (%(company)s::int is null or company_id = %(company)s)
        group by 1, 2
    ) part
    group by 1, 2, 3
"""

_BOOKS = """
    select b.bucket, b.data from unnest(%s::int[], %s::int[]) span(start, stop) cross join lateral (
        select bucket, data from metering_book
        where seller_id = %s and level = %s and bucket >= span.start and bucket < span.stop
    ) b
"""
_UNRATED = """
    select place, u.meter_id, count(*)
    from unnest(%(places)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) span(place, start_at, end_at)
    join metering_unrated u on u.event_time >= span.start_at and u.event_time < span.end_at
    where u.company_id = %(company)s and u.buyer_id = %(company)s and u.pos = 0
      and (%(company)s = %(asker)s or u.seller_id = %(asker)s)
    group by place, u.meter_id
"""
_Sums = dict[int, list[int]]


@dataclass(frozen=True)
class _Wanted:
    """Whose cells: one company's, or everybody's, by company or (not `each`) all together as company 0."""

    company_id: int | None = None
    each: bool = True


@scoped(snapshot=True)
def cells_by(
    scope: Scope, periods: Sequence[Period], *, company_id: int | None = None, each_company: bool = True
) -> list[Cells]:
    """`cells_in` for many periods, in one snapshot; bucket is the place of the period in the list.

    Periods come in order of time and do not overlap. Cheap where bounds are whole UTC hours; elsewhere
    the ragged hours are read row by row. Without `each_company` all companies are one, numbered 0.
    """
    return _read(scope.organisation_id, periods, _Wanted(company_id, each_company))


@scoped(snapshot=True)
def usage_cells(scope: Scope, company_id: int, periods: Sequence[Period]) -> list[list[UsageCell]]:
    """For each period the meters that the company used, with what it pays, by meter.

    The company itself sees all it ever used, a seller what it sold to it directly. Read from the books of
    each seller in that seller's name; nothing but the company's own lines leaves here.
    """
    found: list[_Sums] = [{} for _ in periods]
    for seller, held in direct_sellers(scope, company_id):
        parts = [(place, _overlap(period, held)) for place, period in enumerate(periods)]
        places = [place for place, part in parts if part is not None]
        with tenant_transaction(seller):
            read = _read(seller, [part for _, part in parts if part is not None], _Wanted(company_id))
        for place, cells in zip(places, read, strict=True):
            _add(found[place], cells)
    _add_unrated(scope, company_id, periods, found)
    return [[UsageCell(METER_BY_ID[meter].code, *figures) for meter, figures in sorted(sums.items())] for sums in found]


def _overlap(period: Period, held: Period) -> Period | None:
    start, end = max(period.start, held.start), min(period.end, held.end)
    return Period(start, end) if start < end else None


def _add(sums: _Sums, cells: Cells) -> None:
    columns = (cells.meter, cells.count, cells.quantity, cells.sell)
    for meter, *figures in zip(*(column.tolist() for column in columns), strict=True):
        known = sums.setdefault(meter, [0, 0, 0, 0])
        for position, figure in enumerate(figures):
            known[position] += figure


def _add_unrated(scope: Scope, company_id: int, periods: Sequence[Period], found: list[_Sums]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _UNRATED,
            {
                "places": list(range(len(periods))),
                "starts": [period.start for period in periods],
                "ends": [period.end for period in periods],
                "company": company_id,
                "asker": scope.organisation_id,
            },
        )
        for place, meter, count in cursor.fetchall():
            found[place].setdefault(meter, [0, 0, 0, 0])[3] += count


def _read(seller: int, periods: Sequence[Period], wanted: _Wanted) -> list[Cells]:
    """`cells_by` inside a transaction that is the seller's already."""
    if any(one.end > other.start for one, other in pairwise(periods)):
        raise ValueError("Periods of a series come in order of time and do not overlap.")
    plans = [nearest_plan(period) for period in periods]
    parts = chain(_books(seller, plans, wanted), _newest(seller, plans, wanted), _rows(seller, plans, wanted))
    whole = total_of(parts, summed if wanted.each else _together)
    ends = np.searchsorted(whole.bucket, np.arange(len(periods) + 1))
    return [whole.taken(slice(int(start), int(end))) for start, end in pairwise(ends)]


def _narrow(cells: Cells, wanted: _Wanted) -> Cells:
    """The cells of the company that is wanted, or all."""
    return cells if wanted.company_id is None else cells.taken(cells.company == wanted.company_id)


def _together(cells: Cells) -> Cells:
    """All companies as one; few buckets and meters are left of many cells."""
    if not len(cells):
        return cells
    # Places and meters are few: a key of 16 bits sorts in linear time.
    key = cells.bucket * _MOST_METERS + cells.meter
    order = np.argsort(key.astype(np.uint16 if key.max() < 2**16 else np.int64), kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    firsts = order[starts]
    sums = [
        group_sums(column[order], starts)
        for column in (cells.count, cells.quantity, cells.buy, cells.sell, cells.unrated)
    ]
    return Cells(cells.bucket[firsts], np.full(len(firsts), _NOBODY, dtype=np.int64), cells.meter[firsts], *sums)


def _books(seller: int, plans: Sequence[Plan], wanted: _Wanted) -> Iterator[Cells]:
    """Every book once: what one period has of an hour beyond its end is taken from it and is part of the next."""
    hours = [(part, place, 1) for place, plan in enumerate(plans) for part in plan.hours]
    hours += [(part, place, -1) for place, plan in enumerate(plans) for part in plan.less_hours]
    days = [(plan.days, place, 1) for place, plan in enumerate(plans)]
    for level, parts in ((HOUR_LEVEL, hours), (DAY_LEVEL, days)):
        uses: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for buckets, place, sign in parts:
            for bucket in buckets:
                uses[bucket].append((place, sign))
        for bucket, data in _of_level(seller, level, sorted(uses)):
            cells = _narrow(unpack(data), wanted)
            for place, sign in uses[bucket]:
                yield (cells if sign > 0 else cells.negative()).at_bucket(place)


def _of_level(seller: int, level: int, buckets: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    if not buckets:
        return
    spans = _merged(buckets)
    asked = [[start for start, _ in spans], [stop for _, stop in spans], seller, level]
    yield from binary_rows(connection, _BOOKS, asked)


def _merged(buckets: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbours as one range, so that the database is asked about few."""
    merged: list[tuple[int, int]] = []
    for bucket in buckets:
        if merged and merged[-1][1] == bucket:
            merged[-1] = (merged[-1][0], bucket + 1)
        else:
            merged.append((bucket, bucket + 1))
    return merged


def _newest(seller: int, plans: Sequence[Plan], wanted: _Wanted) -> Iterator[Cells]:
    covered = [(plan, place) for place, plan in enumerate(plans) if plan.covered]
    if not covered:
        return
    days = range(covered[0][0].waiting.start, covered[-1][0].waiting.stop)
    starts = np.array([plan.covered.start for plan, _ in covered])
    stops = np.array([plan.covered.stop for plan, _ in covered])
    places = np.array([place for _, place in covered])
    asked = [seller, seller, WAITING_LEVEL, days.start, days.stop]
    for (data,) in binary_rows(connection, NEWEST, asked):
        cells = unpack(data)
        part = np.searchsorted(starts, cells.bucket, side="right") - 1
        inside = np.flatnonzero((part >= 0) & (cells.bucket < stops[np.maximum(part, 0)]))
        yield _narrow(cells.taken(inside).at_bucket(places[part[inside]]), wanted)


def _rows(seller: int, plans: Sequence[Plan], wanted: _Wanted) -> Iterator[Cells]:
    for sign in (1, -1):
        spans = [(place, span) for place, plan in enumerate(plans) for span in _spans(plan, sign)]
        if spans:
            cells = _rows_in(seller, spans, wanted)
            yield cells if sign > 0 else cells.negative()


def _spans(plan: Plan, sign: int) -> tuple[Period, ...]:
    return plan.spans if sign > 0 else plan.less_spans


def _rows_in(seller: int, spans: Sequence[tuple[int, Period]], wanted: _Wanted) -> Cells:
    with connection.cursor() as cursor:
        cursor.execute(
            _SPAN_ROWS,
            {
                "places": [place for place, _ in spans],
                "starts": [span.start for _, span in spans],
                "ends": [span.end for _, span in spans],
                "seller": seller,
                "company": wanted.company_id,
                "each": wanted.each,
            },
        )
        rows: list[Any] = cursor.fetchall()
    return cells_of([row[1:] for row in rows]).at_bucket(np.array([row[0] for row in rows], dtype=np.int64))
