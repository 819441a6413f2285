"""The to-do of the books: what a seller has to mend before its figures are whole."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.companies import queries as companies
from twin.kernel import clock
from twin.metering import queries as metering
from twin.portal.books_page import BooksPage, conflict_row, unrated_row
from twin.portal.views.companies import seller_scope
from twin.portal.words import zone_of
from twin.pricing.queries import cards_of_buyers

MOST_SHOWN: Final = 200


@require_safe
@never_cache
@login_required
def books(request: HttpRequest) -> HttpResponse:
    """Usage without a price, events that contradict each other, companies without a card."""
    scope, zone = seller_scope(request), zone_of(request.user)
    own = scope.organisation_id
    groups = metering.unrated_groups(scope)
    found = metering.contradictions(scope, limit=MOST_SHOWN + 1)
    cards = cards_of_buyers(scope, clock.now())
    mine = [one for one in groups if one.seller_id == own]
    above = [one for one in groups if one.seller_id != own]
    ids = {one.buyer_id for one in mine} | {one.refused.company_id for one in found} | {own}
    names = companies.names_of(scope, ids)
    children = companies.children(scope, own)
    page = BooksPage(
        to_price=[
            unrated_row(one, names, cards[one.buyer_id].id if one.buyer_id in cards else None, own, zone)
            for one in mine[:MOST_SHOWN]
        ],
        with_seller=[unrated_row(one, names, None, own, zone) for one in above[:MOST_SHOWN]],
        conflicts=[conflict_row(one, names, zone) for one in found[:MOST_SHOWN]],
        without_card=[one for one in children if one.id not in cards and one.state != "closed"],
        more_to_price=len(mine) > MOST_SHOWN,
        more_conflicts=len(found) > MOST_SHOWN,
    )
    return render(request, "portal/books.html", {"page": page})
