"""Makers of sellers, cards, rates and assignments, through actions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from twin.companies import actions as companies
from twin.companies.access import platform_scope, scope_for_key
from twin.companies.catalogue import catalogue_change
from twin.companies.types import PERMISSIONS, Company, Scope
from twin.pricing import actions
from twin.pricing.types import Assignment, NewRate, Rate, RateCard

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def day(number: int) -> datetime:
    return BEGINNING + timedelta(days=number)


@dataclass(frozen=True)
class House:
    """The platform, the resellers Rhea and Strand, Rhea's customer Acme; nobody has a card yet."""

    twin: Scope
    rhea: Scope
    strand: Scope
    acme: Scope


def build_house() -> House:
    companies.create_platform(name="Twin", time_zone="Europe/Berlin", currency="EUR")
    rhea = child_of(platform_scope(), "Rhea", kind="reseller")
    strand = child_of(platform_scope(), "Strand", kind="reseller")
    acme = child_of(scope_of(rhea), "Acme")
    return House(platform_scope(), scope_of(rhea), scope_of(strand), scope_of(acme))


def child_of(seller: Scope, name: str, *, kind: str = "company", parent_id: int | None = None) -> Company:
    return actions.create_company(
        seller, name=name, kind=kind, parent_id=parent_id, time_zone="Europe/Berlin", effective_from=BEGINNING
    )


def scope_of(company: Company) -> Scope:
    _, secret = companies.create_api_key(platform_scope(), company.id, PERMISSIONS, name="tests")
    scope = scope_for_key(secret)
    assert scope is not None
    return scope


def new_rate(
    price_nano: int,
    *,
    meter: str = "sms.delivered",
    selector: Mapping[str, str] | None = None,
    effective_from: datetime = BEGINNING,
) -> NewRate:
    return NewRate(meter, selector or {}, price_nano, 1, 0, 1, 0, effective_from)


def recorded(scope: Scope, card: RateCard, *rates: NewRate) -> list[Rate]:
    with catalogue_change() as change:
        return actions.record_rates(scope, change=change, card_id=card.id, rates=rates)


def assigned(scope: Scope, buyer_id: int, card: RateCard, at: datetime = BEGINNING) -> Assignment:
    with catalogue_change() as change:
        return actions.record_assignment(scope, change=change, buyer_id=buyer_id, card_id=card.id, effective_from=at)


def moved(scope: Scope, company_id: int, parent_id: int, at: datetime) -> None:
    with catalogue_change() as change:
        companies.record_move(scope, change=change, company_id=company_id, parent_id=parent_id, effective_from=at)
