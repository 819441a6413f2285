"""What the prices of now would change of charges that stand, and how it is written: a reversal, then a new charge.

Written in the commit order of usage, with the totals in the same transaction. Usage is counted
already: the cells have count 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from twin.metering.charged import Part, Side, attribute_sets, taken
from twin.metering.rules.buckets import EPOCH, HOUR_MICROSECONDS
from twin.metering.rules.cells import Cells, joined, summed
from twin.metering.rules.edge_prices import EdgePrices
from twin.metering.rules.spent import spent_by_seller
from twin.metering.store import copy_journal, copying, next_batch

Ints = NDArray[np.int64]
Row = tuple[Any, ...]

_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL = b"\xff\xff"
_POSTGRES_EPOCH = 946_684_800_000_000
_COLUMNS = (
    ("event_time", ">i8"), ("batch", ">i8"), ("amount", ">i8"), ("quantity", ">i8"), ("rerating_id", ">i8"),
    ("key", "V16"), ("seller_id", ">i4"), ("buyer_id", ">i4"), ("company_id", ">i4"), ("source_id", ">i4"),
    ("attributes_id", ">i4"), ("rate_id", ">i4"), ("meter_id", ">i2"), ("pos", ">i2"), ("seller_unrated", ">i2"),
    ("buyer_unrated", ">i2"),
)  # fmt: skip


@dataclass(frozen=True)
class Changes:
    """The charges of one side that the prices of now would change; a new rate of 0: there is no price any more."""

    part: Part
    side: Side
    rate: Ints
    amount: Ints

    def __len__(self) -> int:
        return len(self.part)


def changes_of(cursor: Cursor[Row], part: Part, prices: Mapping[int, EdgePrices]) -> list[Changes]:
    """Per side what is charged otherwise than the prices say; `prices` by seller.

    A charge stands whose rate has another number but the same terms, and one whose new amount could not be stored.
    """
    found = []
    for place, side in enumerate(part.sides):
        book = prices[side.seller_id]
        standing = taken(part, side.standing)
        _learn(cursor, book, standing.attributes)
        own = standing.sides[place]
        rate = book.rates_for(own.buyer, standing.meter, standing.attributes, standing.time)
        amount, too_large = book.amounts(rate, standing.quantity)
        changed = ~book.same_terms(own.rate, rate) & ~too_large
        left = taken(standing, changed)
        found.append(Changes(left, left.sides[place], rate[changed], amount[changed]))
    return found


def _learn(cursor: Cursor[Row], prices: EdgePrices, attributes: Ints) -> None:
    unknown = [number for number in np.unique(attributes).tolist() if not prices.knows(number)]
    if unknown:
        prices.learn(attribute_sets(cursor, unknown))


def record_changes(cursor: Cursor[Row], found: Sequence[Changes], *, rerating_id: int, now: datetime) -> None:
    """Write the corrections of one part, its totals and what has no price any more; in the caller's transaction.

    The caller holds the lock under which corrections are written.
    """
    changes = [one for one in found if len(one)]
    if not changes:
        return
    batch = next_batch(cursor, now)
    unrated = _Unrated(cursor, changes)
    journals: dict[int, list[Cells]] = {}
    for one in changes:
        seller_unrated, buyer_unrated = unrated.flags(one)
        _copy_corrections(cursor, one, batch, rerating_id, seller_unrated, buyer_unrated)
        _add_cells(journals, one, seller_unrated, buyer_unrated)
    unrated.record(cursor)
    totals = {seller: summed(joined(cells)) for seller, cells in journals.items()}
    copy_journal(cursor, totals, _spent(changes), batch)


def _copy_corrections(
    cursor: Cursor[Row],
    one: Changes,
    batch: int,
    rerating_id: int,
    seller_unrated: Ints,
    buyer_unrated: Ints,
) -> None:
    """In the order of time, each reversal before its new charge: rows and index grow where the last ones were put."""
    part, side = one.part, one.side
    nothing = np.zeros(len(part), dtype=np.int64)
    shared = {
        "event_time": part.time - _POSTGRES_EPOCH, "batch": nothing + batch,
        "quantity": part.quantity, "rerating_id": nothing + rerating_id, "key": part.key,
        "seller_id": nothing + side.seller_id, "buyer_id": side.buyer, "company_id": part.company,
        "source_id": part.source, "attributes_id": part.attributes, "meter_id": part.meter, "pos": nothing + side.pos,
    }  # fmt: skip
    reversal = {
        **shared, "amount": -side.amount, "rate_id": side.rate, "seller_unrated": seller_unrated,
        "buyer_unrated": buyer_unrated,
    }  # fmt: skip
    charge = {
        **shared, "amount": one.amount, "rate_id": one.rate, "seller_unrated": nothing, "buyer_unrated": nothing
    }  # fmt: skip
    names = [*(name for name, _ in _COLUMNS), "kind"]
    with copying(cursor, "metering_correction", names, "(format binary)") as copy:
        copy.write(_HEAD)
        copy.write(_paired(_binary(reversal, b"reversal"), _binary(charge, b"rerated"), one.rate != 0))
        copy.write(_TAIL)


def _spent(changes: Sequence[Changes]) -> dict[int, Cells]:
    """By how much more every buyer owes its seller."""
    columns = [(np.full(len(one), one.side.seller_id), one.side.buyer, one.amount - one.side.amount) for one in changes]
    sellers, buyers, amounts = (np.concatenate(column) for column in zip(*columns, strict=True))
    return spent_by_seller(sellers.astype(np.int64), buyers, amounts)


def _binary(columns: Mapping[str, Any], kind: bytes) -> NDArray[np.uint8]:
    """Rows of a binary COPY, one a line: each value behind its length."""
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for name, code in (*_COLUMNS, ("kind", f"S{len(kind)}")):
        fields += [(f"{name}_length", ">i4"), (name, code)]
    rows = np.empty(len(columns["key"]), dtype=fields)
    rows["columns"] = len(_COLUMNS) + 1
    for name, code in _COLUMNS:
        rows[f"{name}_length"] = np.dtype(code).itemsize
        rows[name] = columns[name]
    rows["kind_length"], rows["kind"] = len(kind), kind
    return rows.view(np.uint8).reshape(len(rows), rows.itemsize)


def _paired(first: NDArray[np.uint8], second: NDArray[np.uint8], has_second: NDArray[np.bool_]) -> bytes:
    """The rows in turns; where there is no second one the first alone."""
    both = np.concatenate([first, second], axis=1)
    if has_second.all():
        return both.tobytes()
    wanted = has_second[:, None] | (np.arange(both.shape[1]) < first.shape[1])
    some: bytes = both[wanted].tobytes()
    return some


def _add_cells(journals: dict[int, list[Cells]], one: Changes, seller_unrated: Ints, buyer_unrated: Ints) -> None:
    """What the change adds to the selling side of the seller and to the buying side of a buyer that resells."""
    part, side = one.part, one.side
    hour, nothing = part.time // HOUR_MICROSECONDS, np.zeros(len(part), dtype=np.int64)
    difference = one.amount - side.amount
    keys = (hour, part.company, part.meter, nothing, nothing)
    journals.setdefault(side.seller_id, []).append(Cells(*keys, nothing, difference, seller_unrated))
    if side.pos > 0:
        buyer = part.stretch.sellers[side.pos - 1]
        journals.setdefault(buyer, []).append(Cells(*keys, difference, nothing, buyer_unrated))


class _Unrated:
    """The edges that lose their price: they go back to the to-do list, and the totals of both parties say so."""

    def __init__(self, cursor: Cursor[Row], changes: Sequence[Changes]) -> None:
        self._rows: list[Row] = []
        self._open: dict[tuple[int, int, bytes], set[int]] = {}
        lost = [taken(one.part, one.rate == 0) for one in changes]
        for part in lost:
            self._open |= {identity: set() for identity in identities(part)}
        if self._open:
            self._learn_open(cursor)

    def _learn_open(self, cursor: Cursor[Row]) -> None:
        asked = list(self._open)
        cursor.execute(
            """
            select u.company_id, u.source_id, u.key, u.pos
            from unnest(%s::int[], %s::int[], %s::uuid[]) as asked(company_id, source_id, key)
            join metering_unrated u using (company_id, source_id, key)
            """,
            [[one[0] for one in asked], [one[1] for one in asked], [one[2].hex() for one in asked]],
        )
        for company, source, key, pos in cursor.fetchall():
            self._open[company, source, key.bytes].add(pos)

    def flags(self, one: Changes) -> tuple[Ints, Ints]:
        """By how much each party's count of events without a price rises; notes the edges as open."""
        seller, buyer = np.zeros(len(one), dtype=np.int64), np.zeros(len(one), dtype=np.int64)
        places = np.flatnonzero(one.rate == 0)
        if not len(places):
            return seller, buyer
        part, pos = one.part, one.side.pos
        every = identities(part)
        for place in places.tolist():
            open_edges = self._open[every[place]]
            seller[place] = pos + 1 not in open_edges
            buyer[place] = pos > 0 and pos - 1 not in open_edges
            open_edges.add(pos)
            self._rows.append(self._row(one, place, every[place]))
        return seller, buyer

    @staticmethod
    def _row(one: Changes, place: int, identity: tuple[int, int, bytes]) -> Row:
        part, side = one.part, one.side
        company, source, key = identity
        return (
            EPOCH + timedelta(microseconds=int(part.time[place])), int(part.quantity[place]), key.hex(), side.seller_id,
            int(side.buyer[place]), company, source, part.stretch.chain_id, int(part.attributes[place]),
            int(part.meter[place]), side.pos,
        )  # fmt: skip

    def record(self, cursor: Cursor[Row]) -> None:
        if self._rows:
            cursor.executemany(
                """
                insert into metering_unrated (event_time, quantity, key, seller_id, buyer_id, company_id, source_id,
                    chain_id, attributes_id, meter_id, pos)
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
                """,
                self._rows,
            )


def identities(part: Part) -> list[tuple[int, int, bytes]]:
    """Company, source and key of every event."""
    keys = part.key.tobytes()
    return [
        (company, source, keys[place * 16 : place * 16 + 16])
        for place, (company, source) in enumerate(zip(part.company.tolist(), part.source.tolist(), strict=True))
    ]
