"""Totals of one seller for any period: books + journals ± the rows at the ragged edges, one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.slow_queries import binary_rows
from twin.kernel.tenancy import scoped
from twin.metering.rules.buckets import DAY_LEVEL, HOUR_LEVEL, WAITING_LEVEL, Plan, nearest_plan
from twin.metering.rules.cells import Cells, Grid, narrowed, total_of
from twin.metering.rules.packing import unpack

EDGE_ROWS = """
    select company_id, meter_id, sum(count)::text, sum(quantity)::text, sum(buy)::text, sum(sell)::text,
           sum(unrated)::text
    from (
        select company_id, meter_id, count(*) as count, sum(quantity) as quantity, sum(buy) as buy,
               sum(sell) as sell, count(*) filter (where unrated) as unrated
        from metering_sold where event_time >= %(start)s and event_time < %(end)s
        group by company_id, meter_id
        union all
        select company_id, meter_id, -count(*) filter (where kind = 'withdrawal'),
               -coalesce(sum(quantity) filter (where kind = 'withdrawal'), 0), 0, sum(amount), sum(seller_unrated)
        from metering_correction
        where seller_id = %(seller)s and event_time >= %(start)s and event_time < %(end)s
        group by company_id, meter_id
        union all
        select company_id, meter_id, 0, 0, sum(amount), 0, sum(buyer_unrated)
        from metering_correction
        where buyer_id = %(seller)s and pos > 0 and event_time >= %(start)s and event_time < %(end)s
        group by company_id, meter_id
    ) parts
    group by company_id, meter_id
"""
_BOOKS = "select data from metering_book where seller_id = %s and level = %s and bucket >= %s and bucket < %s"
# Cells of any hour: what came last, and what waits to be added to the books of its day.
NEWEST = f"select data from metering_journal where seller_id = %s union all {_BOOKS}"  # noqa: S608 - constants only


@scoped(snapshot=True)
def cells_in(scope: Scope, period: Period) -> Cells:
    """One cell per (company, meter) that the organisation sold in the period; bucket is 0.

    Exact to the microsecond while usage comes in: all parts are read in one snapshot (the
    caller's, when it has one open).
    """
    plan = nearest_plan(period)
    seller = scope.organisation_id
    grid = Grid()
    for book in _books(seller, plan):
        grid.add(book)
    grid.add(total_of(part.at_bucket(0) for part in _newest(seller, plan)))
    with connection.cursor() as cursor:
        for span in plan.spans:
            grid.add(_rows(cursor, seller, span))
        for span in plan.less_spans:
            grid.add(_rows(cursor, seller, span).negative())
    return grid.total()


def _books(seller: int, plan: Plan) -> Iterator[Cells]:
    """Each is of one hour or day, so a company and meter occur in it once."""
    for hours in plan.hours:
        yield from _of_level(seller, HOUR_LEVEL, hours)
    for hours in plan.less_hours:
        for book in _of_level(seller, HOUR_LEVEL, hours):
            yield book.negative()
    if plan.days:
        yield from _of_level(seller, DAY_LEVEL, plan.days)


def _of_level(seller: int, level: int, buckets: range) -> Iterator[Cells]:
    # As bytes: Django's own cursors are sent text, twice as long.
    for (data,) in binary_rows(connection, _BOOKS, [seller, level, buckets.start, buckets.stop]):
        yield unpack(data)


def _newest(seller: int, plan: Plan) -> Iterator[Cells]:
    if not plan.covered:
        return
    days = plan.waiting
    asked = [seller, seller, WAITING_LEVEL, days.start, days.stop]
    for (data,) in binary_rows(connection, NEWEST, asked):
        cells = unpack(data)
        inside = (cells.bucket >= plan.covered.start) & (cells.bucket < plan.covered.stop)
        yield cells if inside.all() else cells.taken(inside)


def _rows(cursor: CursorWrapper, seller: int, span: Period) -> Cells:
    cursor.execute(EDGE_ROWS, {"seller": seller, "start": span.start, "end": span.end})
    return cells_of(cursor.fetchall())


def cells_of(rows: Sequence[Sequence[Any]]) -> Cells:
    """Cells from rows (company, meter, five sums as text or whole numbers)."""
    if not rows:
        return Cells.empty()
    keys = np.array([(row[0], row[1]) for row in rows], dtype=np.int64)
    sums = [narrowed(np.array([int(row[column]) for row in rows], dtype=object)) for column in range(2, 7)]
    return Cells(np.zeros(len(rows), dtype=np.int64), keys[:, 0], keys[:, 1], *sums)
