"""A small world for tests, made through actions only: who is who, their keys, their cards.

Twin (platform) ─┬─ Rhea (reseller) ─┬─ Acme (company)
                 │                   ├─ Birch (company)
                 │                   └─ Sola (sub-reseller) ── Cedar (company)
                 ├─ Strand (a stranger: reseller) ── Dune (its company)
                 └─ Echo (direct company of the platform)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tests.database import once
from twin.companies import actions as companies
from twin.companies.access import platform_scope, scope_for_key
from twin.companies.types import PERMISSIONS, Company, Scope
from twin.kernel.money import to_nano
from twin.metering import actions as metering
from twin.pricing import actions as pricing
from twin.pricing.meters import METERS
from twin.pricing.types import NewRate, RateCard

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
SMS_TO_TWIN = Decimal("0.01")
SMS_TO_RHEA = Decimal("0.02")
SMS_TO_SOLA = Decimal("0.03")


@dataclass(frozen=True)
class Party:
    """A company with a key that holds every permission."""

    company: Company
    key: str
    scope: Scope

    @property
    def id(self) -> int:
        return self.company.id

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


@dataclass(frozen=True)
class World:
    """Every party and the default card of every seller."""

    twin: Party
    rhea: Party
    acme: Party
    birch: Party
    sola: Party
    cedar: Party
    strand: Party
    dune: Party
    echo: Party
    wholesale: RateCard
    rhea_card: RateCard
    sola_card: RateCard
    strand_card: RateCard

    @property
    def parties(self) -> dict[str, Party]:
        names = ("twin", "rhea", "acme", "birch", "sola", "cedar", "strand", "dune", "echo")
        return {name: getattr(self, name) for name in names}


def key_of(company_id: int, permissions: Sequence[str] = PERMISSIONS) -> str:
    """A fresh key of the company, made by the platform."""
    _, secret = companies.create_api_key(
        platform_scope(), company_id=company_id, scopes=tuple(permissions), name="tests"
    )
    return secret


def build_world() -> World:
    """The whole small world; every company exists from `BEGINNING`, every meter has a price on every edge."""
    return once("the small world", _build_world)


def _build_world() -> World:
    platform = _party(companies.create_platform(name="Twin", time_zone="Europe/Berlin", currency="EUR"))
    wholesale = _card(platform, "Wholesale", SMS_TO_TWIN)
    rhea = _child(platform, "Rhea", "reseller")
    strand = _child(platform, "Strand", "reseller")
    rhea_card = _card(rhea, "Rhea 2026", SMS_TO_RHEA)
    strand_card = _card(strand, "Strand 2026", SMS_TO_RHEA)
    sola = _child(rhea, "Sola", "reseller")
    sola_card = _card(sola, "Sola 2026", SMS_TO_SOLA)
    return World(
        twin=platform,
        rhea=rhea,
        acme=_child(rhea, "Acme", "company"),
        birch=_child(rhea, "Birch", "company"),
        sola=sola,
        cedar=_child(sola, "Cedar", "company"),
        strand=strand,
        dune=_child(strand, "Dune", "company"),
        echo=_child(platform, "Echo", "company"),
        wholesale=wholesale,
        rhea_card=rhea_card,
        sola_card=sola_card,
        strand_card=strand_card,
    )


def rates_for_all(price: Decimal) -> list[NewRate]:
    """One rate for every meter, the same price for each unit."""
    return [
        NewRate(
            meter=meter.code,
            selector={},
            unit_price_nano=to_nano(price),
            per=1,
            minimum=0,
            increment=1,
            setup_fee_nano=0,
            effective_from=BEGINNING,
        )
        for meter in METERS
    ]


def _party(company: Company) -> Party:
    key = key_of(company.id)
    scope = scope_for_key(key)
    assert scope is not None
    return Party(company, key, scope)


def _child(parent: Party, name: str, kind: str) -> Party:
    company = pricing.create_company(
        parent.scope,
        name=name,
        kind=kind,
        time_zone="Europe/Berlin",
        external_id=name.lower(),
        effective_from=BEGINNING,
    )
    return _party(company)


def _card(seller: Party, name: str, price: Decimal) -> RateCard:
    card = pricing.create_rate_card(seller.scope, name=name, default=True)
    metering.publish_rates(seller.scope, card_id=card.id, rates=rates_for_all(price))
    return card
