"""Reads of cards, rates and assignments; a seller sees its own, nobody sees another's."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connections, transaction

from twin.companies import queries as companies
from twin.companies.types import Scope
from twin.kernel.errors import Forbidden
from twin.kernel.tenancy import scoped
from twin.pricing.errors import RateCardNotFound
from twin.pricing.models import AssignmentRow, RateCardRow, RateRow
from twin.pricing.rules.winning import assignment_at as holding_at
from twin.pricing.types import Assignment, CardInUse, PriceBook, PricesInForce, Rate, RateCard, Selector, Terms

HIGHEST_ID = 2**31 - 1

# By hand, because a change of prices makes every process read the whole book again.
_EVERY_ASSIGNMENT = """
    select id, seller_id, buyer_id, card_id, effective_from from pricing_assignment order by effective_from, id
"""
_EVERY_RATE = """
    select id, card_id, meter_id, selector::text, effective_from,
           unit_price_nano, per, minimum, increment, setup_fee_nano
    from pricing_rate order by effective_from, id
"""

_CARDS_AT = """
    select card_id, array_agg(buyer_id order by buyer_id) from (
        select distinct on (buyer_id) buyer_id, card_id from pricing_assignment
        where seller_id = %(seller)s and effective_from <= %(at)s order by buyer_id, effective_from desc, id desc
    ) held group by card_id
"""
_BEGUN_AT = """
    select id, card_id, meter_id, selector::text, effective_from,
           unit_price_nano, per, minimum, increment, setup_fee_nano
    from pricing_rate where seller_id = %(seller)s and card_id = any(%(cards)s) and effective_from <= %(at)s
    order by meter_id, effective_from, id
"""
_PAID_AT = """
    select id, card_id, meter_id, selector::text, effective_from,
           unit_price_nano, per, minimum, increment, setup_fee_nano
    from pricing_rate_paid
    where effective_from <= %(at)s and card_id = (
        select card_id from pricing_assignment
        where buyer_id = %(buyer)s and seller_id = %(seller)s and effective_from <= %(at)s
        order by effective_from desc, id desc limit 1)
    order by meter_id, effective_from, id
"""


@scoped
def list_cards(scope: Scope) -> list[RateCard]:
    """Every card of the asker's own organisation, oldest first."""
    return [_card(row) for row in RateCardRow.objects.filter(seller_id=scope.organisation_id).order_by("id")]


@scoped
def get_card(scope: Scope, card_id: int) -> RateCard:
    """One card of the asker; raises `RateCardNotFound` also for cards of others."""
    row = None
    if 0 < card_id <= HIGHEST_ID:
        row = RateCardRow.objects.filter(seller_id=scope.organisation_id, id=card_id).first()
    if row is None:
        raise RateCardNotFound(f"There is no rate card {card_id} of yours; GET /api/v1/rate-cards lists them.")
    return _card(row)


@scoped
def default_card(scope: Scope) -> RateCard | None:
    """The card that new children of the asker start with."""
    row = RateCardRow.objects.filter(seller_id=scope.organisation_id, is_default=True).first()
    return _card(row) if row else None


@scoped
def rates_of(scope: Scope, card_id: int) -> list[Rate]:
    """Every rate ever recorded on a card of the asker, by meter, then `effective_from`, then record."""
    card = get_card(scope, card_id)
    rows = RateRow.objects.filter(seller_id=scope.organisation_id, card_id=card.id)
    return [_rate(row) for row in rows.order_by("meter_id", "effective_from", "id")]


@scoped
def assignments_of(scope: Scope, buyer_id: int) -> list[Assignment]:
    """What was agreed between the asker as seller and that buyer, by (effective_from, id)."""
    rows = AssignmentRow.objects.filter(seller_id=scope.organisation_id, buyer_id=buyer_id)
    return [_assignment(row) for row in rows.order_by("effective_from", "id")]


@scoped
def assignment_at(scope: Scope, buyer_id: int, at: datetime) -> Assignment | None:
    """By which card the buyer pays the asker at that instant; None when by none.

    None also where the asker is not the buyer's seller then, so that nothing of an edge
    below is told. A company out of sight is not found, except to its seller of that instant.
    """
    if not companies.was_parent_at(scope, buyer_id, at):
        companies.get_company(scope, buyer_id)
        return None
    return holding_at(assignments_of(scope, buyer_id), at)


@scoped
def cards_of_buyers(scope: Scope, at: datetime) -> dict[int, RateCard]:
    """By which card of the asker each of its buyers pays at that instant, by the buyer's id; also former ones."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_CARDS_AT, {"seller": scope.organisation_id, "at": at})
        buyers = cursor.fetchall()
    cards = {card.id: card for card in list_cards(scope)}
    return {buyer: cards[card_id] for card_id, held in buyers for buyer in held}


@scoped
def prices_in_force(scope: Scope, at: datetime) -> PricesInForce:
    """By which cards the asker's buyers pay at that instant, and by which rates the asker itself pays its parent.

    Buyers are those who have an assignment of the asker, also former ones: the tree says who still is.
    """
    parent_id = companies.get_company(scope, scope.organisation_id).parent_id
    with connections["default"].cursor() as cursor:
        cursor.execute(_CARDS_AT, {"seller": scope.organisation_id, "at": at})
        buyers = dict(cursor.fetchall())
        cursor.execute(_PAID_AT, {"buyer": scope.organisation_id, "seller": parent_id, "at": at})
        paid = tuple(_rate_of(row) for row in cursor.fetchall())
        cursor.execute(_BEGUN_AT, {"seller": scope.organisation_id, "cards": list(buyers), "at": at})
        begun: defaultdict[int, list[Rate]] = defaultdict(list)
        for found in cursor.fetchall():
            rate = _rate_of(found)
            begun[rate.card_id].append(rate)
    cards = [
        CardInUse(card, tuple(buyers[card.id]), tuple(begun[card.id]))
        for card in list_cards(scope)
        if card.id in buyers
    ]
    return PricesInForce(tuple(cards), paid)


def price_book(scope: Scope) -> PriceBook:
    """Every price of the installation, for ingestion; `scope` is the system's.

    Read by the writer role, which alone sees all sellers. A caller that rates with it holds
    the shared lock on tree and prices and a book of the version it found there.
    """
    if scope.kind != "system":
        raise Forbidden("Only the system itself reads every seller's prices.")
    assignments: defaultdict[tuple[int, int], list[Assignment]] = defaultdict(list)
    rates: defaultdict[tuple[int, int], list[Rate]] = defaultdict(list)
    with transaction.atomic(using="writer"), connections["writer"].cursor() as cursor:
        cursor.execute(_EVERY_ASSIGNMENT)
        for found in cursor:
            assignments[found[1], found[2]].append(Assignment(*found))
        cursor.execute(_EVERY_RATE)
        for found in cursor:
            rate = _rate_of(found)
            rates[rate.card_id, rate.meter_id].append(rate)
    return PriceBook(
        assignments={pair: tuple(found) for pair, found in assignments.items()},
        rates={key: tuple(found) for key, found in rates.items()},
    )


def _rate_of(row: tuple[Any, ...]) -> Rate:
    rate_id, card_id, meter_id, selector, effective_from, *terms = row
    return Rate(rate_id, card_id, meter_id, _selector(selector), Terms(*terms), effective_from)


@lru_cache(maxsize=65_536)
def _selector(text: str) -> Selector:
    """The sorted selector of its JSON; there are few different ones on many rates."""
    return tuple(sorted(json.loads(text).items()))


def _card(row: RateCardRow) -> RateCard:
    return RateCard(id=row.pk, seller_id=row.seller_id, name=row.name, is_default=row.is_default)


def _rate(row: RateRow) -> Rate:
    return Rate(
        id=row.pk,
        card_id=row.card_id,
        meter_id=row.meter_id,
        selector=tuple(sorted(row.selector.items())),
        terms=Terms(row.unit_price_nano, row.per, row.minimum, row.increment, row.setup_fee_nano),
        effective_from=row.effective_from,
    )


def _assignment(row: AssignmentRow) -> Assignment:
    return Assignment(row.pk, row.seller_id, row.buyer_id, row.card_id, row.effective_from)
