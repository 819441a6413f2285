"""The SQL of a batch: commit order, binary COPY, probe; used by the writer role alone."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
from django.db import connections
from numpy.typing import NDArray
from psycopg import Connection, Copy, Cursor

from twin.metering.rules.cells import Cells
from twin.metering.rules.packing import pack_all

# Transactions that store at the same time. Cutoffs hold a number of each: another count would need a new numbering.
SHARDS = 4
LEAST_AMOUNTS = 2
MOST_AMOUNTS = 4

_COPY_HEAD = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_COPY_TAIL = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i")
_INT8_OID = 20
# PostgreSQL counts timestamps from 2000-01-01.
_POSTGRES_EPOCH = 946_684_800_000_000

_EIGHT = ("event_time", "quantity", "batch", "amount_0", "amount_1")
_FOUR = ("company_id", "source_id", "chain_id", "rating_id", "attributes_id")
_COLUMNS = (*_EIGHT, "key", *_FOUR, "meter_id", "amount_2", "amount_3", "amounts_above", "event_id")

_JOURNAL_COLUMNS = ("seller_id", "shard", "batch", "cells", "data", "spent")

Ints = NDArray[np.int64]
Row = tuple[Any, ...]


@dataclass(frozen=True)
class EventRows:
    """A batch ready to be stored, in parallel columns; times in microseconds since 1970."""

    time: Ints
    quantity: Ints
    company: Ints
    source: Ints
    chain: Ints
    rating: Ints
    attributes: Ints
    meter: Ints
    key: NDArray[np.void]
    texts: list[str | None] | None
    edges: Ints  # how many edges each event has
    amounts: Ints  # one row per edge position, one column per event

    def __len__(self) -> int:
        return len(self.time)


def writer_connection() -> Connection[tuple[Any, ...]]:
    """The psycopg connection beneath Django's alias `writer`, for COPY and pipelines."""
    wrapper = connections["writer"]
    wrapper.ensure_connection()
    found: Connection[tuple[Any, ...]] = wrapper.connection
    return found


@cache
def may_copy() -> bool:
    """Whether the writer may COPY: PostgreSQL refuses it to a role that row-level security binds."""
    with connections["writer"].cursor() as cursor:
        cursor.execute("select rolbypassrls or rolsuper from pg_roles where rolname = current_user")
        return bool(cursor.fetchone()[0])


@contextmanager
def copying(cursor: Cursor[Row], table: str, columns: Sequence[str], options: str = "") -> Iterator[Copy]:
    """COPY into a table; by way of a temporary one where the writer may not COPY into it."""
    named = ", ".join(columns)
    if may_copy():
        with cursor.copy(f"copy {table} ({named}) from stdin {options}") as copy:
            yield copy
        return
    waiting = f"pg_temp.{table}_waiting"
    # Only the columns of the COPY: the table's own number themselves.
    shape = f"select {named} from {table} with no data"  # noqa: S608 - names of our own tables
    cursor.execute(f"create temporary table if not exists {table}_waiting on commit delete rows as {shape}")
    with cursor.copy(f"copy {waiting} ({named}) from stdin {options}") as copy:
        yield copy
    cursor.execute(f"insert into {table} ({named}) select {named} from {waiting}")  # noqa: S608 - names of our own tables


def taking_a_number(now: datetime, events: int) -> str:
    """The statement that gives a transaction its batch number, once and before it writes a row with it.

    It takes the shard that has gone the shortest way of those that nobody holds, or waits for one, holds it to the
    end of the transaction and moves it on; one taken by a transaction that fails is given again: no gaps. Nobody
    waits for a second shard, so nobody waits for ever. The number says its shard.
    """
    return f"""
        with free as materialized (
            select shard from metering_shard order by last limit 1 for update skip locked
        ), busy as materialized (
            select shard from metering_shard where not exists (select from free) order by random() limit 1 for update
        ), numbered as (
            update metering_shard s set last = s.last + {SHARDS} from (table free union all table busy) held
            where s.shard = held.shard returning s.shard, s.last
        )
        insert into metering_batch (shard, batch, received_at, events)
        select shard, last, '{now.isoformat()}'::timestamptz, {events} from numbered
        returning batch
    """  # noqa: S608 - numbers and an instant of our own


def next_batch(cursor: Cursor[Row], now: datetime, events: int = 0) -> int:
    """The batch number of this transaction; see `taking_a_number`."""
    cursor.execute(taking_a_number(now, events))
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def copy_events(cursor: Cursor[Row], rows: EventRows, batch: int) -> None:
    """Append the event rows; raises UniqueViolation when one of the keys exists."""
    with copying(cursor, "metering_event", _COLUMNS, "(format binary)") as copy:
        copy.write(_COPY_HEAD)
        for stored, places in _layouts(rows):
            copy.write(_binary_rows(rows, batch, stored, places))
        copy.write(_COPY_TAIL)


def copy_journal(cursor: Cursor[Row], journals: dict[int, Cells], spent: dict[int, Cells], batch: int) -> None:
    """One packed row per seller: what this batch adds to the seller's totals, and to what each buyer owes it."""
    with copying(cursor, "metering_journal", _JOURNAL_COLUMNS, "(format binary)") as copy:
        copy.set_types(["int4", "int2", "int8", "int4", "bytea", "bytea"])
        for row in _journal_rows(journals, spent, batch):
            copy.write_row(row)


def end_with_journal(cursor: Cursor[Row], journals: dict[int, Cells], spent: dict[int, Cells], batch: int) -> None:
    """`copy_journal` and the commit in one message: of a small batch the ways to the database are what it costs."""
    rows = ",".join(
        f"({seller},{shard},{number},{cells},'\\x{packed.hex()}','\\x{owed.hex()}')"
        for seller, shard, number, cells, packed, owed in _journal_rows(journals, spent, batch)
    )
    named = ", ".join(_JOURNAL_COLUMNS)
    cursor.execute(f"insert into metering_journal ({named}) values {rows}; commit")  # noqa: S608 - numbers and hexadecimal digits


def _journal_rows(
    journals: dict[int, Cells], spent: dict[int, Cells], batch: int
) -> Iterator[tuple[int, int, int, int, bytes, bytes]]:
    sellers = sorted(journals.keys() | spent.keys())
    cells = [journals.get(seller, Cells.empty()) for seller in sellers]
    owed = pack_all([spent.get(seller, Cells.empty()) for seller in sellers])
    for seller, part, packed, packed_owed in zip(sellers, cells, pack_all(cells), owed, strict=True):
        yield seller, batch % SHARDS, batch, len(part), packed, packed_owed


def find_keys(cursor: Cursor[Row], rows: EventRows) -> dict[tuple[int, int, bytes], tuple[int, int, int, int]]:
    """The billing fields (time, quantity, meter, attributes) of those keys that are stored already."""
    digits = rows.key.tobytes().hex()
    uuids = "{" + ",".join(digits[at : at + 32] for at in range(0, len(digits), 32)) + "}"
    # The table may have grown by millions of rows since it was last analysed: only the index will do.
    cursor.execute("set local enable_seqscan = off")
    cursor.execute("set local enable_hashjoin = off")
    cursor.execute("set local enable_mergejoin = off")
    cursor.execute(
        """
        select e.company_id, e.source_id, e.key, (extract(epoch from e.event_time) * 1000000)::bigint,
               e.quantity, e.meter_id, e.attributes_id
        from unnest(%s::int[], %s::int[], %s::uuid[]) as asked(company_id, source_id, key)
        join metering_event e using (company_id, source_id, key)
        """,
        [rows.company.tolist(), rows.source.tolist(), uuids],
    )
    return {
        (company, source, key.bytes): (time, quantity, meter, attributes)
        for company, source, key, time, quantity, meter, attributes in cursor.fetchall()
    }


def _layouts(rows: EventRows) -> Iterable[tuple[int, NDArray[np.int64]]]:
    """Events with the same number of stored amounts have rows of the same width."""
    stored = np.maximum(rows.edges, LEAST_AMOUNTS)
    if len(rows) and (stored == stored[0]).all():
        yield int(stored[0]), np.arange(len(rows))
        return
    for count in np.unique(stored):
        yield int(count), np.flatnonzero(stored == count)


def _binary_rows(rows: EventRows, batch: int, stored: int, places: NDArray[np.int64]) -> bytes:
    buffer = _fixed_part(rows, batch, min(stored, MOST_AMOUNTS), places)
    nulls = _NULL * (MOST_AMOUNTS - min(stored, MOST_AMOUNTS))
    if stored <= MOST_AMOUNTS and rows.texts is None:
        return _with_constant_tail(buffer, nulls + _NULL + _NULL)
    width = buffer.dtype.itemsize
    data = buffer.tobytes()
    fixed = (data[at : at + width] for at in range(0, len(data), width))
    tails = (
        nulls + _above(rows.amounts[MOST_AMOUNTS:stored, place]) + _text(rows.texts[place] if rows.texts else None)
        for place in places
    )
    return b"".join(itertools.chain.from_iterable(zip(fixed, tails, strict=True)))


def _fixed_part(rows: EventRows, batch: int, amounts: int, places: NDArray[np.int64]) -> NDArray[np.void]:
    """Every column up to the last amount that is not null, each behind its length."""
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    values: dict[str, tuple[int, NDArray[np.generic] | None]] = {}

    def add(name: str, code: str, width: int, column: NDArray[np.generic] | None) -> None:
        fields.extend([(f"{name}_length", ">i4"), (name, code)])
        values[name] = (width, column)

    batches = np.full(len(rows), batch, dtype=np.int64)
    eights = (rows.time - _POSTGRES_EPOCH, rows.quantity, batches, rows.amounts[0], rows.amounts[1])
    for name, column in zip(_EIGHT, eights, strict=True):
        add(name, ">i8", 8, column)
    add("key", "V16", 16, rows.key)
    for name, column in zip(_FOUR, (rows.company, rows.source, rows.chain, rows.rating, rows.attributes), strict=True):
        add(name, ">i4", 4, column)
    add("meter_id", ">i2", 2, rows.meter)
    for edge in range(LEAST_AMOUNTS, amounts):
        add(f"amount_{edge}", ">i8", 8, rows.amounts[edge])
    buffer = np.empty(len(places), dtype=fields)
    buffer["columns"] = len(_COLUMNS)
    for name, (width, column) in values.items():
        buffer[f"{name}_length"] = width
        buffer[name] = column[places] if column is not None else 0
    return buffer


def _with_constant_tail(buffer: NDArray[np.void], tail: bytes) -> bytes:
    rows = buffer.view(np.uint8).reshape(len(buffer), -1)
    ends = np.broadcast_to(np.frombuffer(tail, dtype=np.uint8), (len(buffer), len(tail)))
    return np.concatenate([rows, ends], axis=1).tobytes()


def _above(amounts: Ints) -> bytes:
    """Amounts of the fifth edge and above, as a one-dimensional bigint array; null where there is none."""
    if not len(amounts):
        return _NULL
    head = struct.pack(">iiiii", 1, 0, _INT8_OID, len(amounts), 1)
    body = b"".join(struct.pack(">iq", 8, int(amount)) for amount in amounts)
    return _LENGTH.pack(len(head) + len(body)) + head + body


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded
