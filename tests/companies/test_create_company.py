"""Companies come into being beneath those who hold their parent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections

from tests.companies.factories import BEGINNING, a_company, a_key, a_platform, a_tree, move, scope_of
from twin.companies import actions, queries
from twin.companies.access import scope_for_key
from twin.companies.errors import CompanyInvalid, CompanyNotFound, PermissionMissing, PlatformExists
from twin.companies.types import Scope

pytestmark = pytest.mark.database


def how_many() -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select count(*) from companies_company")
        return int(cursor.fetchone()[0])


def test_the_platform_is_made_once() -> None:
    a_platform()
    with pytest.raises(PlatformExists):
        actions.create_platform(name="Twin", time_zone="UTC", currency="EUR")
    assert how_many() == 1


def test_the_platform_has_no_parent_and_no_beginning() -> None:
    twin = a_platform()
    platform = queries.get_company(twin, twin.organisation_id)
    assert (platform.kind, platform.parent_id, platform.existed_from) == ("platform", None, None)


def test_a_company_lies_under_the_asking_organisation_by_default() -> None:
    tree = a_tree()
    made = a_company(scope_of(tree.rhea), "Fern")
    assert made.parent_id == tree.rhea.id
    assert made == queries.get_company(tree.twin, made.id)
    assert (made.currency, made.state, made.existed_from) == ("EUR", "active", BEGINNING)


def test_a_reseller_creates_beneath_its_sub_reseller() -> None:
    tree = a_tree()
    rhea = scope_of(tree.rhea)
    made = a_company(rhea, "Fern", under=tree.sola.id)
    assert queries.get_company(rhea, made.id).parent_id == tree.sola.id
    assert queries.get_company(scope_of(tree.sola), made.id).parent_id == tree.sola.id


def test_a_stranger_is_not_found_as_parent() -> None:
    tree = a_tree()
    before = how_many()
    with pytest.raises(CompanyNotFound):
        a_company(scope_of(tree.strand), "Fern", under=tree.rhea.id)
    assert how_many() == before


def test_nothing_lies_under_a_company_that_is_no_reseller() -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        a_company(scope_of(tree.acme), "Fern")
    with pytest.raises(CompanyInvalid):
        a_company(tree.twin, "Fern", under=tree.acme.id)


def test_a_key_without_the_permission_creates_nothing() -> None:
    tree = a_tree()
    scope = scope_for_key(a_key(tree.rhea.id, "companies:read"))
    assert scope is not None
    with pytest.raises(PermissionMissing):
        a_company(scope, "Fern")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("name", "\ud800"),
        ("kind", "platform"),
        ("kind", "firm"),
        ("time_zone", "Mars/Olympus"),
        ("external_id", ""),
        ("external_id", "x" * 65),
        ("currency", "USD"),
        ("effective_from", BEGINNING - timedelta(microseconds=1)),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_made(field: str, value: object) -> None:
    twin = a_platform()
    rhea = a_company(twin, "Rhea", "reseller")
    given: dict[str, object] = {"name": "Fern", "kind": "company", field: value}
    with pytest.raises(CompanyInvalid) as refusal:
        a_company(twin, under=rhea.id, **given)  # type: ignore[arg-type]  # wrong on purpose
    assert [error.loc for error in refusal.value.errors] == [(field,)]
    assert how_many() == 2


def test_the_currency_of_the_installation_may_be_named() -> None:
    assert a_company(a_platform(), "Fern", currency="EUR").currency == "EUR"


def test_an_external_id_is_unique_under_its_parent_only() -> None:
    tree = a_tree()
    a_company(tree.twin, "Fern", under=tree.rhea.id, external_id="X1")
    assert a_company(tree.twin, "Gorse", under=tree.strand.id, external_id="X1").external_id == "X1"
    with pytest.raises(CompanyInvalid):
        a_company(tree.twin, "Hazel", under=tree.rhea.id, external_id="X1")


def test_the_external_id_of_a_former_child_is_free_again() -> None:
    tree = a_tree()
    fern = a_company(tree.twin, "Fern", under=tree.rhea.id, external_id="X1")
    move(tree.twin, fern.id, tree.strand.id, BEGINNING + timedelta(days=1))
    assert a_company(tree.twin, "Hazel", under=tree.rhea.id, external_id="X1").external_id == "X1"


def test_a_company_of_the_future_is_seen_by_its_seller_at_once() -> None:
    tree = a_tree()
    later = BEGINNING + timedelta(days=10_000)
    fern = a_company(scope_of(tree.rhea), "Fern", effective_from=later)
    assert queries.get_company(scope_of(tree.rhea), fern.id).existed_from == later
    assert queries.get_company(tree.twin, fern.id).parent_id == tree.rhea.id


def test_a_past_beginning_needs_a_parent_held_then() -> None:
    tree = a_tree()
    moved_at = BEGINNING + timedelta(days=5)
    move(tree.twin, tree.sola.id, tree.strand.id, moved_at)
    strand = scope_of(tree.strand)
    with pytest.raises(CompanyInvalid):
        a_company(strand, "Fern", under=tree.sola.id, effective_from=moved_at - timedelta(microseconds=1))
    assert a_company(strand, "Fern", under=tree.sola.id, effective_from=moved_at).existed_from == moved_at


def test_nothing_new_lies_under_a_closed_reseller() -> None:
    tree = a_tree()
    actions.update_company(tree.twin, tree.rhea.id, state="closed", reason="gone")
    with pytest.raises(CompanyInvalid):
        a_company(tree.twin, "Fern", under=tree.rhea.id)


def test_a_made_up_scope_without_a_company_sees_nothing() -> None:
    a_tree()
    assert queries.visible_ids(Scope(2**31 - 1, "reseller", frozenset())) == set()
