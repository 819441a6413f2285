"""What stands charged on the edges of one seller, read in parts as columns; over the writer connection.

In the order of chain, time and identity, so that reading goes on where it ended. What stands is the
charge of the event itself or, where there are corrections, what the last of them left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Cursor

from twin.kernel.period import Period
from twin.metering.rules.buckets import EPOCH
from twin.metering.store import MOST_AMOUNTS

Ints = NDArray[np.int64]
Row = tuple[Any, ...]

# What a correction left on an edge; 0: there was none.
CHARGED, REVERSED, WITHDRAWN = 1, 2, 3
_POSTGRES_EPOCH = 946_684_800_000_000
_HEAD = 19
_TAIL = 2

_EVENT = (
    ("time", ">i8"), ("quantity", ">i8"), ("key", "V16"), ("company", ">i4"), ("source", ">i4"), ("attributes", ">i4"),
    ("meter", ">i2"),
)  # fmt: skip
_EDGE = (("amount", ">i8"), ("rate", ">i4"), ("corrected", ">i2"), ("late_amount", ">i8"), ("late_rate", ">i4"))

_LAST = """
    left join lateral (
        select c.amount, c.rate_id, case c.kind when 'reversal' then 2 when 'withdrawal' then 3 else 1 end as kind
        from metering_correction c
        where c.company_id = e.company_id and c.source_id = e.source_id and c.key = e.key and c.pos = {pos}
        order by c.correction_id desc limit 1
    ) last_{pos} on true
"""
_CORRECTED = "coalesce(last_{pos}.kind, 0)::int2, coalesce(last_{pos}.amount, 0)::int8, coalesce(last_{pos}.rate_id, 0)"
_UNCORRECTED = "0::int2, 0::int8, 0::int4"


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
    columns = _copied(cursor, *_question(cursor, asked, stretch, after, at_most), len(stretch.positions))
    following = None
    if len(columns["time"]) == at_most:
        last = {name: columns[name][-1] for name in ("time", "company", "source", "key")}
        following = Place(
            stretch.chain_id, int(last["time"]), int(last["company"]), int(last["source"]), last["key"].tobytes().hex()
        )
    return Part(
        stretch, columns["time"], columns["quantity"], columns["key"], columns["company"], columns["source"],
        columns["attributes"], columns["meter"],
        tuple(_side(columns, stretch, number) for number in range(len(stretch.positions))), following,
    )  # fmt: skip


def attribute_sets(cursor: Cursor[Row], numbers: Sequence[int]) -> dict[int, Mapping[str, str]]:
    """What these sets hold."""
    cursor.execute(
        "select attributes_id, body::json from metering_attributes where attributes_id = any(%s)", [list(numbers)]
    )
    return dict(cursor.fetchall())


def _question(
    cursor: Cursor[Row], asked: Asked, stretch: Stretch, after: Place | None, at_most: int
) -> tuple[str, dict[str, Any]]:
    is_corrected = _has_corrections(cursor, asked)
    conditions = ["e.chain_id = %(chain)s", "e.event_time >= %(start)s", "e.event_time < %(end)s"]
    parameters: dict[str, Any] = {
        "chain": stretch.chain_id, "start": asked.period.start, "end": asked.period.end, "most": at_most,
        "company": asked.company_id, "meters": list(asked.meters or ()),
    }  # fmt: skip
    if asked.company_id is not None:
        conditions.append("e.company_id = %(company)s")
    if asked.buyer_id is not None and stretch.pos == 0:
        parameters["buyer"] = asked.buyer_id
        conditions.append("e.company_id = %(buyer)s")
    if asked.meters is not None:
        conditions.append("e.meter_id = any(%(meters)s)")
    if after is not None and after.time is not None:
        parameters["start"] = EPOCH + timedelta(microseconds=after.time)
        parameters |= {"after_company": after.company, "after_source": after.source, "after_key": UUID(hex=after.key)}
        conditions.append(
            "(e.event_time, e.company_id, e.source_id, e.key)"
            " > (%(start)s, %(after_company)s, %(after_source)s, %(after_key)s)"
        )
    edges = ", ".join(_edge_columns(pos, is_corrected=is_corrected) for pos in stretch.positions)
    joins = "".join(_LAST.format(pos=pos) for pos in stretch.positions) if is_corrected else ""
    return (
        f"""
        copy (
            select e.event_time, e.quantity, e.key, e.company_id, e.source_id, e.attributes_id, e.meter_id, {edges}
            from metering_event e join metering_rating r using (rating_id) {joins}
            where {" and ".join(conditions)}
            order by e.event_time, e.company_id, e.source_id, e.key limit %(most)s
        ) to stdout (format binary)
        """,  # noqa: S608 - names of our own columns
        parameters,
    )


def _edge_columns(pos: int, *, is_corrected: bool) -> str:
    amount = f"e.amount_{pos}" if pos < MOST_AMOUNTS else f"e.amounts_above[{pos - MOST_AMOUNTS + 1}]"
    corrected = _CORRECTED.format(pos=pos) if is_corrected else _UNCORRECTED
    return f"coalesce({amount}, 0)::int8, coalesce(r.rates[{pos + 1}], 0)::int4, {corrected}"


def _has_corrections(cursor: Cursor[Row], asked: Asked) -> bool:
    """Without any, none need be looked for event by event."""
    cursor.execute(
        """
        select exists (select 1 from metering_correction
                       where seller_id = any(%s) and event_time >= %s and event_time < %s)
        """,
        [[asked.seller_id, asked.above_id or 0], asked.period.start, asked.period.end],
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def _copied(cursor: Cursor[Row], question: str, parameters: dict[str, Any], sides: int) -> dict[str, Any]:
    """The rows of a binary COPY as columns; every value has its full width, there are no nulls."""
    names = [*_EVENT, *((f"{name}_{side}", code) for side in range(sides) for name, code in _EDGE)]
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for name, code in names:
        fields += [(f"{name}_length", ">i4"), (name, code)]
    with cursor.copy(question, parameters) as copy:
        data = b"".join(copy)
    rows = np.frombuffer(data[_HEAD : len(data) - _TAIL], dtype=np.dtype(fields))
    columns: dict[str, Any] = {
        name: rows[name].copy() if code == "V16" else rows[name].astype(np.int64) for name, code in names
    }
    columns["time"] += _POSTGRES_EPOCH
    return columns


def _side(columns: Mapping[str, Any], stretch: Stretch, number: int) -> Side:
    pos = stretch.positions[number]
    corrected = columns[f"corrected_{number}"]
    late = corrected != 0
    rate = np.where(late, columns[f"late_rate_{number}"], columns[f"rate_{number}"])
    amount = np.where(late, columns[f"late_amount_{number}"], columns[f"amount_{number}"])
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
