"""Changes of a company: by itself, by those above, with their moments and reasons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections

from tests.companies.factories import a_company, a_key, a_tree, scope_of
from twin.companies import actions, queries
from twin.companies.access import scope_for_key
from twin.companies.catalogue import current_version
from twin.companies.errors import CompanyInvalid, CompanyNotFound, NotYours, PermissionMissing
from twin.kernel import clock

pytestmark = pytest.mark.database


def version() -> int:
    return current_version(connections["default"])


def test_what_is_not_named_stays() -> None:
    tree = a_tree()
    before = queries.get_company(tree.twin, tree.acme.id)
    assert actions.update_company(tree.twin, tree.acme.id) == before


def test_a_company_renames_itself_and_is_found_by_the_new_name() -> None:
    tree = a_tree()
    acme = scope_of(tree.acme)
    assert actions.update_company(acme, tree.acme.id, name="  Ромашка ").name == "Ромашка"
    assert [one.id for one in queries.list_companies(tree.twin, search="РОМАШ").items] == [tree.acme.id]


def test_a_company_sets_its_own_time_zone() -> None:
    tree = a_tree()
    changed = actions.update_company(scope_of(tree.acme), tree.acme.id, time_zone="Asia/Tokyo")
    assert changed.time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    "change", [{"state": "active"}, {"external_id": "X"}, {"kind": "reseller"}, {"reason": "because"}]
)
def test_a_company_does_not_settle_its_own_state_kind_or_external_id(change: dict[str, str]) -> None:
    tree = a_tree()
    with pytest.raises(NotYours):
        actions.update_company(scope_of(tree.acme), tree.acme.id, **change)
    assert queries.get_company(tree.twin, tree.acme.id) == tree.acme


def test_a_stranger_and_a_company_below_change_nothing() -> None:
    tree = a_tree()
    for scope in (scope_of(tree.strand), scope_of(tree.birch), scope_of(tree.acme)):
        with pytest.raises(CompanyNotFound):
            actions.update_company(scope, tree.sola.id, name="Taken")
    assert queries.get_company(tree.twin, tree.sola.id).name == "Sola"


def test_reading_keys_change_nothing() -> None:
    tree = a_tree()
    scope = scope_for_key(a_key(tree.rhea.id, "companies:read"))
    assert scope is not None
    with pytest.raises(PermissionMissing):
        actions.update_company(scope, tree.acme.id, name="Taken")


def test_a_company_becomes_a_reseller_and_never_goes_back() -> None:
    tree = a_tree()
    rhea = scope_of(tree.rhea)
    assert actions.update_company(rhea, tree.acme.id, kind="reseller").kind == "reseller"
    assert a_company(rhea, "Fern", under=tree.acme.id).parent_id == tree.acme.id
    with pytest.raises(CompanyInvalid):
        actions.update_company(rhea, tree.acme.id, kind="company")
    assert actions.update_company(rhea, tree.acme.id, kind="reseller").kind == "reseller"


@pytest.mark.parametrize("state", ["blocked", "closed"])
def test_blocking_and_closing_need_a_reason(state: str) -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid) as refusal:
        actions.update_company(tree.twin, tree.acme.id, state=state)
    assert refusal.value.errors[0].loc == ("reason",)
    changed = actions.update_company(tree.twin, tree.acme.id, state=state, reason="unpaid")
    assert (changed.state, changed.state_reason) == (state, "unpaid")


def test_closing_keeps_its_first_moment_and_reopening_forgets_it() -> None:
    tree = a_tree()
    before = clock.now()
    closed = actions.update_company(tree.twin, tree.acme.id, state="closed", reason="gone")
    assert closed.closed_at is not None
    assert before <= closed.closed_at <= before + timedelta(minutes=1)
    again = actions.update_company(tree.twin, tree.acme.id, state="closed", reason="gone for good")
    assert (again.closed_at, again.state_reason) == (closed.closed_at, "gone for good")
    opened = actions.update_company(tree.twin, tree.acme.id, state="active")
    assert (opened.state, opened.state_reason, opened.closed_at) == ("active", "", None)


def test_a_reason_without_a_state_is_refused() -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        actions.update_company(tree.twin, tree.acme.id, reason="because")


def test_an_external_id_is_set_changed_and_taken_away() -> None:
    tree = a_tree()
    assert actions.update_company(tree.twin, tree.acme.id, external_id="A-1").external_id == "A-1"
    assert actions.update_company(tree.twin, tree.acme.id, external_id="A-1").external_id == "A-1"
    with pytest.raises(CompanyInvalid):
        actions.update_company(tree.twin, tree.birch.id, external_id="A-1")
    assert actions.update_company(tree.twin, tree.acme.id, external_id=None).external_id is None
    assert actions.update_company(tree.twin, tree.birch.id, external_id="A-1").external_id == "A-1"


def test_what_ingestion_reads_of_a_company_gives_the_catalogue_a_new_version() -> None:
    tree = a_tree()
    first = version()
    actions.update_company(tree.twin, tree.acme.id, name="Acme Ltd", time_zone="Asia/Tokyo")
    assert version() == first
    actions.update_company(tree.twin, tree.acme.id, state="closed", reason="gone")
    assert version() > first
    second = version()
    actions.update_company(tree.twin, tree.birch.id, external_id="B")
    assert version() > second


def test_a_refused_change_leaves_everything_as_it_was() -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        actions.update_company(tree.twin, tree.acme.id, name="New", time_zone="Mars/Olympus")
    assert queries.get_company(tree.twin, tree.acme.id) == tree.acme
