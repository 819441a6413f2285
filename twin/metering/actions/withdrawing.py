"""Taking back an event that should never have been: on every edge, with its count; a new key brings the right one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from psycopg import Cursor

from twin.companies.recording import record_deed
from twin.companies.types import BILLING_WRITE, USAGE_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import Forbidden
from twin.kernel.tenancy import tenant_transaction
from twin.kernel.text import clean_text
from twin.metering.actions.pending import hold_corrections
from twin.metering.errors import EventUnknown
from twin.metering.rules.buckets import hour_of
from twin.metering.rules.cells import Cells, cells_of_rows
from twin.metering.rules.identity import key_of
from twin.metering.rules.spent import spent_of_edges
from twin.metering.store import copy_journal, next_batch, writer_connection
from twin.metering.types import Withdrawal

_LONGEST_REASON: Final = 500
Row = tuple[Any, ...]

_EVENT: Final = """
    select e.event_time, e.quantity, e.source_id, e.attributes_id, e.meter_id, c.sellers, r.rates,
           array[e.amount_0, e.amount_1, e.amount_2, e.amount_3] || e.amounts_above
    from metering_event e
    join metering_source s using (source_id)
    join metering_chain c using (chain_id)
    join metering_rating r using (rating_id)
    where e.company_id = %(company)s and s.name = %(source)s and e.key = %(key)s
"""
_LAST: Final = """
    select distinct on (pos) pos, kind, rate_id, amount from metering_correction
    where seller_id = any(%s) and event_time = %s and key = %s and company_id = %s and source_id = %s
    order by pos, correction_id desc
"""


@dataclass(frozen=True)
class _Edge:
    """One edge as it stands: rate 0 has no price."""

    pos: int
    seller: int
    buyer: int
    rate: int
    amount: int


@dataclass(frozen=True)
class _Event:
    company: int
    key: UUID
    time: datetime
    quantity: int
    source: int
    attributes: int
    meter: int
    edges: tuple[_Edge, ...]
    is_withdrawn: bool


def withdraw_event(scope: Scope, *, company_id: int, source: str, event_id: str, reason: str) -> Withdrawal:
    """Take back one event on all its edges: nobody owes anything for it and no total counts it any more.

    The row stays, and its id is used for ever: what was really used comes under a new id. Safe to repeat.
    Only the operator takes usage in, so only the operator takes it back. Raises `EventUnknown`.
    """
    scope.require(USAGE_WRITE)
    scope.require(BILLING_WRITE)
    if scope.kind != "platform":
        raise Forbidden("Only the platform takes usage back: it stands on the edges of every seller above.")
    why = clean_text(reason, field="The reason", longest=_LONGEST_REASON)
    with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
        hold_corrections(cursor)
        event = _event(cursor, company_id, source, event_id)
        if not event.is_withdrawn:
            # By another connection and before: said twice after a crash is better than taken back without a word.
            _note(scope, company_id, source, event_id, why)
            _record(cursor, event)
    return Withdrawal(company_id, source, event_id, len(event.edges), not event.is_withdrawn)


def _event(cursor: Cursor[Row], company_id: int, source: str, event_id: str) -> _Event:
    key = UUID(bytes=key_of(event_id))
    cursor.execute(_EVENT, {"company": company_id, "source": source, "key": key})
    row = cursor.fetchone()
    if row is None:
        raise EventUnknown(f"No event {event_id!r} of source {source!r} was taken for company {company_id}.")
    time, quantity, source_id, attributes, meter, sellers, rates, amounts = row
    cursor.execute(_LAST, [sellers, time, key, company_id, source_id])
    last = {found[0]: found[1:] for found in cursor.fetchall()}
    buyers = (company_id, *sellers)
    edges = tuple(
        _Edge(pos, seller, buyers[pos], *_standing(last.get(pos), rates[pos], amounts[pos]))
        for pos, seller in enumerate(sellers)
    )
    is_withdrawn = any(found[0] == "withdrawal" for found in last.values())
    return _Event(company_id, key, time, quantity, source_id, attributes, meter, edges, is_withdrawn)


def _standing(last: Any, rate: int, amount: int) -> tuple[int, int]:
    if last is None:
        return rate, amount
    kind, late_rate, late_amount = last
    return (late_rate, late_amount) if kind in ("priced", "rerated") else (0, 0)


def _record(cursor: Cursor[Row], event: _Event) -> None:
    """One correction per edge, minus one in the totals of every seller, nothing left to price."""
    batch = next_batch(cursor, clock.now())
    unrated = {edge.pos: -int(_lacks_price(event, edge.pos)) for edge in event.edges}
    cursor.executemany(
        """
        insert into metering_correction (event_time, batch, amount, quantity, key, seller_id, buyer_id, company_id,
            source_id, attributes_id, rate_id, meter_id, pos, seller_unrated, buyer_unrated, kind)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 'withdrawal')
        """,
        [
            (
                event.time, batch, -edge.amount, event.quantity, event.key, edge.seller, edge.buyer, event.company,
                event.source, event.attributes, edge.rate, event.meter, edge.pos, unrated[edge.pos],
            )
            for edge in event.edges
        ],
    )  # fmt: skip
    cursor.execute(
        "delete from metering_unrated where company_id = %s and source_id = %s and key = %s",
        [event.company, event.source, event.key],
    )
    spent = spent_of_edges((edge.seller, edge.buyer, -edge.amount) for edge in event.edges)
    copy_journal(cursor, _totals(event, unrated), spent, batch)


def _lacks_price(event: _Event, pos: int) -> bool:
    """Whether the seller there waits for a price of what it sells or of what it buys."""
    return any(not edge.rate for edge in event.edges[pos : pos + 2])


def _totals(event: _Event, unrated: dict[int, int]) -> dict[int, Cells]:
    keys = (hour_of(event.time), event.company, event.meter)
    bought = {edge.pos - 1: edge.amount for edge in event.edges}
    return {
        edge.seller: cells_of_rows(
            [(*keys, -1, -event.quantity, -bought.get(edge.pos, 0), -edge.amount, unrated[edge.pos])]
        )
        for edge in event.edges
    }


def _note(scope: Scope, company_id: int, source: str, event_id: str, reason: str) -> None:
    with tenant_transaction(scope.organisation_id):
        record_deed(
            scope, "event.withdrawn", company_id=company_id, source=source, event_id=event_id[:256], reason=reason
        )
