"""Folding: journal cells move into the hour and day books, one transaction per step.

Nothing waits for it and nothing depends on it: book + journal is the same sum before
and after, in every snapshot. It only keeps reports quick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

import numpy as np
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from twin.kernel import clock
from twin.metering.rules.buckets import DAY_LEVEL, HOUR_LEVEL, HOURS_A_DAY
from twin.metering.rules.cells import Cells, joined, summed
from twin.metering.rules.packing import pack, unpack
from twin.metering.store import copy_journal, writer_connection

# One lock per seller: two folds of one seller would read the same book.
_FOLD_LOCK = 0x466F6C64
_ROWS_A_STEP = 400
# Memory is bounded by what one step holds: some 60 MB.
_CELLS_A_STEP = 150_000
# Fewer rows than these cost a report a few milliseconds, a fold many book rows written anew.
_WORTH_FOLDING = 64
_PATIENCE = timedelta(minutes=1)
# A book is written anew for a tenth of its cells, and never for fewer than so many.
_WORTH_A_BOOK = 20
_SHARE_OF_A_BOOK = 10
# A report reads them beside its books: 4 ms.
_MOST_WAITING = 50_000
_IDLE = timedelta(minutes=2)


def fold(sellers: Iterable[int] | None = None) -> int:
    """Fold the journals of these sellers, or of all; returns the number of journal rows moved.

    Safe at any time and to repeat; a seller being folded elsewhere is left to that one.
    """
    moved = 0
    for seller in _sellers_with_journals(rows=1) if sellers is None else sellers:
        while step := _fold_step(seller, is_thrifty=False):
            moved += step
    return moved


def fold_thriftily() -> int:
    """Fold every seller's journals but for what may wait; for whoever brings much usage and more after it."""
    return sum(_fold_thriftily(seller) for seller in _sellers_with_journals(rows=2))


def fold_what_is_worth_it() -> int:
    """Fold the sellers whose journals are many or have waited; what the schedule does.

    Cells that are few beside the book of their hour wait together in one journal row for more of their
    kind, or until nothing came for a while: for one late event a whole book would be written anew.
    """
    now = clock.now()
    with connections["writer"].cursor() as cursor:
        cursor.execute(
            """
            select seller_id, max(received_at) < %(idle)s
            from metering_journal join metering_batch using (shard, batch) group by seller_id
            having count(*) >= %(many)s or (count(*) > 1 and min(received_at) < %(waited)s)
                or max(received_at) < %(idle)s order by 1
            """,
            {"many": _WORTH_FOLDING, "waited": now - _PATIENCE, "idle": now - _IDLE},
        )
        found = cursor.fetchall()
    return sum(fold([seller]) if is_idle else _fold_thriftily(seller) for seller, is_idle in found)


def _fold_thriftily(seller: int) -> int:
    moved = 0
    # One row that is left is what the last step put back.
    while (step := _fold_step(seller, is_thrifty=True)) > 1:
        moved += step
    return moved


def _sellers_with_journals(*, rows: int) -> list[int]:
    """Those with so many rows at least."""
    with connections["writer"].cursor() as cursor:
        cursor.execute("select seller_id from metering_journal group by 1 having count(*) >= %s order by 1", [rows])
        return [row[0] for row in cursor.fetchall()]


def _fold_step(seller: int, *, is_thrifty: bool) -> int:
    """Move the oldest rows of the journal; a thrifty step puts what may wait back as one row."""
    with transaction.atomic(using="writer"), connections["writer"].cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [_FOLD_LOCK, seller])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(
            """
            delete from metering_journal where (seller_id, shard, batch) in (
                select seller_id, shard, batch from (
                    select seller_id, shard, batch, cells,
                           sum(cells) over (order by shard, batch rows unbounded preceding) as cells_so_far
                    from metering_journal where seller_id = %s
                    order by shard, batch limit %s
                ) next where cells_so_far <= %s or cells_so_far = cells
            ) returning data, spent, shard, batch
            """,
            [seller, _ROWS_A_STEP, _CELLS_A_STEP],
        )
        rows = cursor.fetchall()
        cells = summed(joined([unpack(row[0]) for row in rows]))
        _add_to_spent(cursor, seller, summed(joined([unpack(row[1]) for row in rows])))
        cells, few = _parted(cursor, seller, cells) if is_thrifty else (cells, Cells.empty())
        if len(few):
            # In the place of the latest row they came from; what was spent has been added already.
            with writer_connection().cursor() as copier:
                copy_journal(copier, {seller: few}, {}, *max(row[2:] for row in rows))
        if len(cells):
            _add_to_books(cursor, seller, HOUR_LEVEL, cells)
            _add_to_books(cursor, seller, DAY_LEVEL, summed(cells.at_bucket(cells.bucket // HOURS_A_DAY)))
        return len(rows)


def _parted(cursor: CursorWrapper, seller: int, cells: Cells) -> tuple[Cells, Cells]:
    """What is worth writing books anew for, and what may wait; too many that wait are worth it together."""
    hours, numbers, counts = np.unique(cells.bucket, return_inverse=True, return_counts=True)
    sizes = _sizes(cursor, seller, HOUR_LEVEL, hours.tolist())
    least = [max(_WORTH_A_BOOK, sizes.get(hour, 0) // _SHARE_OF_A_BOOK) for hour in hours.tolist()]
    is_few = (counts < np.array(least, dtype=np.int64))[numbers]
    if not is_few.any() or is_few.sum() > _MOST_WAITING:
        return cells, Cells.empty()
    return cells.taken(~is_few), cells.taken(is_few)


def _sizes(cursor: CursorWrapper, seller: int, level: int, buckets: list[int]) -> dict[int, int]:
    """How many cells the books hold that there are."""
    cursor.execute(
        "select bucket, cells from metering_book where seller_id = %s and level = %s and bucket = any(%s)",
        [seller, level, buckets],
    )
    return dict(cursor.fetchall())


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


def _add_to_books(cursor: CursorWrapper, seller: int, level: int, cells: Cells) -> None:
    numbers, starts = np.unique(cells.bucket, return_index=True)
    ends = [*starts[1:].tolist(), len(cells)]
    added = {
        bucket: cells.taken(slice(start, end))
        for bucket, start, end in zip(numbers.tolist(), starts.tolist(), ends, strict=True)
    }
    for buckets in _some_at_once(cursor, seller, level, list(added)):
        _write_books(cursor, seller, level, {bucket: added[bucket] for bucket in buckets})


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


def _write_books(cursor: CursorWrapper, seller: int, level: int, added: dict[int, Cells]) -> None:
    cursor.execute(
        "select bucket, data from metering_book where seller_id = %s and level = %s and bucket = any(%s)",
        [seller, level, list(added)],
    )
    books = {bucket: unpack(data) for bucket, data in cursor.fetchall()}
    rows = []
    for bucket, part in added.items():
        book = summed(joined([books[bucket], part])) if bucket in books else part
        rows.append((seller, level, bucket, len(book), pack(book)))
    cursor.executemany(
        """
        insert into metering_book (seller_id, level, bucket, cells, data) values (%s, %s, %s, %s, %s)
        on conflict (seller_id, level, bucket) do update set cells = excluded.cells, data = excluded.data
        """,
        rows,
    )
