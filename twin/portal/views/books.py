"""The to-do of the books: what a seller has to mend before its figures are whole."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import queries as companies
from twin.companies.types import Scope
from twin.kernel import clock
from twin.metering import queries as metering
from twin.metering.types import ContradictionListing, OpenListing
from twin.portal.books_page import BooksAsked, BooksPage, conflict_row, unrated_row
from twin.portal.prices_lists import meters_named
from twin.portal.views.companies import seller_scope
from twin.portal.words import zone_of
from twin.pricing import queries as pricing
from twin.pricing.types import WithoutCardListing


@require_safe
@never_cache
@login_required
def books(request: HttpRequest) -> HttpResponse:
    """Usage without a price, events that contradict each other, companies without a card; searched and paged."""
    scope, zone = seller_scope(request), zone_of(request.user)
    asked = BooksAsked.read(request.GET.dict())
    mine, above = _open_edges(scope, asked, "unrated"), _open_edges(scope, asked, "above")
    found, cardless = _contradictions(scope, asked), _without_card(scope, asked)
    ids = {one.group.buyer_id for one in mine.items} | {one.refused.company_id for one in found.items}
    names = companies.names_of(scope, ids | {scope.organisation_id})
    own = scope.organisation_id
    page = BooksPage(
        asked=asked,
        to_price=[unrated_row(one, names, own, zone) for one in mine.items] if asked.shows("unrated") else [],
        with_seller=[unrated_row(one, names, own, zone) for one in above.items] if asked.shows("above") else [],
        conflicts=[conflict_row(one, names, zone) for one in found.items] if asked.shows("conflicts") else [],
        without_card=cardless.items if asked.shows("cardless") else [],
        totals={
            "unrated": mine.total,
            "above": above.total,
            "cardless": cardless.total,
            "conflicts": found.total,
        },
    )
    if page.pager is not None and page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/books.html", {"page": page})


def _open_edges(scope: Scope, asked: BooksAsked, name: str) -> OpenListing:
    return metering.open_edges(
        scope,
        "own" if name == "unrated" else "above",
        search=asked.search,
        meters=meters_named(asked.search),
        offset=asked.offset_of(name),
        limit=asked.limit,
    )


def _contradictions(scope: Scope, asked: BooksAsked) -> ContradictionListing:
    return metering.contradictions(scope, search=asked.search, offset=asked.offset_of("conflicts"), limit=asked.limit)


def _without_card(scope: Scope, asked: BooksAsked) -> WithoutCardListing:
    return pricing.companies_without_card(
        scope, clock.now(), search=asked.search, offset=asked.offset_of("cardless"), limit=asked.limit
    )
