"""Makers of companies for tests, through actions only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from twin.companies import actions
from twin.companies.access import platform_scope, scope_for_key
from twin.companies.catalogue import catalogue_change
from twin.companies.types import PERMISSIONS, Company, Scope

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def a_platform() -> Scope:
    actions.create_platform(name="Twin", time_zone="UTC", currency="EUR")
    return platform_scope()


def a_company(scope: Scope, name: str, kind: str = "company", under: int | None = None, **fields: object) -> Company:
    """A company in UTC that exists from `BEGINNING`, unless told otherwise."""
    given = {"time_zone": "UTC", "effective_from": BEGINNING, **fields}
    with catalogue_change() as change:
        return actions.create_company(scope, change=change, name=name, kind=kind, parent_id=under, **given)  # type: ignore[arg-type]  # loose on purpose: tests name any field


def a_key(company_id: int, *permissions: str) -> str:
    _, secret = actions.create_api_key(platform_scope(), company_id, permissions or PERMISSIONS, name="tests")
    return secret


def scope_of(company: Company) -> Scope:
    """The scope of a fresh key with every permission."""
    scope = scope_for_key(a_key(company.id))
    assert scope is not None
    return scope


def move(scope: Scope, company_id: int, parent_id: int, at: datetime) -> Company:
    with catalogue_change() as change:
        return actions.record_move(scope, change=change, company_id=company_id, parent_id=parent_id, effective_from=at)


@dataclass(frozen=True)
class Tree:
    """Twin over Rhea (Acme, Birch, Sola (Cedar)), Strand (Dune) and Echo."""

    twin: Scope
    rhea: Company
    acme: Company
    birch: Company
    sola: Company
    cedar: Company
    strand: Company
    dune: Company
    echo: Company


def a_tree() -> Tree:
    twin = a_platform()
    rhea = a_company(twin, "Rhea", "reseller")
    strand = a_company(twin, "Strand", "reseller")
    sola = a_company(twin, "Sola", "reseller", rhea.id)
    return Tree(
        twin=twin,
        rhea=rhea,
        acme=a_company(twin, "Acme", under=rhea.id),
        birch=a_company(twin, "Birch", under=rhea.id),
        sola=sola,
        cedar=a_company(twin, "Cedar", under=sola.id),
        strand=strand,
        dune=a_company(twin, "Dune", under=strand.id),
        echo=a_company(twin, "Echo"),
    )
