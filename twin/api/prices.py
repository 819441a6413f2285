"""`/rate-cards` and what each company pays: the key's company as seller, and nobody else's prices."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Query, Router, Status

from twin.api.auth import ApiKey, reads_json, scope_of
from twin.api.errors import BodyTooLong
from twin.api.fields import Instant, PathId, QueryInput, known_id
from twin.api.schemas import (
    AssignedOut,
    AssignmentOut,
    CardChoice,
    NewRateCard,
    NewRates,
    PricedOut,
    RateCardOut,
    RateCardPage,
    RateIn,
    RateOut,
    RatePage,
)
from twin.companies.types import PRICES_READ, PRICES_WRITE
from twin.kernel.clock import now
from twin.kernel.errors import NotFound
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.metering import actions as metering
from twin.pricing import actions, queries
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import Assignment, NewRate, Rate, RateCard

MOST_RATES = 10_000
router = Router(tags=["Prices"])


class AssignmentQuery(QueryInput):
    at: Instant | None = None


class NoRateCard(NotFound):
    """The company pays the asker by no card at that instant."""


@router.post("/rate-cards", auth=reads_json(PRICES_WRITE), response={201: RateCardOut})
def create_rate_card(request: HttpRequest, body: NewRateCard) -> Status[RateCardOut]:
    """Create an empty card of the key's company; `default` makes it the one new children start with."""
    return Status(201, _card(actions.create_rate_card(scope_of(request), name=body.name, default=body.default)))


@router.get("/rate-cards", auth=ApiKey(PRICES_READ), response=RateCardPage)
def list_rate_cards(request: HttpRequest) -> RateCardPage:
    """Every card of the key's company, oldest first."""
    return RateCardPage(items=[_card(card) for card in queries.list_cards(scope_of(request))], next_cursor=None)


@router.get("/rate-cards/{int:card_id}/rates", auth=ApiKey(PRICES_READ), response=RatePage)
def list_rates(request: HttpRequest, card_id: PathId) -> RatePage:
    """Every rate ever recorded on the card, by meter, then `effective_from`, then record."""
    rates = queries.rates_of(scope_of(request), known_id(card_id))
    return RatePage(items=[_rate(rate) for rate in rates], next_cursor=None)


@router.post("/rate-cards/{int:card_id}/rates", auth=reads_json(PRICES_WRITE), response={201: PricedOut})
def publish_rates(request: HttpRequest, card_id: PathId, body: NewRates) -> Status[PricedOut]:
    """Add rates, all or none; usage that waited for one of them is priced in the same call.

    409 when usage is charged whose price a new rate would change.
    """
    if len(body.rates) > MOST_RATES:
        raise BodyTooLong(f"At most {MOST_RATES} rates in one call; these are {len(body.rates)}.")
    rates = [new_rate(rate) for rate in body.rates]
    priced = metering.publish_rates(scope_of(request), card_id=known_id(card_id), rates=rates)
    return Status(201, PricedOut(priced=priced.priced, pending=priced.pending))


@router.put("/companies/{int:company_id}/rate-card", auth=reads_json(PRICES_WRITE), response=AssignedOut)
def assign_rate_card(request: HttpRequest, company_id: PathId, body: CardChoice) -> AssignedOut:
    """Say what the company pays its seller from an instant on; only the seller of that instant may.

    409 when usage of the pair at or after that instant is already charged.
    """
    assigned = metering.assign_rate_card(
        scope_of(request),
        buyer_id=known_id(company_id),
        card_id=body.rate_card_id,
        effective_from=body.effective_from,
    )
    return AssignedOut(
        **_assignment(assigned.assignment).model_dump(), priced=assigned.priced, pending=assigned.pending
    )


@router.get(
    "/companies/{int:company_id}/rate-card", auth=ApiKey(PRICES_READ, query=AssignmentQuery), response=AssignmentOut
)
def get_assignment(request: HttpRequest, company_id: PathId, query: Query[AssignmentQuery]) -> AssignmentOut:
    """By which card of yours the company pays you at that instant (now when left out); 404 when by none."""
    at = query.at or now()
    found = queries.assignment_at(scope_of(request), known_id(company_id), at)
    if found is None:
        raise NoRateCard(f"Company {company_id} pays you by no rate card at {instant_text(at)}.")
    return _assignment(found)


def new_rate(rate: RateIn) -> NewRate:
    """A rate as it is recorded."""
    return NewRate(
        meter=rate.meter,
        selector=rate.selector,
        unit_price_nano=rate.unit_price,
        per=rate.per,
        minimum=rate.minimum,
        increment=rate.increment,
        setup_fee_nano=rate.setup_fee,
        effective_from=rate.effective_from,
    )


def _card(card: RateCard) -> RateCardOut:
    return RateCardOut(id=card.id, name=card.name, default=card.is_default)


def _rate(rate: Rate) -> RateOut:
    return RateOut(
        id=rate.id,
        meter=METER_BY_ID[rate.meter_id].code,
        selector=dict(rate.selector),
        unit_price=amount_text(rate.terms.unit_price_nano),
        per=rate.terms.per,
        minimum=rate.terms.minimum,
        increment=rate.terms.increment,
        setup_fee=amount_text(rate.terms.setup_fee_nano),
        effective_from=instant_text(rate.effective_from),
    )


def _assignment(assignment: Assignment) -> AssignmentOut:
    return AssignmentOut(
        company_id=assignment.buyer_id,
        rate_card_id=assignment.card_id,
        effective_from=instant_text(assignment.effective_from),
    )
