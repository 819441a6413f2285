"""Tree, prices and people of the demonstration, written by those whose business it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from twin.companies.access import platform_scope, scope_for_person
from twin.companies.actions import add_employee, create_platform, record_move, save_information, update_company
from twin.companies.catalogue import catalogue_change
from twin.companies.queries import get_company
from twin.companies.types import CatalogueChange, Scope
from twin.demo.errors import WorldBroken
from twin.demo.rules.cast import CURRENCY, PEOPLE, PLATFORM_COUNTRY, PLATFORM_NAME, PLATFORM_ZONE, SELLERS
from twin.demo.rules.details import details_of
from twin.demo.rules.tariffs import DEFAULT_CARDS, SPECIAL_CARDS, rates
from twin.demo.staffing import staff
from twin.demo.types import Customer, Person, Price, Seller
from twin.pricing.actions import assign_default, create_company, create_rate_card, record_assignment, record_rates

_EMPLOYERS = {person.employer: person for person in PEOPLE}


@dataclass
class _Site:
    """What has been built so far: ids and beginnings by code or name, scopes by the code of the seller."""

    present: datetime
    change: CatalogueChange
    scopes: dict[str, Scope] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    begun: dict[str, datetime] = field(default_factory=dict)


def build_catalogue(present: datetime, cast: Sequence[Customer]) -> None:
    """Everything but the usage and the last person, inside the caller's transaction."""
    with catalogue_change() as change:
        site = _Site(present, change)
        _build_platform(site)
        for seller in SELLERS:
            _build_seller(site, seller)
        for customer in cast:
            _build_customer(site, customer)
        _hand_out_special_cards(site)
        staff(site.scopes, site.ids)
        for customer in cast:
            _let_it_live(site, customer)


def employ(scope: Scope, person: Person, company_id: int) -> Scope:
    """Make a person who works for the company; returns the scope that comes with the work."""
    user = get_user_model().objects.create_user(
        person.email,
        person.password,
        name=person.name,
        language=person.language,
        time_zone=get_company(scope, company_id).time_zone,
        second_factor_exempt=True,
    )
    add_employee(scope, user=user, company_id=company_id, role="administrator")
    own = scope_for_person(user)
    if own is None:
        raise WorldBroken(f"{person.email} works for nobody.")
    return own


def _build_platform(site: _Site) -> None:
    platform = create_platform(name=PLATFORM_NAME, time_zone=PLATFORM_ZONE, currency=CURRENCY)
    site.ids[""] = platform.id
    site.scopes[""] = employ(platform_scope(), _EMPLOYERS[""], platform.id)
    _tell(site, "", name=PLATFORM_NAME, country=PLATFORM_COUNTRY, time_zone=PLATFORM_ZONE)
    _make_card(site, "", *DEFAULT_CARDS[""], default=True)


def _make_card(site: _Site, seller: str, name: str, prices: Sequence[Price], *, default: bool) -> int:
    card = create_rate_card(site.scopes[seller], name=name, default=default)
    record_rates(site.scopes[seller], change=site.change, card_id=card.id, rates=rates(prices, site.present))
    return card.id


def _build_seller(site: _Site, seller: Seller) -> None:
    _join(site, seller, seller.below, "reseller")
    site.scopes[seller.code] = employ(site.scopes[""], _EMPLOYERS[seller.code], site.ids[seller.code])
    _make_card(site, seller.code, *DEFAULT_CARDS[seller.code], default=True)


def _join(site: _Site, who: Seller | Customer, parent: str, kind: str) -> None:
    begun = site.present - timedelta(days=who.joined_days_ago)
    company = create_company(
        site.scopes[""],
        name=who.name,
        kind=kind,
        parent_id=site.ids[parent],
        time_zone=who.time_zone,
        external_id=who.code,
        effective_from=begun,
    )
    for known_as in (who.code, who.name):
        site.ids[known_as] = company.id
        site.begun[known_as] = begun
    country = who.countries[0] if isinstance(who, Seller) else who.country
    _tell(site, who.code, name=who.name, country=country, time_zone=who.time_zone)


def _tell(site: _Site, code: str, *, name: str, country: str, time_zone: str) -> None:
    """Give all the company information, so that nobody here is asked for it."""
    employed = _EMPLOYERS.get(code)
    domain = employed.email.partition("@")[2] if employed else f"{code.lower()}.example"
    details = details_of(name, country, number=site.ids[code], domain=domain)
    values = {**details, "name": name, "time_zone": time_zone}
    save_information(site.scopes[""], site.ids[code], version=0, values=values)


def _build_customer(site: _Site, customer: Customer) -> None:
    _join(site, customer, customer.seller, "company")


def _hand_out_special_cards(site: _Site) -> None:
    """Recorded after the default card with the same beginning, so that they count instead of it."""
    for seller, name, prices, buyers in SPECIAL_CARDS:
        card_id = _make_card(site, seller, name, prices, default=False)
        for buyer in buyers:
            if buyer in site.ids:
                record_assignment(
                    site.scopes[seller],
                    change=site.change,
                    buyer_id=site.ids[buyer],
                    card_id=card_id,
                    effective_from=site.begun[buyer],
                )


def _let_it_live(site: _Site, customer: Customer) -> None:
    company_id = site.ids[customer.code]
    if customer.moved is not None:
        seller, days_ago = customer.moved
        moved_at = site.present - timedelta(days=days_ago)
        record_move(
            site.scopes[""],
            change=site.change,
            company_id=company_id,
            parent_id=site.ids[seller],
            effective_from=moved_at,
        )
        assign_default(
            site.scopes[""], change=site.change, seller_id=site.ids[seller], buyer_id=company_id, at=moved_at
        )
    if customer.blocked:
        update_company(site.scopes[""], company_id, state="blocked", reason=customer.blocked)
