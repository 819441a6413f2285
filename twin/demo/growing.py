"""The large world's reseller with its prices, its person and its thousands of companies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from twin.companies.access import platform_scope, scope_for_person
from twin.companies.actions import add_employee, save_information
from twin.companies.catalogue import catalogue_change
from twin.companies.types import Company, NewCompany, Scope
from twin.demo.errors import WorldBroken
from twin.demo.rules.crowd import MAGNA, MAGNA_PERSON
from twin.demo.rules.details import details_of
from twin.demo.rules.tariffs import RHEA_STANDARD, WHOLESALE_CARD, rates
from twin.demo.types import Customer
from twin.pricing.actions import create_companies, create_company, create_rate_card, record_assignment, record_rates
from twin.pricing.queries import list_cards


def found_crowd(present: datetime, cast: Sequence[Customer]) -> None:
    """Everything but the usage, inside the caller's transaction and under one version of the catalogue."""
    platform = platform_scope()
    begun = present - timedelta(days=MAGNA.joined_days_ago)
    with catalogue_change() as change:
        magna = create_company(
            platform, name=MAGNA.name, kind="reseller", time_zone=MAGNA.time_zone, external_id=MAGNA.code,
            effective_from=begun,
        )  # fmt: skip
        wholesale = next(card for card in list_cards(platform) if card.name == WHOLESALE_CARD)
        record_assignment(platform, change=change, buyer_id=magna.id, card_id=wholesale.id, effective_from=begun)
        own = _employ(platform, magna)
        card = create_rate_card(own, name="Standard", default=True)
        record_rates(own, change=change, card_id=card.id, rates=rates(RHEA_STANDARD, present))
        create_companies(own, parent_id=None, new=[_new(customer, present) for customer in cast])


def _employ(platform: Scope, magna: Company) -> Scope:
    """The reseller's administrator, and all the company information, so that nobody here is asked for it."""
    user = get_user_model().objects.create_user(
        MAGNA_PERSON.email,
        MAGNA_PERSON.password,
        name=MAGNA_PERSON.name,
        time_zone=MAGNA.time_zone,
        second_factor_exempt=True,
    )
    add_employee(platform, user=user, company_id=magna.id, role="administrator")
    domain = MAGNA_PERSON.email.partition("@")[2]
    details = details_of(MAGNA.name, MAGNA.countries[0], number=magna.id, domain=domain)
    values = {**details, "name": MAGNA.name, "time_zone": MAGNA.time_zone}
    save_information(platform, magna.id, version=0, values=values)
    own = scope_for_person(user)
    if own is None:
        raise WorldBroken(f"{MAGNA_PERSON.email} works for nobody.")
    return own


def _new(customer: Customer, present: datetime) -> NewCompany:
    return NewCompany(
        name=customer.name,
        kind="company",
        time_zone=customer.time_zone,
        external_id=customer.code,
        effective_from=present - timedelta(days=customer.joined_days_ago),
    )
