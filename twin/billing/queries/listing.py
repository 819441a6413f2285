"""Statements to look through: those the organisation made and those made for it, and what is not closed yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from django.db import connection

from twin.billing.queries.pairs import NextStatement, next_statements
from twin.billing.types import HeldBy, StatementState
from twin.companies.queries import MAX_ID, DirectBuyer, direct_buyers
from twin.companies.rules.ordering import ordered_by, place_of
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing
from twin.metering.queries.spent import spent_by_buyers

StatementSide = Literal["received", "issued"]
STATEMENTS_A_PAGE: Final = 50
STATEMENT_STATES: Final = ("all", "closed", "waiting")
_BY_NAME: Final = ordered_by("c.search_name")
_ORDERS: Final = {
    "month": f"s.month {{way}}, {_BY_NAME}, c.search_name, s.starts_at {{way}}, s.id",
    "name": f"{_BY_NAME} {{way}}, c.search_name {{way}}, s.starts_at desc, s.id desc",
    "amount": "s.amount {way} nulls last, s.id {way}",
    "closed": "s.closed_at {way} nulls first, s.id {way}",
}
STATEMENT_ORDERS: Final = tuple(_ORDERS)
_IN_STATE: Final = {"all": "true", "closed": "s.state = 'closed'", "waiting": "s.state = 'closing'"}
# Of what its sellers are called a buyer's own rights tell nothing: the page asks elsewhere.
_FROM: Final = """
    from billing_statement s left join companies_company c on c.id = s.buyer_id
    where s.{own} = %(organisation)s
      and (%(search)s = '' or c.search_name like %(part)s or s.buyer_id::text = %(search)s)
"""


@dataclass(frozen=True, slots=True)
class StatementsAsked:
    """Which statements are looked for; `search` is part of the buyer's name or its whole id."""

    side: StatementSide = "issued"
    state: str = "all"
    search: str = ""
    sort: str = "-month"
    offset: int = 0
    limit: int = STATEMENTS_A_PAGE


@dataclass(frozen=True, slots=True)
class ListedStatement:
    """A stored statement without its lines; `late` is how much of `amount` belongs to earlier months."""

    id: int
    seller_id: int
    buyer_id: int
    buyer: str
    month: date
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    currency: str
    state: StatementState
    held: HeldBy
    amount: int | None
    late: int
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class StatementPage:
    """One page; of all that were looked for, how many there are in each state."""

    items: tuple[ListedStatement, ...]
    total: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """What a buyer owes that stands in no closed statement, and the span that will be closed next."""

    following: NextStatement
    amount: int


@dataclass(frozen=True, slots=True)
class OpenMonths:
    """Some of them; how many there are."""

    items: tuple[OpenMonth, ...]
    total: int


@scoped(snapshot=True)
def statements(scope: Scope, asked: StatementsAsked) -> StatementPage:
    """A page of stored statements of one side. Months that run are `open_months` and `open_statements`."""
    scope.require(BILLING_READ)
    if not is_searchable(asked.search):
        return StatementPage((), 0, dict.fromkeys(STATEMENT_STATES, 0))
    given = _given(scope, asked)
    source = _FROM.format(own="seller_id" if asked.side == "issued" else "buyer_id")
    way = "desc" if asked.sort.startswith("-") else "asc"
    order = _ORDERS[asked.sort.removeprefix("-")].format(way=way)
    counted = ", ".join(f"count(*) filter (where {_IN_STATE[state]})" for state in STATEMENT_STATES)
    with connection.cursor() as cursor:
        cursor.execute(f"select {counted} {source}", given)
        counts = dict(zip(STATEMENT_STATES, cursor.fetchone(), strict=True))
        cursor.execute(
            "select s.id, s.seller_id, s.buyer_id, coalesce(c.name, ''), s.month, s.starts_at, s.ends_at,"  # noqa: S608 - constants only
            " s.time_zone, s.currency, s.state, s.held, s.amount::text,"
            " (select coalesce(sum(l.amount), 0)::text from billing_line l"
            "  where l.statement_id = s.id and l.kind = 'late'), s.closed_at"
            f" {source} and {_IN_STATE[asked.state]} order by {order} limit %(limit)s offset %(offset)s",
            given,
        )
        items = tuple(_listed(row) for row in cursor.fetchall())
    return StatementPage(items, counts[asked.state], counts)


@scoped(snapshot=True)
def open_months(scope: Scope, *, search: str = "", offset: int = 0, limit: int | None = None) -> OpenMonths:
    """What each buyer of the organisation owes beyond its closed statements, by name; from the totals, so it is quick.

    Of buyers that left only those that owe something. The span is looked for of those alone that are on the page.
    """
    scope.require(BILLING_READ)
    if not is_searchable(search):
        return OpenMonths((), 0)
    now, part = clock.now(), folded(search)
    named = sorted((place_of(one.name), one.company_id, one) for one in direct_buyers(scope))
    found = [one for (_, name), buyer, one in named if part in name or search == str(buyer)]
    left = _open_spans(scope, [one.company_id for one in found if not _runs(one, now)], now)
    kept = [one.company_id for one in found if _runs(one, now) or one.company_id in left]
    shown = kept[offset : None if limit is None else offset + limit]
    months = _open_spans(scope, shown, now)
    return OpenMonths(tuple(months[one] for one in shown if one in months), len(kept))


def _runs(buyer: DirectBuyer, now: datetime) -> bool:
    """It buys and always did since it came: some span of it is open, whatever it owes."""
    [*before, last] = buyer.stays
    return not before and last.end is None and (last.start is None or last.start <= now)


def _open_spans(scope: Scope, buyer_ids: Collection[int], now: datetime) -> dict[int, OpenMonth]:
    if not buyer_ids:
        return {}
    owed = unstated(scope, only=buyer_ids)
    found = (OpenMonth(one, owed.get(one.buyer.company_id, 0)) for one in next_statements(scope, now, only=buyer_ids))
    return {one.following.buyer.company_id: one for one in found if one.amount or not one.following.span.is_tail}


@scoped(snapshot=True)
def unstated(scope: Scope, *, only: Collection[int] | None = None) -> dict[int, int]:
    """What each buyer (or those named) was charged that stands in no closed statement, from the totals.

    Who owes nothing is left out.
    """
    stated = _stated(scope, only)
    owed = {buyer: spent - stated.get(buyer, 0) for buyer, spent in spent_by_buyers(scope, only=only).items()}
    return {buyer: amount for buyer, amount in owed.items() if amount}


def _stated(scope: Scope, only: Collection[int] | None) -> dict[int, int]:
    """What stands in the closed statements of each buyer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select buyer_id, sum(amount)::text from billing_statement"
            " where seller_id = %(seller)s and state = 'closed'"
            " and (%(only)s::int[] is null or buyer_id = any(%(only)s)) group by buyer_id",
            {"seller": scope.organisation_id, "only": None if only is None else list(only)},
        )
        return {buyer: int(amount) for buyer, amount in cursor.fetchall()}


def _given(scope: Scope, asked: StatementsAsked) -> dict[str, Any]:
    is_id = asked.search.isascii() and asked.search.isdigit() and int(asked.search[:12]) <= MAX_ID
    return {
        "organisation": scope.organisation_id,
        "search": asked.search,
        "part": containing(folded(asked.search)),
        "id": int(asked.search) if is_id else None,
        "limit": asked.limit,
        "offset": asked.offset,
    }


def _listed(row: tuple[Any, ...]) -> ListedStatement:
    return ListedStatement(
        id=row[0],
        seller_id=row[1],
        buyer_id=row[2],
        buyer=row[3],
        month=row[4],
        starts_at=row[5],
        ends_at=row[6],
        time_zone=row[7],
        currency=row[8],
        state=row[9],
        held=row[10],
        amount=None if row[11] is None else int(row[11]),
        late=int(row[12]),
        closed_at=row[13],
    )
