"""What each organisation sees of the tree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.companies.factories import BEGINNING, a_company, a_tree, move, scope_of
from twin.companies import queries
from twin.companies.access import system_scope
from twin.companies.errors import CompanyInvalid, CompanyNotFound
from twin.companies.types import Dependent
from twin.kernel.period import Period

pytestmark = pytest.mark.database

DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)


def test_an_organisation_sees_itself_and_what_lies_beneath_it() -> None:
    tree = a_tree()
    rhea, acme, birch, sola, cedar = (one.id for one in (tree.rhea, tree.acme, tree.birch, tree.sola, tree.cedar))
    assert queries.visible_ids(scope_of(tree.rhea)) == {rhea, acme, birch, sola, cedar}
    assert queries.visible_ids(scope_of(tree.sola)) == {sola, cedar}
    assert queries.visible_ids(scope_of(tree.acme)) == {acme}
    assert len(queries.visible_ids(tree.twin)) == 9


@pytest.mark.parametrize("company_id", [0, -1, 2**31, 2**63, 999_999])
def test_ids_that_do_not_exist_are_not_found(company_id: int) -> None:
    tree = a_tree()
    with pytest.raises(CompanyNotFound):
        queries.get_company(tree.twin, company_id)


def test_what_lies_above_and_beside_is_not_found() -> None:
    tree = a_tree()
    sola = scope_of(tree.sola)
    for company_id in (tree.twin.organisation_id, tree.rhea.id, tree.acme.id, tree.strand.id, tree.dune.id):
        with pytest.raises(CompanyNotFound):
            queries.get_company(sola, company_id)


def test_a_company_knows_the_id_of_its_own_parent() -> None:
    tree = a_tree()
    assert queries.get_company(scope_of(tree.cedar), tree.cedar.id).parent_id == tree.sola.id
    assert queries.get_company(scope_of(tree.rhea), tree.cedar.id).parent_id == tree.sola.id
    assert queries.get_company(scope_of(tree.rhea), tree.acme.id).parent_id == tree.rhea.id


def test_pages_follow_one_another_to_the_end() -> None:
    tree = a_tree()
    seen: list[int] = []
    cursor = None
    for _ in range(5):
        page = queries.list_companies(tree.twin, limit=2, cursor=cursor)
        seen += [one.id for one in page.items]
        cursor = page.next_cursor
    assert cursor is None
    assert seen == sorted(queries.visible_ids(tree.twin))


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "٣", "99999999999", "1" * 5000])
def test_a_cursor_from_elsewhere_is_refused(cursor: str) -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        queries.list_companies(tree.twin, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        queries.list_companies(tree.twin, limit=limit)


def test_search_finds_parts_of_names_in_any_case_and_whole_ids() -> None:
    tree = a_tree()
    odd = a_company(tree.twin, "Straße 100%_\\", external_id="EXT-9")

    def found(search: str) -> list[int]:
        return [one.id for one in queries.list_companies(tree.twin, search=search).items]

    assert found("cED") == [tree.cedar.id]
    assert found(str(tree.dune.id)) == [tree.dune.id]
    assert found("strasse") == [odd.id]
    assert found("100%_\\") == [odd.id]
    assert found("%") == [odd.id]
    assert found("EXT-9") == [odd.id]
    assert found("EXT") == []


@pytest.mark.parametrize("search", ["\x00", "Acme\ud800"])
def test_what_no_name_can_hold_is_not_found(search: str) -> None:
    tree = a_tree()
    assert queries.list_companies(tree.twin, search=search).items == ()


def test_a_name_that_grows_when_folded_is_kept_and_found() -> None:
    tree = a_tree()
    grows = a_company(tree.twin, "\ufdfa" * 200)
    assert [one.id for one in queries.list_companies(tree.twin, search="\ufdfa" * 200).items] == [grows.id]


def test_search_stays_within_sight() -> None:
    tree = a_tree()
    assert queries.list_companies(scope_of(tree.strand), search="Acme").items == ()


def test_children_are_the_direct_ones_only() -> None:
    tree = a_tree()
    assert [one.name for one in queries.children(tree.twin, tree.rhea.id)] == ["Sola", "Acme", "Birch"]
    assert [one.name for one in queries.children(scope_of(tree.rhea), tree.rhea.id)] == ["Sola", "Acme", "Birch"]
    assert [one.name for one in queries.children(scope_of(tree.rhea), tree.sola.id)] == ["Cedar"]


def test_dependents_are_all_that_lay_beneath_within_the_period() -> None:
    tree = a_tree()
    at = BEGINNING + 10 * DAY
    move(tree.twin, tree.acme.id, tree.strand.id, at)
    rhea, strand = scope_of(tree.rhea), scope_of(tree.strand)
    acme = Dependent(tree.acme.id, "Acme", ())
    assert acme in queries.dependents_in(rhea, Period(BEGINNING, at))
    assert acme in queries.dependents_in(rhea, Period(at - MICRO, at + DAY))
    assert acme not in queries.dependents_in(rhea, Period(at, at + DAY))
    assert acme in queries.dependents_in(strand, Period(at, at + MICRO))
    assert acme not in queries.dependents_in(strand, Period(BEGINNING, at))


def test_nothing_depends_before_it_existed() -> None:
    tree = a_tree()
    assert queries.dependents_in(tree.twin, Period(BEGINNING - DAY, BEGINNING)) == []
    assert len(queries.dependents_in(tree.twin, Period(BEGINNING, BEGINNING + MICRO))) == 8


def test_the_path_names_the_resellers_between_from_the_top() -> None:
    tree = a_tree()
    period = Period(BEGINNING, BEGINNING + DAY)
    cedar = next(one for one in queries.dependents_in(tree.twin, period) if one.company_id == tree.cedar.id)
    assert cedar.path == ("Rhea", "Sola")
    cedar = next(one for one in queries.dependents_in(scope_of(tree.sola), period))
    assert cedar.path == ()


def test_the_path_is_the_last_one_within_the_period() -> None:
    tree = a_tree()
    at = BEGINNING + 10 * DAY
    move(tree.twin, tree.sola.id, tree.strand.id, at)

    def path(period: Period) -> tuple[str, ...]:
        return next(one.path for one in queries.dependents_in(tree.twin, period) if one.company_id == tree.cedar.id)

    assert path(Period(BEGINNING, at)) == ("Rhea", "Sola")
    assert path(Period(BEGINNING, at + MICRO)) == ("Strand", "Sola")


def test_a_former_reseller_still_reads_the_names_of_its_span() -> None:
    tree = a_tree()
    at = BEGINNING + 10 * DAY
    move(tree.twin, tree.sola.id, tree.strand.id, at)
    rhea = scope_of(tree.rhea)
    found = queries.dependents_in(rhea, Period(BEGINNING, at))
    assert Dependent(tree.cedar.id, "Cedar", ("Sola",)) in found
    with pytest.raises(CompanyNotFound):
        queries.get_company(rhea, tree.cedar.id)


def test_the_snapshot_holds_the_whole_tree_with_its_version() -> None:
    tree = a_tree()
    snapshot = queries.tree_snapshot(system_scope())
    assert snapshot.companies[tree.cedar.id] == queries.get_company(tree.twin, tree.cedar.id)
    assert snapshot.lineages[tree.cedar.id][0].sellers == (tree.sola.id, tree.rhea.id, tree.twin.organisation_id)
    assert snapshot.companies.keys() == snapshot.lineages.keys()


def test_the_snapshot_is_for_loaders_only() -> None:
    tree = a_tree()
    with pytest.raises(CompanyNotFound):
        queries.tree_snapshot(tree.twin)


def test_an_installation_without_a_platform_has_an_empty_snapshot() -> None:
    snapshot = queries.tree_snapshot(system_scope())
    assert (dict(snapshot.companies), dict(snapshot.lineages)) == ({}, {})
