"""Folding: journal cells move into the books of their days, one transaction per step.

Nothing waits for it and nothing depends on it: book + journal is the same sum before
and after, in every snapshot. It only keeps reports quick.

A day has a book for each of its hours, one for itself, and one of what waits: cells too few to write
the others anew for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

import numpy as np
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from twin.kernel import clock
from twin.kernel.slow_queries import BinaryCursor
from twin.metering.rules.buckets import DAY_LEVEL, HOUR_LEVEL, HOURS_A_DAY, WAITING_LEVEL
from twin.metering.rules.cells import Cells, Keys, joined, summed
from twin.metering.rules.packing import pack_all, unpack

# One lock per seller: two folds of one seller would read the same book.
_FOLD_LOCK = 0x466F6C64
_ROWS_A_STEP = 400
# Memory is bounded by what one step holds, some 100 MB; twice as many cells cost no less time.
_CELLS_A_STEP = 75_000
# Fewer rows than these cost a report a few milliseconds, a fold some book rows written anew.
_WORTH_FOLDING = 64
_PATIENCE = timedelta(minutes=1)
# The books of a day are written anew for a sixth of their cells, and never for fewer than so many.
_WORTH_A_DAY = 20
_SHARE_OF_A_DAY = 6


def fold(sellers: Iterable[int] | None = None) -> int:
    """Fold the journals of these sellers, or of all; returns the number of journal rows moved.

    Safe at any time and to repeat; a seller being folded elsewhere is left to that one.
    """
    moved = 0
    for seller in _sellers_with_journals() if sellers is None else sellers:
        while step := _fold_step(seller):
            moved += step
    return moved


def fold_what_is_worth_it() -> int:
    """Fold the sellers whose journals are many or have waited; what the schedule does."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(
            """
            select seller_id from metering_journal join metering_batch using (shard, batch)
            group by seller_id having count(*) >= %s or min(received_at) < %s order by 1
            """,
            [_WORTH_FOLDING, clock.now() - _PATIENCE],
        )
        return fold([row[0] for row in cursor.fetchall()])


def _sellers_with_journals() -> list[int]:
    with connections["writer"].cursor() as cursor:
        cursor.execute("select distinct seller_id from metering_journal order by 1")
        return [row[0] for row in cursor.fetchall()]


def _fold_step(seller: int) -> int:
    """Move the oldest rows of the journal."""
    with transaction.atomic(using="writer"), connections["writer"].cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [_FOLD_LOCK, seller])
        if not cursor.fetchone()[0]:
            return 0
        rows = _taken_out(cursor, seller)
        _add_to_spent(cursor, seller, summed(joined([unpack(row[1]) for row in rows])))
        _add_to_days(cursor, seller, summed(joined([unpack(row[0]) for row in rows])))
        return len(rows)


def _taken_out(cursor: CursorWrapper, seller: int) -> list[tuple[bytes, bytes]]:
    """The totals of the oldest rows of the journal, and what they say buyers owe; the rows are gone."""
    with BinaryCursor(cursor.connection) as binary:
        binary.execute(
            """
            delete from metering_journal where (seller_id, shard, batch) in (
                select seller_id, shard, batch from (
                    select seller_id, shard, batch, cells,
                           sum(cells) over (order by shard, batch rows unbounded preceding) as cells_so_far
                    from metering_journal where seller_id = %s
                    order by shard, batch limit %s
                ) next where cells_so_far <= %s or cells_so_far = cells
            ) returning data, spent
            """,
            [seller, _ROWS_A_STEP, _CELLS_A_STEP],
        )
        return binary.fetchall()


def _add_to_spent(cursor: CursorWrapper, seller: int, owed: Cells) -> None:
    """Nobody else writes these rows: the fold lock of the seller is held."""
    cursor.execute(
        """
        insert into metering_spent (seller_id, buyer_id, amount)
        select %s, buyer, amount::numeric from unnest(%s::int[], %s::text[]) as added(buyer, amount)
        on conflict (seller_id, buyer_id) do update set amount = metering_spent.amount + excluded.amount
        """,
        [seller, owed.company.tolist(), [str(amount) for amount in owed.sell.tolist()]],
    )


def _add_to_days(cursor: CursorWrapper, seller: int, cells: Cells) -> None:
    """What waits of each day grows by these, and goes to the books of the day once it is worth it."""
    added = _split(cells, cells.bucket // HOURS_A_DAY)
    for days in _some_at_once(cursor, seller, WAITING_LEVEL, list(added)):
        waiting = _books(cursor, seller, WAITING_LEVEL, days)
        whole = summed(joined([*waiting, *(added[day] for day in days)]))
        is_full = np.isin(whole.bucket // HOURS_A_DAY, _full_days(cursor, seller, whole))
        if is_full.any():
            moved = whole.taken(is_full)
            _add_to_books(cursor, seller, HOUR_LEVEL, moved)
            _add_to_books(cursor, seller, DAY_LEVEL, summed(moved.at_bucket(moved.bucket // HOURS_A_DAY)))
        waits = whole.taken(~is_full)
        _write_books(cursor, seller, WAITING_LEVEL, _split(waits, waits.bucket // HOURS_A_DAY), days)


def _full_days(cursor: CursorWrapper, seller: int, cells: Cells) -> list[int]:
    """The days of which enough waits to write their books anew."""
    days, counts = np.unique(cells.bucket // HOURS_A_DAY, return_counts=True)
    in_days = _sizes(cursor, seller, DAY_LEVEL, days.tolist())
    in_hours: dict[int, int] = {}
    every_hour = (days[:, None] * HOURS_A_DAY + np.arange(HOURS_A_DAY)).ravel()
    for hour, size in _sizes(cursor, seller, HOUR_LEVEL, every_hour.tolist()).items():
        day = hour // HOURS_A_DAY
        in_hours[day] = in_hours.get(day, 0) + size
    return [
        day
        for day, count in zip(days.tolist(), counts.tolist(), strict=True)
        if count >= max(_WORTH_A_DAY, (in_days.get(day, 0) + in_hours.get(day, 0)) // _SHARE_OF_A_DAY)
    ]


def _sizes(cursor: CursorWrapper, seller: int, level: int, buckets: list[int]) -> dict[int, int]:
    """How many cells the books hold that there are."""
    cursor.execute(
        "select bucket, cells from metering_book where seller_id = %s and level = %s and bucket = any(%s)",
        [seller, level, buckets],
    )
    return dict(cursor.fetchall())


def _some_at_once(cursor: CursorWrapper, seller: int, level: int, buckets: list[int]) -> Iterator[list[int]]:
    """The buckets in parts whose books hold no more cells than fit a step: late usage touches a quarter of a year."""
    sizes = _sizes(cursor, seller, level, buckets)
    some: list[int] = []
    held = 0
    for bucket in buckets:
        some.append(bucket)
        held += sizes.get(bucket, 0)
        if held >= _CELLS_A_STEP:
            yield some
            some, held = [], 0
    if some:
        yield some


def _add_to_books(cursor: CursorWrapper, seller: int, level: int, cells: Cells) -> None:
    added = _split(cells, cells.bucket)
    for buckets in _some_at_once(cursor, seller, level, list(added)):
        books = _books(cursor, seller, level, buckets)
        whole = summed(joined([*books, *(added[bucket] for bucket in buckets)]))
        _write_books(cursor, seller, level, _split(whole, whole.bucket), buckets)


def _books(cursor: CursorWrapper, seller: int, level: int, buckets: list[int]) -> list[Cells]:
    with BinaryCursor(cursor.connection) as binary:
        binary.execute(
            "select data from metering_book where seller_id = %s and level = %s and bucket = any(%s) order by bucket",
            [seller, level, buckets],
        )
        return [unpack(data) for (data,) in binary]


def _write_books(
    cursor: CursorWrapper, seller: int, level: int, books: Mapping[int, Cells], buckets: Sequence[int]
) -> None:
    """What is in these buckets now; a bucket that is not among the books is empty."""
    if empty := [bucket for bucket in buckets if bucket not in books]:
        cursor.execute(
            "delete from metering_book where seller_id = %s and level = %s and bucket = any(%s)", [seller, level, empty]
        )
    cells = list(books.values())
    with BinaryCursor(cursor.connection) as binary:
        binary.execute(
            """
            insert into metering_book (seller_id, level, bucket, cells, data)
            select %s, %s, * from unnest(%s::int[], %s::int[], %b::bytea[])
            on conflict (seller_id, level, bucket) do update set cells = excluded.cells, data = excluded.data
            """,
            [seller, level, list(books), [len(book) for book in cells], pack_all(cells)],
        )


def _split(cells: Cells, numbers: Keys) -> dict[int, Cells]:
    """The cells of each number; they are in its order."""
    values, starts = np.unique(numbers, return_index=True)
    bounds = pairwise([*starts.tolist(), len(cells)])
    return {value: cells.taken(slice(*ends)) for value, ends in zip(values.tolist(), bounds, strict=True)}
