"""Pricing what had no price when it was taken: a correction row per edge, in commit order like usage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from psycopg import Cursor

from twin.kernel import clock
from twin.kernel.money import MAX_NANO
from twin.metering.catalogue import Catalogue
from twin.metering.current import held_catalogue
from twin.metering.rules.buckets import hour_of
from twin.metering.rules.cells import Cells, cells_of_rows, summed
from twin.metering.rules.spent import spent_of_edges
from twin.metering.store import copy_journal, next_batch, writer_connection
from twin.metering.types import Priced
from twin.pricing.rules.charge import charge_nano
from twin.pricing.types import Rate

AT_ONCE = 10_000
# Two prices for one event found at the same time would each count it as still unrated; a charge that is
# priced and corrected at the same time would be charged twice.
_PENDING_LOCK = 0x50656E64696E6701
_ROWS_A_LOOK = 10_000
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)

Row = tuple[Any, ...]

# Of a long list most edges may lack a price for ever: only those are fetched for which the pair's
# card of that instant has a fitting rate. Which rate wins is decided by `pricing.rules` alone.
_PRICEABLE = """
    from metering_unrated u
    join metering_attributes a using (attributes_id)
    cross join lateral (
        select s.card_id from pricing_assignment s
        where s.seller_id = u.seller_id and s.buyer_id = u.buyer_id and s.effective_from <= u.event_time
        order by s.effective_from desc, s.id desc limit 1
    ) agreed
    where u.seller_id = %s
      and (u.event_time, u.company_id, u.source_id, u.key, u.pos) > (%s, %s, %s, %s, %s)
      and exists (
        select 1 from pricing_rate r
        where r.card_id = agreed.card_id and r.meter_id = u.meter_id and r.effective_from <= u.event_time
          and a.body::jsonb @> r.selector
      )
"""


@dataclass(frozen=True)
class _Open:
    """One edge without a price."""

    event_time: datetime
    quantity: int
    key: UUID
    seller_id: int
    buyer_id: int
    company_id: int
    source_id: int
    attributes_id: int
    meter_id: int
    pos: int
    attributes: dict[str, str]

    @property
    def event(self) -> tuple[int, int, UUID]:
        return self.company_id, self.source_id, self.key

    @property
    def place(self) -> tuple[datetime, int, int, UUID, int]:
        return self.event_time, self.company_id, self.source_id, self.key, self.pos


@dataclass(frozen=True)
class _Found:
    open: _Open
    rate: Rate
    amount: int


def price_pending(seller_id: int, *, at_most: int = AT_ONCE, count_rest: bool = True) -> Priced:
    """Charge the seller's edges that have a price by now, oldest first, up to `at_most`.

    `pending` counts those that have a price and were left to a job. Safe to repeat and to
    interrupt: each step is one transaction that holds correction, totals and the to-do row.
    """
    priced = 0
    after: _Open | None = None
    while priced < at_most:
        step, after = _price_step(seller_id, after, at_most - priced)
        priced += step
        if after is None:
            return Priced(priced, 0)
    return Priced(priced, _count_priceable(seller_id, after) if count_rest else 0)


def price_everything_pending(sellers: Iterable[int] | None = None) -> int:
    """Price whatever can be priced; the job behind "pending"."""
    total = 0
    for seller in _sellers_with_open_edges() if sellers is None else sellers:
        total += price_pending(seller, at_most=2**62, count_rest=False).priced
    return total


def _price_step(seller_id: int, after: _Open | None, at_most: int) -> tuple[int, _Open | None]:
    """Look at the next open edges; returns how many were priced and where to go on."""
    with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
        catalogue = held_catalogue()
        hold_corrections(cursor)
        looked = list(_open_edges(cursor, seller_id, after))
        found = []
        last: _Open | None = None
        for last in looked:
            rate, amount = _price_of(catalogue, last)
            if rate is not None:
                found.append(_Found(last, rate, amount))
                if len(found) == at_most:
                    break
        if found:
            _record(cursor, found)
        reached_end = len(looked) < _ROWS_A_LOOK and (not looked or last is looked[-1])
        return len(found), None if reached_end else last


def hold_corrections(cursor: Cursor[Row]) -> None:
    """Be the only one who corrects charges until the transaction ends; to be taken before the number."""
    cursor.execute("select pg_advisory_xact_lock(%s)", [_PENDING_LOCK])


def _open_edges(cursor: Cursor[Row], seller_id: int, after: _Open | None) -> Iterator[_Open]:
    cursor.execute(
        f"""
        select u.event_time, u.quantity, u.key, u.seller_id, u.buyer_id, u.company_id, u.source_id,
               u.attributes_id, u.meter_id, u.pos, a.body::json
        {_PRICEABLE}
        order by u.event_time, u.company_id, u.source_id, u.key, u.pos
        limit %s
        """,
        [*_place_after(seller_id, after), _ROWS_A_LOOK],
    )
    for row in cursor.fetchall():
        yield _Open(*row)


def _place_after(seller_id: int, after: _Open | None) -> tuple[Any, ...]:
    return (seller_id, *(after.place if after else (_BEFORE_ALL, 0, 0, UUID(int=0), 0)))


def _price_of(catalogue: Catalogue, edge: _Open) -> tuple[Rate | None, int]:
    rate = catalogue.rate_at(edge.seller_id, edge.buyer_id, edge.meter_id, edge.attributes, edge.event_time)
    amount = charge_nano(rate.terms, edge.quantity) if rate else 0
    # An amount that cannot be stored stays on the to-do list, where a mended rate finds it.
    return (None, 0) if amount > MAX_NANO else (rate, amount)


def _count_priceable(seller_id: int, after: _Open | None) -> int:
    with writer_connection().cursor() as cursor:
        cursor.execute(f"select count(*) {_PRICEABLE}", _place_after(seller_id, after))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _record(cursor: Cursor[Row], found: list[_Found]) -> None:
    batch = next_batch(cursor, clock.now())
    still_open = _other_open_edges(cursor, found)
    rows, journals = [], []
    for item in found:
        edge = item.open
        others = still_open[edge.event]
        others.discard(edge.pos)
        # As seller it waits for the edge above, as the buyer's books see it for the edge below.
        seller_done = -int(edge.pos + 1 not in others)
        buyer_done = -int(edge.pos > 0 and edge.pos - 1 not in others)
        rows.append(_correction_row(item, batch, seller_done, buyer_done))
        journals.append((edge.seller_id, edge, 0, item.amount, seller_done))
        if edge.pos > 0:
            journals.append((edge.buyer_id, edge, item.amount, 0, buyer_done))
    _insert_corrections(cursor, rows)
    spent = spent_of_edges((item.open.seller_id, item.open.buyer_id, item.amount) for item in found)
    copy_journal(cursor, _cells_by_seller(journals), spent, batch)
    cursor.executemany(
        "delete from metering_unrated where company_id = %s and source_id = %s and key = %s and pos = %s",
        [(*item.open.event, item.open.pos) for item in found],
    )


def _other_open_edges(cursor: Cursor[Row], found: list[_Found]) -> dict[tuple[int, int, UUID], set[int]]:
    """All open edges of the events concerned, whoever sells them."""
    edges: dict[tuple[int, int, UUID], set[int]] = {item.open.event: set() for item in found}
    events = list(edges)
    cursor.execute(
        """
        select u.company_id, u.source_id, u.key, u.pos
        from unnest(%s::int[], %s::int[], %s::uuid[]) as asked(company_id, source_id, key)
        join metering_unrated u using (company_id, source_id, key)
        """,
        [[event[0] for event in events], [event[1] for event in events], [event[2] for event in events]],
    )
    for company, source, key, pos in cursor.fetchall():
        edges[company, source, key].add(pos)
    return edges


def _correction_row(item: _Found, batch: int, seller_done: int, buyer_done: int) -> Row:
    edge = item.open
    return (
        edge.event_time, batch, item.amount, edge.key, edge.seller_id, edge.buyer_id,
        edge.company_id, edge.source_id, edge.attributes_id, item.rate.id, edge.meter_id, edge.pos,
        seller_done, buyer_done, edge.quantity,
    )  # fmt: skip


def _insert_corrections(cursor: Cursor[Row], rows: list[Row]) -> None:
    cursor.executemany(
        """
        insert into metering_correction (event_time, batch, amount, key, seller_id, buyer_id, company_id, source_id,
            attributes_id, rate_id, meter_id, pos, seller_unrated, buyer_unrated, quantity, kind)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'priced')
        """,
        rows,
    )


def _cells_by_seller(entries: list[tuple[int, _Open, int, int, int]]) -> dict[int, Cells]:
    """Cells of count 0: the usage is counted already, only money and the to-do change."""
    by_seller: dict[int, list[tuple[int, ...]]] = {}
    for seller, edge, buy, sell, unrated in entries:
        by_seller.setdefault(seller, []).append(
            (hour_of(edge.event_time), edge.company_id, edge.meter_id, 0, 0, buy, sell, unrated)
        )
    return {seller: summed(cells_of_rows(rows)) for seller, rows in by_seller.items()}


def _sellers_with_open_edges() -> list[int]:
    with connections["writer"].cursor() as cursor:
        cursor.execute("select distinct seller_id from metering_unrated order by 1")
        return [row[0] for row in cursor.fetchall()]
