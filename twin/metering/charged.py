"""What stands charged on the edges of one seller, read in parts as columns; over the writer connection.

In the order of chain, time and identity, so that reading goes on where it ended. What stands is the
charge of the event itself or, where there are corrections, what the last of them left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from twin.kernel.period import Period
from twin.kernel.slow_queries import BinaryCursor
from twin.metering.rules.buckets import EPOCH
from twin.metering.store import MOST_AMOUNTS

Ints = NDArray[np.int64]
Row = tuple[Any, ...]

# What a correction left on an edge; 0: there was none.
CHARGED, REVERSED, WITHDRAWN = 1, 2, 3
_POSTGRES_EPOCH = 946_684_800_000_000
# An array as PostgreSQL sends it: a head, then every element behind its length.
_ARRAY_HEAD = 20

_EVENT = (
    ("time", "e.event_time", ">i8"), ("quantity", "e.quantity", ">i8"), ("key", "e.key", "V16"),
    ("company", "e.company_id", ">i4"), ("source", "e.source_id", ">i4"), ("attributes", "e.attributes_id", ">i4"),
    ("meter", "e.meter_id", ">i2"), ("rating", "e.rating_id", ">i4"),
)  # fmt: skip

_LAST = """
    left join lateral (
        select c.amount, c.rate_id, case c.kind when 'reversal' then 2 when 'withdrawal' then 3 else 1 end as kind
        from metering_correction c
        where c.seller_id = {seller} and c.event_time = e.event_time and c.key = e.key
          and c.company_id = e.company_id and c.source_id = e.source_id and c.pos = {pos}
        order by c.correction_id desc limit 1
    ) last_{pos} on true
"""
_AFTER = (
    "({of}.event_time, {of}.company_id, {of}.source_id, {of}.key)"
    " > (%(start)s, %(after_company)s, %(after_source)s, %(after_key)s)"
)


@dataclass(frozen=True)
class Asked:
    """Which edges: of one seller, in a period of event time, of one buyer, company or of some meters."""

    seller_id: int
    period: Period
    above_id: int | None = None
    buyer_id: int | None = None
    company_id: int | None = None
    meters: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Stretch:
    """The events of one chain: where in it the seller stands, and whether the edge above is asked for too."""

    chain_id: int
    sellers: tuple[int, ...]
    pos: int
    with_above: bool

    @property
    def positions(self) -> tuple[int, ...]:
        return (self.pos, self.pos + 1) if self.with_above else (self.pos,)


@dataclass(frozen=True)
class Place:
    """Where reading goes on: after this event of this chain; without a time at the beginning of the chain."""

    chain_id: int
    time: int | None = None
    company: int = 0
    source: int = 0
    key: str = ""


@dataclass(frozen=True)
class Side:
    """One edge of the events of a part; `standing` is False where no price stands or the event was taken back."""

    pos: int
    seller_id: int
    buyer: Ints
    standing: NDArray[np.bool_]
    rate: Ints
    amount: Ints


@dataclass(frozen=True)
class Part:
    """Some events in order, with the edges that were asked for; `following` is None after the last of the chain."""

    stretch: Stretch
    time: Ints
    quantity: Ints
    key: NDArray[np.void]
    company: Ints
    source: Ints
    attributes: Ints
    meter: Ints
    sides: tuple[Side, ...]
    following: Place | None

    def __len__(self) -> int:
        return len(self.time)


def stretches_of(cursor: Cursor[Row], asked: Asked) -> list[Stretch]:
    """The chains in which the seller sells to whom is asked about."""
    cursor.execute(
        """
        select l.chain_id, c.sellers, l.pos, l.buyer_id
        from metering_chain_link l join metering_chain c using (chain_id)
        where l.seller_id = %s order by l.chain_id
        """,
        [asked.seller_id],
    )
    found = []
    for chain_id, sellers, pos, buyer in cursor.fetchall():
        if asked.buyer_id is None or buyer is None or buyer == asked.buyer_id:
            above = sellers[pos + 1] if pos + 1 < len(sellers) else None
            found.append(Stretch(chain_id, tuple(sellers), pos, above is not None and above == asked.above_id))
    return found


def read_part(cursor: Cursor[Row], asked: Asked, stretch: Stretch, after: Place | None, *, at_most: int) -> Part:
    """The next events of the chain after a place."""
    columns = _read(cursor, *_question(cursor, asked, stretch, after, at_most))
    rates = _rates_of(cursor, columns["rating"])
    following = None
    if len(columns["time"]) == at_most:
        last = {name: columns[name][-1] for name in ("time", "company", "source", "key")}
        following = Place(
            stretch.chain_id, int(last["time"]), int(last["company"]), int(last["source"]), last["key"].tobytes().hex()
        )
    return Part(
        stretch, columns["time"], columns["quantity"], columns["key"], columns["company"], columns["source"],
        columns["attributes"], columns["meter"],
        tuple(_side(columns, rates, stretch, pos) for pos in stretch.positions), following,
    )  # fmt: skip


def attribute_sets(cursor: Cursor[Row], numbers: Sequence[int]) -> dict[int, Mapping[str, str]]:
    """What these sets hold."""
    cursor.execute(
        "select attributes_id, body::json from metering_attributes where attributes_id = any(%s)", [list(numbers)]
    )
    return dict(cursor.fetchall())


def _question(
    cursor: Cursor[Row], asked: Asked, stretch: Stretch, after: Place | None, at_most: int
) -> tuple[str, dict[str, Any], list[tuple[str, str]]]:
    """The next events as one row of arrays: of many rows each would cost more here than in the database."""
    conditions = ["e.chain_id = %(chain)s", "e.event_time >= %(start)s", "e.event_time < %(end)s"]
    parameters: dict[str, Any] = {
        "chain": stretch.chain_id, "start": asked.period.start, "end": asked.period.end, "most": at_most,
        "company": asked.company_id, "buyer": asked.buyer_id, "meters": list(asked.meters or ()),
    }  # fmt: skip
    if asked.company_id is not None:
        conditions.append("e.company_id = %(company)s")
    if asked.buyer_id is not None and stretch.pos == 0:
        conditions.append("e.company_id = %(buyer)s")
    if asked.meters is not None:
        conditions.append("e.meter_id = any(%(meters)s)")
    if after is not None and after.time is not None:
        parameters |= _parameters_of(after)
        conditions.append(_AFTER.format(of="e"))
    sellers = {pos: stretch.sellers[pos] for pos in stretch.positions}
    is_corrected = _has_corrections(cursor, list(sellers.values()), after, parameters)
    columns = [*_EVENT, *(column for pos in sellers for column in _edge_columns(pos, is_corrected=is_corrected))]
    joins = "".join(_LAST.format(pos=pos, seller=int(seller)) for pos, seller in sellers.items())
    return (
        f"""
        select {", ".join(f"array_agg({name})" for name, _, _ in columns)} from (
            select {", ".join(f"{value} as {name}" for name, value, _ in columns)}
            from metering_event e {joins if is_corrected else ""}
            where {" and ".join(conditions)}
            order by e.event_time, e.company_id, e.source_id, e.key limit %(most)s
        ) part
        """,  # noqa: S608 - names of our own columns
        parameters,
        [(name, code) for name, _, code in columns],
    )


def _parameters_of(after: Place) -> dict[str, Any]:
    return {
        "start": EPOCH + timedelta(microseconds=after.time or 0), "after_company": after.company,
        "after_source": after.source, "after_key": UUID(hex=after.key),
    }  # fmt: skip


def _edge_columns(pos: int, *, is_corrected: bool) -> list[tuple[str, str, str]]:
    """Name, value and type; without corrections only the amount."""
    amount = f"e.amount_{pos}" if pos < MOST_AMOUNTS else f"e.amounts_above[{pos - MOST_AMOUNTS + 1}]"
    found = [(f"amount_{pos}", f"coalesce({amount}, 0)::int8", ">i8")]
    if is_corrected:
        found += [
            (f"corrected_{pos}", f"coalesce(last_{pos}.kind, 0)::int4", ">i4"),
            (f"late_amount_{pos}", f"coalesce(last_{pos}.amount, 0)::int8", ">i8"),
            (f"late_rate_{pos}", f"coalesce(last_{pos}.rate_id, 0)::int4", ">i4"),
        ]
    return found


def _has_corrections(
    cursor: Cursor[Row], sellers: Sequence[int], after: Place | None, parameters: Mapping[str, Any]
) -> bool:
    """Without any from here on, none need be looked for event by event."""
    behind = f"and {_AFTER.format(of='c')}" if after is not None and after.time is not None else ""
    cursor.execute(
        f"""
        select exists (select 1 from metering_correction c
                       where c.seller_id = any(%(sellers)s) and c.event_time >= %(start)s and c.event_time < %(end)s
                         {behind})
        """,  # noqa: S608 - constants only
        {**parameters, "sellers": list(sellers)},
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def _read(
    cursor: Cursor[Row], question: str, parameters: dict[str, Any], names: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """One row of arrays as columns; every element has its full width, there are no nulls."""
    columns: dict[str, Any] = {}
    # Cursors of Django's connection bind in the client and are sent text.
    with BinaryCursor(cursor.connection) as binary:
        binary.execute(question, parameters)
        for place, (name, code) in enumerate(names):
            sent = binary.pgresult.get_value(0, place) if binary.pgresult else None
            elements = np.frombuffer((sent or b"")[_ARRAY_HEAD:], dtype=[("length", ">i4"), ("value", code)])["value"]
            columns[name] = elements.copy() if code == "V16" else elements.astype(np.int64)
    columns["time"] += _POSTGRES_EPOCH
    return columns


def _rates_of(cursor: Cursor[Row], rating: Ints) -> Callable[[int], Ints]:
    """The rate of every event by edge, 0 where there was none."""
    numbers, place = np.unique(rating, return_inverse=True)
    cursor.execute("select rating_id, rates from metering_rating where rating_id = any(%s)", [numbers.tolist()])
    known: dict[int, list[int]] = {row[0]: row[1] for row in cursor.fetchall()}

    def at(pos: int) -> Ints:
        rates = [known[number][pos] if pos < len(known[number]) else 0 for number in numbers.tolist()]
        found: Ints = np.array(rates, dtype=np.int64)[place]
        return found

    return at


def _side(columns: Mapping[str, Any], rates: Callable[[int], Ints], stretch: Stretch, pos: int) -> Side:
    rate, amount = rates(pos), columns[f"amount_{pos}"]
    standing = rate != 0
    if f"corrected_{pos}" in columns:
        corrected = columns[f"corrected_{pos}"]
        rate = np.where(corrected != 0, columns[f"late_rate_{pos}"], rate)
        amount = np.where(corrected != 0, columns[f"late_amount_{pos}"], amount)
        standing = (rate != 0) & ((corrected == 0) | (corrected == CHARGED))
    company: Ints = columns["company"]
    buyer = company if pos == 0 else np.full(len(company), stretch.sellers[pos - 1], dtype=np.int64)
    return Side(pos, stretch.sellers[pos], buyer, standing, rate, amount)


def taken(part: Part, which: NDArray[np.bool_]) -> Part:
    """Only these events of the part."""
    sides = tuple(
        replace(
            side,
            buyer=side.buyer[which],
            standing=side.standing[which],
            rate=side.rate[which],
            amount=side.amount[which],
        )
        for side in part.sides
    )
    columns = ("time", "quantity", "key", "company", "source", "attributes", "meter")
    return replace(part, sides=sides, **{name: getattr(part, name)[which] for name in columns})
