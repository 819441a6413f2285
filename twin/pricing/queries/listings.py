"""Cards, rates and assignments as lists to look through: searched, counted and paged by the database."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, cast

from django.db import connections

from twin.companies import queries as companies
from twin.companies.rules.employees import letters_folding_into
from twin.companies.rules.ordering import ordered_by
from twin.companies.rules.tree import folded, is_searchable
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.pricing.queries.prices import get_card
from twin.pricing.types import (
    AssignmentSpan,
    CardDirectory,
    CompanyWithoutCard,
    ListedCard,
    ListedRate,
    Rate,
    RateCard,
    RateListing,
    RateState,
    SpanListing,
    SpanState,
    Terms,
    WithoutCardListing,
)

LISTED_A_PAGE: Final = 50
CARD_ORDERS: Final = ("name", "id", "buyers", "rates")
RATE_STATES: Final = ("all", "current", "planned", "past")
SPAN_STATES: Final = ("now", "planned", "past", "all")

_FOLDED: Final = "replace(translate(normalize({}, NFKC), %(letters)s, %(small)s), 'ß', 'ss') like %(part)s"
# The direct children of now; one that has not begun counts by its beginning.
_CHILDREN: Final = """
    child as (
        select c.id, c.name, c.search_name, c.state from companies_company c
        join companies_ancestry a on a.company_id = c.id and a.ancestor_id = %(organisation)s and a.distance = 1
            and (a.start_at is null or a.start_at <= greatest(%(at)s, c.existed_from))
            and (a.end_at is null or a.end_at > greatest(%(at)s, c.existed_from))
    )
"""
_HELD: Final = """
    held as (
        select distinct on (buyer_id) buyer_id, card_id from pricing_assignment
        where seller_id = %(organisation)s and effective_from <= %(at)s
        order by buyer_id, effective_from desc, id desc
    )
"""
_CARDS: Final = f"""
    with {_CHILDREN}, {_HELD}, buyers as (
        select card_id, count(*) as number from held join child on child.id = held.buyer_id group by card_id
    ), found as (
        select c.id, c.seller_id, c.name, c.is_default, coalesce(b.number, 0) as buyers,
            (select count(*) from pricing_rate r where r.card_id = c.id) as rates
        from pricing_ratecard c left join buyers b on b.card_id = c.id
        where c.seller_id = %(organisation)s
          and (%(whole)s = '' or {_FOLDED.format("c.name")} or c.id::text = %(whole)s)
    )
"""  # noqa: S608 - constants only
_STATED: Final = """
    with stated as (
        select r.id, r.card_id, r.meter_id, r.selector, r.effective_from, r.unit_price_nano, r.per, r.minimum,
            r.increment, r.setup_fee_nano,
            case when r.effective_from > %(at)s then 'planned'
                 when row_number() over (
                    partition by r.meter_id, r.selector, r.effective_from > %(at)s
                    order by r.effective_from desc, r.id desc) = 1 then 'current'
                 else 'past' end as state
        from {source} r where r.card_id = %(card)s
    ), found as (
        select * from stated where %(whole)s = '' or meter_id = any(%(meters)s) or exists (
            select 1 from jsonb_each_text(selector) item(name, value) where {matches})
    )
"""
_SPANS: Final = """
    with recorded as (
        select a.id, a.buyer_id, a.card_id, a.effective_from, a.recorded_at,
            lead(a.effective_from) over (partition by a.buyer_id order by a.effective_from, a.id) as until
        from pricing_assignment a
        where a.seller_id = %(organisation)s and (%(buyer)s::int is null or a.buyer_id = %(buyer)s)
    ), found as (
        select r.id, r.buyer_id, coalesce(b.name, '') as buyer, coalesce(b.search_name, '') as sorted, r.card_id,
            c.name as card, r.effective_from, r.until, r.recorded_at,
            case when r.until = r.effective_from then 'replaced' when r.effective_from > %(at)s then 'planned'
                 when r.until <= %(at)s then 'past' else 'now' end as state
        from recorded r join pricing_ratecard c on c.id = r.card_id left join companies_company b on b.id = r.buyer_id
        where (%(card)s::int is null or r.card_id = %(card)s)
          and (%(whole)s = '' or b.search_name like %(part)s or r.buyer_id::text = %(whole)s)
    )
"""
_WITHOUT: Final = f"""
    with {_CHILDREN}, found as (
        select c.id, c.name, c.search_name from child c
        where c.state <> 'closed' and not exists (
            select 1 from pricing_assignment a
            where a.seller_id = %(organisation)s and a.buyer_id = c.id and a.effective_from <= %(at)s)
          and (%(whole)s = '' or c.search_name like %(part)s or c.id::text = %(whole)s)
    )
"""  # noqa: S608 - constants only
_SHOWN: Final = ", shown as (select * from found where %(state)s in ('all', state))"


@scoped
def card_directory(
    scope: Scope, at: datetime, *, search: str = "", sort: str = "name", offset: int = 0, limit: int = LISTED_A_PAGE
) -> CardDirectory:
    """Cards of the asker with the number of children that pay by each at `at`, and of rates ever recorded.

    `search` is part of the name in any case or the whole id.
    """
    if not is_searchable(search):
        return CardDirectory((), 0)
    column = {"name": ordered_by("lower(name)")}.get(sort.removeprefix("-"), sort.removeprefix("-"))
    order = f"{column} desc" if sort.startswith("-") else column
    rows, total = _page(_CARDS, f"{order}, id", _asked(scope, at, search), offset, limit)
    return CardDirectory(tuple(ListedCard(RateCard(*row[:4]), row[4], row[5]) for row in rows), total)


@scoped
def rates_listed(
    scope: Scope,
    card_id: int,
    at: datetime,
    *,
    search: str = "",
    meters: Collection[int] = (),
    state: str = "all",
    offset: int = 0,
    limit: int = LISTED_A_PAGE,
) -> RateListing:
    """Rates of a card of the asker by meter, then attributes, then newest first, each with its state at `at`.

    `search` is part of an attribute, written `country=DE`; rates of `meters` fit it too.
    """
    card = get_card(scope, card_id)
    return _rates(scope, "pricing_rate", card.id, at, search, meters, state, offset, limit)


@scoped
def rates_paid(
    scope: Scope,
    at: datetime,
    *,
    search: str = "",
    meters: Collection[int] = (),
    state: str = "all",
    offset: int = 0,
    limit: int = LISTED_A_PAGE,
) -> RateListing:
    """The same of the card by which the asker pays its own parent at `at`; nothing where there is none."""
    parent_id = companies.get_company(scope, scope.organisation_id).parent_id
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select card_id from pricing_assignment where buyer_id = %s and seller_id = %s and effective_from <= %s"
            " order by effective_from desc, id desc limit 1",
            [scope.organisation_id, parent_id, at],
        )
        row = cursor.fetchone()
    card_id = row[0] if row else 0
    return _rates(scope, "pricing_rate_paid", card_id, at, search, meters, state, offset, limit)


def _rates(
    scope: Scope,
    source: str,
    card_id: int,
    at: datetime,
    search: str,
    meters: Collection[int],
    state: str,
    offset: int,
    limit: int,
) -> RateListing:
    if not is_searchable(search):
        return RateListing((), 0, dict.fromkeys(RATE_STATES, 0))
    asked = {**_asked(scope, at, search), "card": card_id, "meters": list(meters), "state": state}
    found = _STATED.format(source=source, matches=_FOLDED.format("name || '=' || value"))
    counts = _counts(found, asked, RATE_STATES)
    listed = found + _SHOWN
    order = "meter_id, selector, effective_from desc, id desc"
    rows, total = _page(listed, order, asked, offset, limit, of="shown")
    return RateListing(tuple(_listed_rate(row) for row in rows), total, counts)


@scoped
def buyers_of_card(
    scope: Scope,
    card_id: int,
    at: datetime,
    *,
    search: str = "",
    state: str = "now",
    offset: int = 0,
    limit: int = LISTED_A_PAGE,
) -> SpanListing:
    """Who pays, paid and will pay the asker by that card, by the company's name, newest first; also former children."""
    card = get_card(scope, card_id)
    if not is_searchable(search):
        return SpanListing((), 0, dict.fromkeys(SPAN_STATES, 0))
    asked = {**_asked(scope, at, search), "card": card.id, "buyer": None, "state": state}
    counts = _counts(_SPANS, asked, SPAN_STATES)
    shown = _SPANS + _SHOWN
    rows, total = _page(
        shown,
        f"{ordered_by('sorted')}, sorted, buyer_id, effective_from desc, id desc",
        asked,
        offset,
        limit,
        of="shown",
    )
    return SpanListing(tuple(_span(row) for row in rows), total, counts)


@scoped
def assignment_history(scope: Scope, buyer_id: int, at: datetime, *, limit: int = LISTED_A_PAGE) -> SpanListing:
    """By which cards of the asker that buyer pays, paid and will pay, the latest first."""
    asked = {**_asked(scope, at, ""), "card": None, "buyer": buyer_id}
    rows, total = _page(_SPANS, "effective_from desc, id desc", asked, 0, limit)
    return SpanListing(tuple(_span(row) for row in rows), total, {})


@scoped
def companies_without_card(
    scope: Scope, at: datetime, *, search: str = "", offset: int = 0, limit: int = LISTED_A_PAGE
) -> WithoutCardListing:
    """Direct children, not closed, that pay the asker by no card at `at`; by name."""
    if not is_searchable(search):
        return WithoutCardListing((), 0)
    rows, total = _page(
        _WITHOUT, f"{ordered_by('search_name')}, search_name, id", _asked(scope, at, search), offset, limit
    )
    return WithoutCardListing(tuple(CompanyWithoutCard(row[0], row[1]) for row in rows), total)


def _asked(scope: Scope, at: datetime, search: str) -> dict[str, Any]:
    part = folded(search)
    letters, small = letters_folding_into(part)
    escaped = part.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return {
        "organisation": scope.organisation_id,
        "at": at,
        "whole": search,
        "part": f"%{escaped}%",
        "letters": letters,
        "small": small,
    }


def _counts(found: str, asked: Mapping[str, Any], states: Collection[str]) -> dict[str, int]:
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{found} select state, count(*) from found group by state", asked)  # noqa: S608 - constants only
        counted = dict(cursor.fetchall())
    return {state: sum(counted.values()) if state == "all" else counted.get(state, 0) for state in states}


def _page(
    found: str, order: str, asked: Mapping[str, Any], offset: int, limit: int, *, of: str = "found"
) -> tuple[list[tuple[Any, ...]], int]:
    """One page of what was found, and how much that is."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{found} select count(*) from {of}", asked)  # noqa: S608 - constants only
        total = int(cursor.fetchone()[0])
        cursor.execute(
            f"{found} select * from {of} order by {order} offset %(offset)s limit %(limit)s",  # noqa: S608 - constants only
            {**asked, "offset": offset, "limit": limit},
        )
        return cursor.fetchall(), total


def _listed_rate(row: tuple[Any, ...]) -> ListedRate:
    rate_id, card_id, meter_id, selector, effective_from, *terms, state = row
    known = json.loads(selector) if isinstance(selector, str) else selector
    rate = Rate(rate_id, card_id, meter_id, tuple(sorted(known.items())), Terms(*terms), effective_from)
    return ListedRate(rate, cast(RateState, state))


def _span(row: tuple[Any, ...]) -> AssignmentSpan:
    span_id, buyer_id, buyer, _sorted, card_id, card, start, end, recorded_at, state = row
    return AssignmentSpan(span_id, buyer_id, buyer, card_id, card, start, end, recorded_at, cast(SpanState, state))
