"""Proof of the totals: every cell counted again from the rows, hour by hour in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import connections, transaction

from twin.metering.queries.cells import cells_of
from twin.metering.rules.buckets import DAY_LEVEL, EPOCH, HOUR, HOUR_LEVEL, HOURS_A_DAY, WAITING_LEVEL
from twin.metering.rules.cells import SUMS, Cells, joined, summed
from twin.metering.rules.packing import unpack
from twin.metering.types import VerifyReport

_MOST_LISTED = 100

_DAY_ROWS = """
    select seller_id, company_id, meter_id, hour, sum(count)::text, sum(quantity)::text, sum(buy)::text,
           sum(sell)::text, sum(unrated)::text
    from (
        select seller_id, company_id, meter_id, floor(extract(epoch from event_time) / 3600)::int as hour,
               count(*) as count, sum(quantity) as quantity, sum(buy) as buy, sum(sell) as sell,
               count(*) filter (where unrated) as unrated
        from metering_edge where event_time >= %(start)s and event_time < %(end)s
        group by 1, 2, 3, 4
        union all
        select seller_id, company_id, meter_id, floor(extract(epoch from event_time) / 3600)::int,
               -count(*) filter (where kind = 'withdrawal'),
               -coalesce(sum(quantity) filter (where kind = 'withdrawal'), 0), 0, sum(amount), sum(seller_unrated)
        from metering_correction where event_time >= %(start)s and event_time < %(end)s group by 1, 2, 3, 4
        union all
        select buyer_id, company_id, meter_id, floor(extract(epoch from event_time) / 3600)::int, 0, 0,
               sum(amount), 0, sum(buyer_unrated)
        from metering_correction where pos > 0 and event_time >= %(start)s and event_time < %(end)s
        group by 1, 2, 3, 4
    ) parts
    group by seller_id, company_id, meter_id, hour
"""
_OWED = """
    select seller_id, buyer_id, sum(amount)::text from (
        select seller_id, buyer_id, sell as amount from metering_edge
        union all select seller_id, buyer_id, amount from metering_correction
    ) charged group by seller_id, buyer_id
"""
_TWICE = """
    select s.name, e.key::text, array_agg(distinct e.company_id order by e.company_id)
    from metering_event e join metering_source s using (source_id)
    group by s.source_id, s.name, e.key having count(distinct e.company_id) > 1
    order by 1, 2 limit 100
"""


def find_differences() -> VerifyReport:
    """Recompute all totals from the rows and compare them with books and journals, in one snapshot.

    Reads over the writer connection, since it looks at every tenant; writes nothing, may run
    while usage comes in. Notes name keys of one source that occur under two companies.
    """
    differences: list[str] = []
    cells = 0
    with transaction.atomic(using="writer"), connections["writer"].cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("select count(*) from metering_event")
        events = cursor.fetchone()[0]
        journals = _journals(cursor)
        for day in _days(cursor, journals):
            counted = _counted(cursor, day)
            kept = _kept(cursor, day, journals)
            cells += sum(map(len, counted.values()))
            for seller in sorted(counted.keys() | kept.keys()):
                expected, found = counted.get(seller, Cells.empty()), kept.get(seller, Cells.empty())
                differences.extend(_compare(seller, expected, found))
            differences.extend(_compare_days(cursor, day))
            if len(differences) > _MOST_LISTED:
                differences = [*differences[:_MOST_LISTED], "… more differences are not listed."]
                break
        differences.extend(_compare_spent(cursor)[:_MOST_LISTED])
        cursor.execute(_TWICE)
        notes = [
            f"Source {name!r} sent key {key} for companies {', '.join(map(str, companies))}."
            for name, key, companies in cursor.fetchall()
        ]
    return VerifyReport(differences, notes, events, cells)


def _compare_spent(cursor: Any) -> list[str]:
    """What every buyer owes its seller in all, counted again."""
    cursor.execute(_OWED)
    counted = {(seller, buyer): int(amount) for seller, buyer, amount in cursor.fetchall()}
    cursor.execute("select seller_id, buyer_id, amount::text from metering_spent")
    kept = {(seller, buyer): int(amount) for seller, buyer, amount in cursor.fetchall()}
    cursor.execute("select seller_id, spent from metering_journal")
    for seller, data in cursor.fetchall():
        owed = unpack(data)
        for buyer, amount in zip(owed.company.tolist(), owed.sell.tolist(), strict=True):
            kept[seller, buyer] = kept.get((seller, buyer), 0) + amount
    return [
        f"seller {seller}, buyer {buyer}: rows owe {counted.get((seller, buyer), 0)},"
        f" totals say {kept.get((seller, buyer), 0)}"
        for seller, buyer in sorted(counted.keys() | kept.keys())
        if counted.get((seller, buyer), 0) != kept.get((seller, buyer), 0)
    ]


def _days(cursor: Any, journals: dict[int, Cells]) -> Iterator[int]:
    """Every UTC day that rows, books or journals speak of."""
    days = {int(hour) // HOURS_A_DAY for cells in journals.values() for hour in np.unique(cells.bucket)}
    cursor.execute(
        """
        select bucket from metering_book where level in (2, 3)
        union select bucket / 24 from metering_book where level = 1
        """
    )
    days.update(row[0] for row in cursor.fetchall())
    cursor.execute(
        """
        select distinct floor(extract(epoch from date_trunc('day', event_time, 'UTC')) / 86400)::int
        from metering_event
        """
    )
    days.update(row[0] for row in cursor.fetchall())
    yield from sorted(days)


def _journals(cursor: Any) -> dict[int, Cells]:
    found: dict[int, list[Cells]] = {}
    cursor.execute("select seller_id, data from metering_journal")
    for seller, data in cursor.fetchall():
        found.setdefault(seller, []).append(unpack(data))
    return {seller: summed(joined(parts)) for seller, parts in found.items()}


def _counted(cursor: Any, day: int) -> dict[int, Cells]:
    start = EPOCH + timedelta(days=day)
    cursor.execute(_DAY_ROWS, {"start": start, "end": start + timedelta(days=1)})
    by_seller: dict[int, list[Any]] = {}
    for row in cursor.fetchall():
        by_seller.setdefault(row[0], []).append(row)
    return {seller: summed(_with_hours(rows)) for seller, rows in by_seller.items()}


def _with_hours(rows: list[Any]) -> Cells:
    cells = cells_of([(row[1], row[2], *row[4:]) for row in rows])
    return Cells(np.array([row[3] for row in rows], dtype=np.int64), *cells.columns()[1:])


def _kept(cursor: Any, day: int, journals: dict[int, Cells]) -> dict[int, Cells]:
    first, last = day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY
    parts: dict[int, list[Cells]] = {}
    cursor.execute(
        "select seller_id, data from metering_book where (level = %s and bucket >= %s and bucket < %s)"
        " or (level = %s and bucket = %s)",
        [HOUR_LEVEL, first, last, WAITING_LEVEL, day],
    )
    for seller, data in cursor.fetchall():
        parts.setdefault(seller, []).append(unpack(data))
    for seller, cells in journals.items():
        inside = (cells.bucket >= first) & (cells.bucket < last)
        if inside.any():
            parts.setdefault(seller, []).append(cells.taken(inside))
    return {seller: summed(joined(cells)) for seller, cells in parts.items()}


def _compare(seller: int, expected: Cells, found: Cells) -> list[str]:
    """One line per cell that differs."""
    wanted, kept = _as_mapping(expected), _as_mapping(found)
    lines = []
    for key in sorted(wanted.keys() | kept.keys()):
        if wanted.get(key) != kept.get(key):
            hour = (EPOCH + key[0] * HOUR).strftime("%Y-%m-%dT%H:00Z")
            lines.append(
                f"seller {seller}, {hour}, company {key[1]}, meter {key[2]}:"
                f" rows say {_named(wanted.get(key))}, totals say {_named(kept.get(key))}"
            )
    return lines


def _as_mapping(cells: Cells) -> dict[tuple[int, int, int], tuple[int, ...]]:
    columns = [column.tolist() for column in cells.columns()]
    return {(row[0], row[1], row[2]): tuple(row[3:]) for row in zip(*columns, strict=True)}


def _named(sums: tuple[int, ...] | None) -> str:
    if sums is None:
        return "nothing"
    return ", ".join(f"{name} {value}" for name, value in zip(SUMS, sums, strict=True))


def _compare_days(cursor: Any, day: int) -> list[str]:
    """The day book is the sum of its hour books."""
    cursor.execute(
        "select seller_id, level, data from metering_book where (level = %s and bucket = %s)"
        " or (level = %s and bucket >= %s and bucket < %s)",
        [DAY_LEVEL, day, HOUR_LEVEL, day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY],
    )
    levels: dict[tuple[int, int], list[Cells]] = {}
    for seller, level, data in cursor.fetchall():
        levels.setdefault((seller, level), []).append(unpack(data).at_bucket(day))
    totals = {key: _as_mapping(summed(joined(parts))) for key, parts in levels.items()}
    sellers = {seller for seller, _ in totals}
    label = datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
    return [
        f"seller {seller}, {label}: the day book is not the sum of its hour books"
        for seller in sorted(sellers)
        if totals.get((seller, DAY_LEVEL), {}) != totals.get((seller, HOUR_LEVEL), {})
    ]
