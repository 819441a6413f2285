"""Founding many companies at once leaves the same as founding them one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from tests.world import BEGINNING, World, build_world
from twin.companies import queries
from twin.companies.errors import CompanyInvalid, CompanyNotFound, PermissionMissing
from twin.companies.types import NewCompany, Scope
from twin.kernel.errors import Invalid
from twin.pricing import actions as pricing
from twin.pricing.queries import assignment_at

pytestmark = pytest.mark.database

LATER = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def new(number: int, **changes: Any) -> NewCompany:
    facts: dict[str, Any] = {
        "name": f"Company {number}",
        "kind": "company",
        "time_zone": "Europe/Vienna",
        "external_id": f"n-{number}",
        "effective_from": BEGINNING + timedelta(days=number),
    }
    return NewCompany(**(facts | changes))


def ancestry_of(company_id: int) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select ancestor_id, start_at, end_at, distance, path from companies_ancestry where company_id = %s"
            " order by distance",
            [company_id],
        )
        return list(cursor.fetchall())


def version() -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select version from companies_catalogueversion")
        return int(cursor.fetchone()[0])


def count(table: str) -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return int(cursor.fetchone()[0])


def test_they_lie_where_one_by_one_they_would_lie(world: World) -> None:
    made = pricing.create_companies(world.twin.scope, parent_id=world.sola.id, new=[new(1), new(2)])
    single = pricing.create_company(
        world.twin.scope,
        name="Company 1",
        kind="company",
        parent_id=world.sola.id,
        time_zone="Europe/Vienna",
        external_id="alone",
        effective_from=BEGINNING + timedelta(days=1),
    )
    assert [company.name for company in made] == ["Company 1", "Company 2"]
    assert ancestry_of(made[0].id) == ancestry_of(single.id)
    assert len(ancestry_of(made[0].id)) == 3
    shown = queries.get_company(world.rhea.scope, made[0].id)
    assert shown == made[0]
    assert (shown.parent_id, shown.currency, shown.existed_from) == (world.sola.id, "EUR", single.existed_from)


def test_they_share_one_version_of_the_catalogue(world: World) -> None:
    before = version()
    pricing.create_companies(world.rhea.scope, parent_id=None, new=[new(number) for number in range(50)])
    assert version() == before + 1


def test_each_pays_by_the_default_card_of_its_seller_from_its_beginning(world: World) -> None:
    made = pricing.create_companies(world.rhea.scope, parent_id=None, new=[new(3), new(4)])
    for company in made:
        assert company.existed_from is not None
        found = assignment_at(world.rhea.scope, company.id, company.existed_from)
        assert found is not None
        assert (found.card_id, found.effective_from) == (world.rhea_card.id, company.existed_from)


def test_a_parent_that_moved_gives_each_span_its_own_ancestors(world: World) -> None:
    early = new(1, effective_from=BEGINNING)
    late = new(2, effective_from=LATER)
    made = pricing.create_companies(world.twin.scope, parent_id=world.sola.id, new=[early, late])
    assert [row[1] for row in ancestry_of(made[0].id)] == [BEGINNING] * 3
    assert [row[1] for row in ancestry_of(made[1].id)] == [LATER] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        [new(1), new(2, external_id="n-1")],
        [new(1), new(2, external_id="acme")],
        [new(1), new(2, name=" ")],
        [new(1), new(2, kind="platform")],
        [new(1), new(2, time_zone="Mars")],
        [new(1), new(2, effective_from=BEGINNING - timedelta(days=1))],
    ],
)
def test_one_that_cannot_be_founded_leaves_none(world: World, wrong: list[NewCompany]) -> None:
    before = count("companies_company"), count("companies_ancestry"), count("pricing_assignment")
    with pytest.raises(Invalid):
        pricing.create_companies(world.rhea.scope, parent_id=None, new=wrong)
    assert (count("companies_company"), count("companies_ancestry"), count("pricing_assignment")) == before


def test_nothing_is_founded_where_the_asker_has_no_say(world: World) -> None:
    with pytest.raises(CompanyNotFound):
        pricing.create_companies(world.strand.scope, parent_id=world.rhea.id, new=[new(1)])
    with pytest.raises(CompanyInvalid):
        pricing.create_companies(world.rhea.scope, parent_id=world.acme.id, new=[new(1)])
    reader = Scope(world.rhea.id, "reseller", frozenset({"companies:read"}))
    with pytest.raises(PermissionMissing):
        pricing.create_companies(reader, parent_id=None, new=[new(1)])


def test_nothing_is_a_change_of_nothing(world: World) -> None:
    assert pricing.create_companies(world.rhea.scope, parent_id=None, new=[]) == []
