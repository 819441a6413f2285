"""Moves: half-open in time, never a loop, only by who holds both parents."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connections

from tests.companies.factories import BEGINNING, a_company, a_platform, a_tree, move, scope_of
from tests.companies.test_lineage import chain_at
from twin.companies import queries
from twin.companies.access import platform_scope, system_scope
from twin.companies.errors import CompanyInvalid, CompanyNotFound, MembershipLoop, MembershipTooEarly, NotYours
from twin.companies.types import Membership
from twin.kernel import clock

pytestmark = pytest.mark.database

DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)


def memberships() -> list[Membership]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select company_id, parent_id, start_at from companies_membership order by id")
        return [Membership(*row) for row in cursor.fetchall()]


def ancestors_at(company_id: int, at: datetime) -> tuple[int, ...] | None:
    """The chain as the derived table tells it; checks that every path agrees with it."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select ancestor_id, path from companies_ancestry where company_id = %s and start_at <= %s"
            " and (end_at is null or end_at > %s) order by distance",
            [company_id, at, at],
        )
        rows = cursor.fetchall()
    chain = tuple(row[0] for row in rows)
    for place, (_, path) in enumerate(rows):
        assert tuple(path) == tuple(reversed(chain[:place]))
    return chain or None


def test_a_moved_company_belongs_to_either_seller_on_its_side_of_the_instant() -> None:
    tree = a_tree()
    at = BEGINNING + 10 * DAY
    moved = move(tree.twin, tree.acme.id, tree.strand.id, at)
    assert moved.parent_id == tree.strand.id
    rhea, strand = scope_of(tree.rhea), scope_of(tree.strand)
    assert queries.was_parent_at(rhea, tree.acme.id, at - MICRO)
    assert not queries.was_parent_at(rhea, tree.acme.id, at)
    assert not queries.was_parent_at(strand, tree.acme.id, at - MICRO)
    assert queries.was_parent_at(strand, tree.acme.id, at)


def test_after_the_move_the_company_is_not_found_for_the_former_seller() -> None:
    tree = a_tree()
    move(tree.twin, tree.acme.id, tree.strand.id, BEGINNING + DAY)
    with pytest.raises(CompanyNotFound):
        queries.get_company(scope_of(tree.rhea), tree.acme.id)
    assert queries.get_company(scope_of(tree.strand), tree.acme.id).parent_id == tree.strand.id


def test_until_a_future_move_nothing_changes() -> None:
    tree = a_tree()
    move(tree.twin, tree.acme.id, tree.strand.id, clock.now() + DAY)
    assert queries.get_company(scope_of(tree.rhea), tree.acme.id).parent_id == tree.rhea.id
    with pytest.raises(CompanyNotFound):
        queries.get_company(scope_of(tree.strand), tree.acme.id)


def test_what_lies_beneath_moves_along() -> None:
    tree = a_tree()
    at = BEGINNING + DAY
    move(tree.twin, tree.sola.id, tree.strand.id, at)
    assert ancestors_at(tree.cedar.id, at - MICRO) == (tree.sola.id, tree.rhea.id, tree.twin.organisation_id)
    assert ancestors_at(tree.cedar.id, at) == (tree.sola.id, tree.strand.id, tree.twin.organisation_id)


def test_a_reseller_moves_between_itself_and_its_sub_reseller() -> None:
    tree = a_tree()
    moved = move(scope_of(tree.rhea), tree.acme.id, tree.sola.id, BEGINNING + DAY)
    assert moved.parent_id == tree.sola.id


def test_a_reseller_cannot_move_to_or_from_a_stranger() -> None:
    tree = a_tree()
    before = memberships()
    with pytest.raises(CompanyNotFound):
        move(scope_of(tree.rhea), tree.acme.id, tree.strand.id, BEGINNING + DAY)
    with pytest.raises(CompanyNotFound):
        move(scope_of(tree.strand), tree.acme.id, tree.strand.id, BEGINNING + DAY)
    assert memberships() == before


def test_nobody_moves_itself() -> None:
    tree = a_tree()
    with pytest.raises(NotYours):
        move(scope_of(tree.sola), tree.sola.id, tree.sola.id, BEGINNING + DAY)


@pytest.mark.parametrize("after", [timedelta(0), -MICRO])
def test_a_move_not_later_than_the_last_membership_is_refused(after: timedelta) -> None:
    tree = a_tree()
    at = BEGINNING + DAY
    move(tree.twin, tree.acme.id, tree.sola.id, at)
    with pytest.raises(MembershipTooEarly, match=r"earliest free instant is 2026-01-02T00:00:00\.000001Z"):
        move(tree.twin, tree.acme.id, tree.strand.id, at + after)
    assert queries.get_company(tree.twin, tree.acme.id).parent_id == tree.sola.id


def test_a_move_before_both_parents_existed_is_too_early_and_names_the_first_free_instant() -> None:
    tree = a_tree()
    late = a_company(tree.twin, "Late", "reseller", effective_from=BEGINNING + 5 * DAY)
    with pytest.raises(MembershipTooEarly) as refusal:
        move(tree.twin, tree.acme.id, late.id, BEGINNING - DAY)
    assert refusal.value.earliest == BEGINNING + MICRO


def test_a_move_to_the_same_parent_is_refused() -> None:
    tree = a_tree()
    with pytest.raises(CompanyInvalid):
        move(tree.twin, tree.acme.id, tree.rhea.id, BEGINNING + DAY)


def test_a_move_under_a_parent_that_did_not_exist_yet_is_refused() -> None:
    tree = a_tree()
    late = a_company(tree.twin, "Late", "reseller", effective_from=BEGINNING + 5 * DAY)
    with pytest.raises(CompanyInvalid):
        move(tree.twin, tree.acme.id, late.id, BEGINNING + 5 * DAY - MICRO)
    assert move(tree.twin, tree.acme.id, late.id, BEGINNING + 5 * DAY).parent_id == late.id


def test_a_company_cannot_come_to_lie_beneath_itself() -> None:
    tree = a_tree()
    before = memberships()
    with pytest.raises(MembershipLoop):
        move(tree.twin, tree.rhea.id, tree.sola.id, BEGINNING + DAY)
    assert memberships() == before
    assert ancestors_at(tree.cedar.id, BEGINNING + DAY) == (tree.sola.id, tree.rhea.id, tree.twin.organisation_id)


def test_a_loop_that_a_planned_move_would_close_later_is_refused() -> None:
    tree = a_tree()
    move(tree.twin, tree.strand.id, tree.rhea.id, clock.now() + 9 * DAY)
    with pytest.raises(MembershipLoop):
        move(tree.twin, tree.rhea.id, tree.strand.id, clock.now() + DAY)


def test_a_loop_that_ended_before_the_move_is_none() -> None:
    tree = a_tree()
    move(tree.twin, tree.sola.id, tree.twin.organisation_id, BEGINNING + DAY)
    moved = move(tree.twin, tree.rhea.id, tree.sola.id, BEGINNING + DAY)
    assert moved.parent_id == tree.sola.id


def test_a_seller_does_not_take_back_what_is_planned_to_leave_it() -> None:
    tree = a_tree()
    leaves = clock.now() + 9 * DAY
    move(tree.twin, tree.acme.id, tree.strand.id, leaves)
    before = memberships()
    with pytest.raises(CompanyNotFound):
        move(scope_of(tree.rhea), tree.acme.id, tree.sola.id, leaves + DAY)
    with pytest.raises(MembershipTooEarly) as refusal:
        move(scope_of(tree.rhea), tree.acme.id, tree.sola.id, leaves - DAY)
    assert refusal.value.earliest is None
    assert memberships() == before


def test_what_moves_away_with_its_seller_is_not_taken_back() -> None:
    tree = a_tree()
    leaves = clock.now() + 9 * DAY
    move(tree.twin, tree.sola.id, tree.strand.id, leaves)
    with pytest.raises(CompanyNotFound):
        move(scope_of(tree.rhea), tree.cedar.id, tree.rhea.id, leaves)
    assert move(scope_of(tree.rhea), tree.cedar.id, tree.rhea.id, leaves - MICRO).id == tree.cedar.id


def test_a_taken_external_id_stops_a_move() -> None:
    tree = a_tree()
    fern = a_company(tree.twin, "Fern", under=tree.rhea.id, external_id="X1")
    a_company(tree.twin, "Gorse", under=tree.strand.id, external_id="X1")
    with pytest.raises(CompanyInvalid):
        move(tree.twin, fern.id, tree.strand.id, BEGINNING + DAY)


@pytest.mark.parametrize("seed", range(6))
def test_random_moves_agree_with_a_walk_at_every_instant(seed: int) -> None:
    chance = Random(seed)
    twin = a_platform()
    ids = [twin.organisation_id]
    for number in range(8):
        parent = chance.choice(ids)
        ids.append(a_company(twin, f"R{number}", "reseller", parent, effective_from=BEGINNING + number * DAY).id)
    for _ in range(25):
        company, parent = chance.choice(ids[1:]), chance.choice(ids)
        at = BEGINNING + chance.randint(1, 60) * DAY
        _try_move_both_ways(twin.organisation_id, company, parent, at)
    known = [Membership(one.company_id, _from_one(ids, one.parent_id), one.start) for one in memberships()]
    snapshot = queries.tree_snapshot(system_scope())
    for company in ids[1:]:
        for number in range(62):
            at = BEGINNING + number * DAY
            chain = chain_at(known, company, at)
            expected = chain and tuple(ids[0] if one == 1 else one for one in chain)
            assert ancestors_at(company, at) == expected
            assert next((one.sellers for one in snapshot.lineages[company] if at in one), None) == expected


def _from_one(ids: list[int], company_id: int) -> int:
    """The oracle calls the platform 1."""
    return 1 if company_id == ids[0] else company_id


def _try_move_both_ways(platform: int, company: int, parent: int, at: datetime) -> None:
    """A move is refused as a loop exactly when the oracle finds one."""
    scope = platform_scope()
    before = memberships()
    planned = [*before, Membership(company, parent, at)]
    try:
        move(scope, company, parent, at)
    except MembershipLoop:
        assert _has_loop(platform, planned)
        assert memberships() == before
    except (MembershipTooEarly, CompanyInvalid):
        assert memberships() == before
    else:
        assert not _has_loop(platform, planned)


def _has_loop(platform: int, known: list[Membership]) -> bool:
    named = [Membership(one.company_id, 1 if one.parent_id == platform else one.parent_id, one.start) for one in known]
    try:
        for company in {one.company_id for one in known}:
            for number in range(62):
                chain_at(named, company, BEGINNING + number * DAY)
    except RecursionError:
        return True
    return False
