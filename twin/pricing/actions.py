"""Writes of cards, rates and assignments; rates and assignments are only ever added.

Whoever rates usage must have checked first that no charge contradicts a new rate or
assignment: `metering.actions.publish_rates` and `assign_rate_card` are the ways for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connections, transaction

from twin.accounts.types import Person
from twin.companies import actions as companies
from twin.companies import queries as tree
from twin.companies.access import registering_scope
from twin.companies.catalogue import catalogue_change
from twin.companies.recording import record_deed, record_deeds
from twin.companies.types import PRICES_WRITE, CatalogueChange, Company, NewCompany, Scope
from twin.kernel.clock import now
from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.period import instant_text
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.kernel.text import clean_text
from twin.pricing import queries
from twin.pricing.errors import NotTheSeller, RateCardNotFound, RateCardUnusable
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.models import AssignmentRow, RateCardRow, RateRow
from twin.pricing.rules.copying import changed_by
from twin.pricing.rules.new_rates import check_rates
from twin.pricing.rules.winning import card_at
from twin.pricing.types import Assignment, NewRate, Rate, RateCard, Terms

# The first half of an advisory lock; the second is the seller.
DEFAULT_CARD_LOCK = 0x7477_0001
_ROWS_AT_ONCE = 1_000


@scoped
def create_rate_card(scope: Scope, *, name: str, default: bool = False) -> RateCard:
    """A new, empty card of the asker; as `default` it takes the place of the default before it.

    Children that already have a card keep it: the default is only what new ones start with.
    """
    return _create_card(scope, name, default=default)


def _create_card(scope: Scope, name: str, *, default: bool = False, **noted: Any) -> RateCard:
    scope.require(PRICES_WRITE)
    if scope.kind == "company":
        raise RateCardUnusable("Only a reseller or the platform sells; a company has no rate cards.")
    try:
        wanted = clean_text(name, field="The name of a rate card", longest=200)
    except Invalid as error:
        raise invalid_field(str(error), "name") from None
    if default:
        _clear_default(scope.organisation_id)
    row = RateCardRow.objects.create(seller_id=scope.organisation_id, name=wanted, is_default=default)
    record_deed(scope, "rate_card.created", company_id=scope.organisation_id, rate_card_id=row.pk, name=wanted, **noted)
    if default:
        record_deed(scope, "default_card.chosen", company_id=scope.organisation_id, rate_card_id=row.pk)
    return RateCard(row.pk, row.seller_id, row.name, row.is_default)


@scoped
def copy_card(scope: Scope, *, card_id: int, name: str, percent: Decimal, at: datetime) -> RateCard:
    """A new card of the asker with another's prices of `at`, changed by so many per cent, all or nothing.

    They count from `at` on. Nobody pays by the new card yet, so nothing that is charged can change.
    """
    with catalogue_change() as change:
        rates = changed_by(queries.rates_of(scope, card_id), percent, at)
        made = _create_card(scope, name, copied_from=card_id, percent=f"{percent:+f}", number=len(rates))
        if rates:
            record_rates(scope, change=change, card_id=made.id, rates=rates)
    return made


@scoped
def make_default(scope: Scope, *, card_id: int) -> RateCard:
    """Let new children of the asker start with this card of its own; what others pay by stays."""
    scope.require(PRICES_WRITE)
    card = queries.get_card(scope, card_id)
    _clear_default(scope.organisation_id)
    RateCardRow.objects.filter(pk=card.id).update(is_default=True)
    if not card.is_default:
        record_deed(scope, "default_card.chosen", company_id=scope.organisation_id, rate_card_id=card.id)
    return replace(card, is_default=True)


def _clear_default(seller_id: int) -> None:
    # Two cards made default at once would both find none to clear and the second would fail.
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [DEFAULT_CARD_LOCK, seller_id])
    RateCardRow.objects.filter(seller_id=seller_id, is_default=True).update(is_default=False)


@scoped
def record_rates(
    scope: Scope,
    *,
    change: CatalogueChange,  # noqa: ARG001 - the proof itself
    card_id: int,
    rates: Sequence[NewRate],
) -> list[Rate]:
    """Add rates to a card of the asker, all or none, in the order given.

    `change` is the proof that nothing is being rated meanwhile. Recording the same rate twice
    is harmless: the later record counts and says the same.
    """
    scope.require(PRICES_WRITE)
    card = queries.get_card(scope, card_id)
    check_rates(rates)
    rows = [
        RateRow(
            card_id=card.id,
            seller_id=card.seller_id,
            meter_id=METER_BY_CODE[rate.meter].id,
            selector=dict(rate.selector),
            unit_price_nano=rate.unit_price_nano,
            per=rate.per,
            minimum=rate.minimum,
            increment=rate.increment,
            setup_fee_nano=rate.setup_fee_nano,
            effective_from=rate.effective_from,
        )
        for rate in rates
    ]
    return [_recorded(row) for row in RateRow.objects.bulk_create(rows)]


def _recorded(row: RateRow) -> Rate:
    return Rate(
        id=row.pk,
        card_id=row.card_id,
        meter_id=row.meter_id,
        selector=tuple(sorted(row.selector.items())),
        terms=Terms(row.unit_price_nano, row.per, row.minimum, row.increment, row.setup_fee_nano),
        effective_from=row.effective_from,
    )


@scoped
def record_assignment(
    scope: Scope,
    *,
    change: CatalogueChange,  # noqa: ARG001 - the proof itself
    buyer_id: int,
    card_id: int,
    effective_from: datetime,
) -> Assignment:
    """Let the buyer pay the asker by that card from an instant on; earlier assignments stay.

    The asker must be the buyer's parent at `effective_from`, at present or formerly; a
    company above it cannot speak for it. `change` proves that nothing is being rated meanwhile.
    """
    scope.require(PRICES_WRITE)
    if effective_from.tzinfo is None:
        raise invalid_field("The time has no offset; add Z or an offset such as +02:00.", "effective_from")
    _must_be_seller(scope, buyer_id, effective_from)
    try:
        card = queries.get_card(scope, card_id)
    except RateCardNotFound as error:
        raise invalid_field(str(error), "rate_card_id") from None
    return _assign(card, buyer_id, effective_from)


def _must_be_seller(scope: Scope, buyer_id: int, at: datetime) -> None:
    if tree.was_parent_at(scope, buyer_id, at):
        return
    buyer = tree.get_company(scope, buyer_id)
    raise NotTheSeller(
        f"You are not the parent of {buyer.name} at {at.isoformat()}: only the company's seller at that "
        "instant, with a key of its own, sets what the company pays."
    )


def _assign(card: RateCard, buyer_id: int, effective_from: datetime) -> Assignment:
    row = AssignmentRow.objects.create(
        seller_id=card.seller_id, buyer_id=buyer_id, card_id=card.id, effective_from=effective_from
    )
    return Assignment(row.pk, row.seller_id, row.buyer_id, row.card_id, row.effective_from)


def create_company(
    scope: Scope,
    *,
    name: str,
    kind: str,
    parent_id: int | None = None,
    time_zone: str,
    external_id: str | None = None,
    currency: str | None = None,
    effective_from: datetime | None = None,
) -> Company:
    """A new company that pays its seller by the seller's default card from its first instant on.

    The default is that of the parent, whoever asks: the platform may add a company beneath a
    reseller, and what it pays is the reseller's to say. Without a default its usage stays
    unrated until the seller assigns a card.
    """
    begun = effective_from or now()
    with catalogue_change() as change:
        company = companies.create_company(
            scope,
            change=change,
            name=name,
            kind=kind,
            parent_id=parent_id,
            time_zone=time_zone,
            external_id=external_id,
            currency=currency,
            effective_from=begun,
        )
        if company.parent_id is not None:
            assign_default(scope, change=change, seller_id=company.parent_id, buyer_id=company.id, at=begun)
    return company


def register_company(*, person: Person, name: str, time_zone: str) -> Company:
    """A company of the person who registers: beneath the platform from this moment on, the person its administrator.

    It pays by the platform's default card as of now. Raises `NotInitialised` where there is no
    platform yet.
    """
    scope = registering_scope(person)
    with transaction.atomic():
        company = create_company(scope, name=name, kind="company", time_zone=time_zone)
        companies.add_employee(scope, user=person, company_id=company.id, role="administrator")
    return company


def create_companies(scope: Scope, *, parent_id: int | None, new: Sequence[NewCompany]) -> list[Company]:
    """Many companies under one parent, all or none, each paying by the parent's default card from its beginning on.

    One change of the catalogue, where `create_company` for each would be as many.
    """
    present = now()
    starts = [one.effective_from or present for one in new]
    begun = [replace(one, effective_from=start) for one, start in zip(new, starts, strict=True)]
    with catalogue_change() as change:
        made = companies.create_companies(scope, change=change, parent_id=parent_id, companies=begun)
        if made and made[0].parent_id is not None:
            _assign_default_to_new(scope, made[0].parent_id, [company.id for company in made], starts)
    return made


def _assign_default_to_new(scope: Scope, seller_id: int, buyers: Sequence[int], starts: Sequence[datetime]) -> None:
    """New companies have no card of anybody yet, so there is nothing to keep."""
    with tenant_transaction(seller_id):
        default = RateCardRow.objects.filter(seller_id=seller_id, is_default=True).first()
        if default is None:
            return
        rows = [
            AssignmentRow(seller_id=seller_id, buyer_id=buyer, card=default, effective_from=start)
            for buyer, start in zip(buyers, starts, strict=True)
        ]
        AssignmentRow.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    told = [(seller_id, _assignment_fields(default.pk, row.buyer_id, row.effective_from)) for row in rows]
    record_deeds(scope, "rate_card.assigned", told)


def _assignment_fields(card_id: int, buyer_id: int, start: datetime) -> dict[str, Any]:
    """What the record of the seller says of a default card that was given."""
    return {"rate_card_id": card_id, "buyer_id": buyer_id, "effective_from": instant_text(start), "default": True}


def assign_default(
    scope: Scope,
    *,
    change: CatalogueChange,  # noqa: ARG001 - the proof itself
    seller_id: int,
    buyer_id: int,
    at: datetime,
) -> Assignment | None:
    """Give a new child its seller's default card from `at`; None when there is nothing to give.

    A pair that has a card at `at` keeps it: a company that returns to a former seller pays
    what it had agreed with it. Runs in the seller's name, inside the caller's transaction.
    """
    with tenant_transaction(seller_id):
        pair = AssignmentRow.objects.filter(seller_id=seller_id, buyer_id=buyer_id)
        agreed = [Assignment(row.pk, seller_id, buyer_id, row.card_id, row.effective_from) for row in pair]
        default = RateCardRow.objects.filter(seller_id=seller_id, is_default=True).first()
        if default is None or card_at(agreed, at) is not None:
            return None
        given = _assign(RateCard(default.pk, seller_id, default.name, default.is_default), buyer_id, at)
    fields = _assignment_fields(default.pk, buyer_id, at)
    record_deed(scope, "rate_card.assigned", company_id=seller_id, **fields)
    return given
