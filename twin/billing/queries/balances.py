"""What all direct buyers of a seller owe it: a list to look through."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from twin.billing.queries.balance import CHARGED, COLUMNS, FIGURES, OF_BUYERS, Asked
from twin.billing.queries.settings import settings_of
from twin.billing.rules.balances import balance_in
from twin.billing.types import Balance, BalancePage, BuyerBalance
from twin.companies.queries import direct_buyers, get_company
from twin.companies.rules.ordering import ordered_by
from twin.companies.rules.tree import folded
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing
from twin.metering.queries.spent import spent_by_buyers

BALANCES_A_PAGE: Final = 50
BALANCE_STATES: Final = ("all", "owing", "overdue", "exhausted", "former")
_ORDERS: Final = {
    "id": ("buyer_id",),
    "name": (ordered_by("sought"), "sought", "buyer_id"),
    "booked": ("booked_minor", "buyer_id"),
    "unbilled": ("unbilled", "buyer_id"),
    "available": ("available", "buyer_id"),
    "limit": ("limit_minor", "buyer_id"),
    "open": ("open_minor", "buyer_id"),
    "overdue": ("overdue_minor", "buyer_id"),
}
BALANCE_ORDERS: Final = tuple(_ORDERS)
_IN_STATE: Final = {
    "all": "true",
    "owing": "booked_minor < 0",
    "overdue": "overdue_minor > 0",
    "exhausted": "available <= 0",
    "former": "not is_current",
}
_LISTED: Final = f"""
    with {CHARGED}, named as materialized (
        select distinct on (a.company_id) a.company_id as buyer_id, c.name, c.search_name as sought,
            a.end_at is null as is_current
        from companies_ancestry a join companies_company c on c.id = a.company_id
        where a.ancestor_id = %(seller)s and a.distance = 1
        order by a.company_id, a.start_at desc nulls last
    ), spent as (
        select buyer_id, coalesce(amount, 0) as amount from named left join charged using (buyer_id)
    ), {FIGURES}, owed as (
        select i.buyer_id, sum(i.gross_minor) as open_minor,
            coalesce(sum(i.gross_minor) filter (where i.due_on < %(today)s), 0) as overdue_minor
        from (
            select i.buyer_id, i.due_on, i.gross_minor + coalesce(c.credited, 0) - coalesce(a.paid, 0) as gross_minor
            from billing_invoice i
            left join (select corrects_id, sum(gross_minor) as credited from billing_invoice
                       where seller_id = %(seller)s and corrects_id is not null group by 1) c on c.corrects_id = i.id
            left join (select invoice_id, sum(amount_minor) as paid from billing_allocation
                       where seller_id = %(seller)s group by 1) a on a.invoice_id = i.id
            where i.seller_id = %(seller)s and i.kind = 'invoice' and i.gross_minor > 0
        ) i group by 1
    ), found as materialized (
        select b.*, n.name, n.sought, n.is_current, coalesce(o.open_minor, 0)::bigint as open_minor,
            coalesce(o.overdue_minor, 0)::bigint as overdue_minor
        from balances b join named n using (buyer_id) left join owed o using (buyer_id)
        where (n.is_current or b.booked_minor <> 0 or b.unbilled <> 0)
          and (%(whole)s = '' or n.sought like %(part)s or b.buyer_id::text = %(whole)s)
    )
"""  # noqa: S608 - constants only
_TOTALS: Final = f"""
    select {", ".join(f"count(*) filter (where {condition})" for condition in _IN_STATE.values())},
        coalesce(sum(booked_minor), 0)::bigint, coalesce(sum(unbilled), 0)::text from found
"""  # noqa: S608 - constants only
_FIGURES_TOTAL: Final = len(_IN_STATE) + 2


@dataclass(frozen=True, slots=True)
class BalancesAsked:
    """Which buyers are looked for; `search` is part of the name in any case or the whole id."""

    state: str = "all"
    search: str = ""
    sort: str = "name"
    offset: int = 0
    limit: int = BALANCES_A_PAGE


@scoped(snapshot=True)
def balances(scope: Scope, asked: BalancesAsked) -> BalancePage:
    """The direct buyers of the asking seller with their balances; former ones while something stands between them."""
    scope.require(BILLING_READ)
    question = _question(scope, None)
    given = question.parameters() | _sought(asked)
    with connection.cursor() as cursor:
        cursor.execute(_page(asked), given)
        rows = cursor.fetchall()
    *numbers, booked, unbilled = rows[0][:_FIGURES_TOTAL]
    # Totals come also where the page is empty; the last column is the place of a line.
    items = tuple(_listed(question, row[_FIGURES_TOTAL:-1]) for row in rows if row[-1] is not None)
    counts = dict(zip(_IN_STATE, numbers, strict=True))
    return BalancePage(items, counts[asked.state], counts, booked, int(unbilled), question.currency)


@scoped(snapshot=True)
def balances_of(scope: Scope, buyer_ids: Iterable[int]) -> dict[int, Balance]:
    """The balances of these direct buyers of the asking seller; others are left out."""
    scope.require(BILLING_READ)
    question = _question(scope, [one.company_id for one in direct_buyers(scope, only=buyer_ids)])
    with connection.cursor() as cursor:
        cursor.execute(OF_BUYERS, question.parameters())
        return {row[0]: balance_in(question.seller_id, question.currency, row) for row in cursor.fetchall()}


def _question(scope: Scope, buyer_ids: Collection[int] | None) -> Asked:
    currency = get_company(scope, scope.organisation_id).currency
    return Asked(scope.organisation_id, buyer_ids, spent_by_buyers(scope, only=buyer_ids), settings_of(scope), currency)


def _sought(asked: BalancesAsked) -> dict[str, Any]:
    text = asked.search.replace("\0", "")
    return {
        "whole": text,
        "part": containing(folded(text)),
        "today": clock.now().date(),
        "offset": asked.offset,
        "limit": asked.limit,
    }


def _page(asked: BalancesAsked) -> str:
    way = " desc" if asked.sort.startswith("-") else ""
    order = ", ".join(f"{column}{way} nulls last" for column in _ORDERS[asked.sort.removeprefix("-")])
    return f"""
        {_LISTED}, totals as ({_TOTALS}), page as (
            select {COLUMNS}, b.name, b.is_current, b.open_minor, b.overdue_minor,
                row_number() over (order by {order}) as place
            from found b where {_IN_STATE[asked.state]} order by place offset %(offset)s limit %(limit)s
        )
        select totals.*, page.* from totals left join page on true order by page.place
    """  # noqa: S608 - constants only


def _listed(question: Asked, row: Sequence[Any]) -> BuyerBalance:
    *figures, name, is_current, open_minor, overdue_minor = row
    found = balance_in(question.seller_id, question.currency, figures)
    return BuyerBalance(figures[0], name, is_current, found, open_minor, overdue_minor)
