"""Changes of the tree at the same time: each sees the other's work or waits for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from tests.companies.factories import BEGINNING, a_company, a_tree, move
from twin.companies import actions, queries
from twin.companies.access import system_scope
from twin.companies.catalogue import catalogue_change, current_version, share_catalogue
from twin.companies.errors import CompanyInvalid, MembershipLoop, PlatformExists
from twin.kernel.errors import TwinError

pytestmark = pytest.mark.database


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each work answered, or the refusal it met; all start together."""
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait(timeout=30)
        try:
            return work()
        except TwinError as refusal:
            return type(refusal)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_many_platforms_one_is_made() -> None:
    def make() -> object:
        return actions.create_platform(name="Twin", time_zone="UTC", currency="EUR").kind

    assert sorted(map(str, at_once(make, make, make))) == sorted(map(str, ["platform", PlatformExists, PlatformExists]))


def test_one_external_id_goes_to_one_company() -> None:
    tree = a_tree()

    def make() -> object:
        return a_company(tree.twin, "Fern", under=tree.rhea.id, external_id="X1").external_id

    assert sorted(map(str, at_once(make, make, make))) == sorted(map(str, ["X1", CompanyInvalid, CompanyInvalid]))


def test_two_moves_that_would_close_a_loop_together_do_not() -> None:
    tree = a_tree()
    at = BEGINNING + timedelta(days=1)
    answers = at_once(
        lambda: move(tree.twin, tree.strand.id, tree.rhea.id, at).parent_id,
        lambda: move(tree.twin, tree.rhea.id, tree.strand.id, at).parent_id,
    )
    assert answers.count(MembershipLoop) == 1


def test_a_change_waits_for_those_who_rate_and_they_for_it() -> None:
    a_tree()
    order: list[str] = []
    writer = connections["writer"]
    with ThreadPoolExecutor(1) as pool:
        writer.set_autocommit(False)
        before = share_catalogue(writer)

        def change() -> int:
            with catalogue_change() as made:
                order.append("changed")
            connections.close_all()
            return made.version

        changing = pool.submit(change)
        with pytest.raises(TimeoutError):
            changing.result(timeout=0.5)
        order.append("rated")
        assert current_version(writer) == before
        writer.rollback()
        writer.set_autocommit(True)
        assert changing.result(timeout=30) == before + 1
    assert order == ["rated", "changed"]


def test_every_change_of_the_tree_has_a_version_of_its_own() -> None:
    tree = a_tree()
    before = queries.tree_snapshot(system_scope()).version
    at_once(*[lambda: a_company(tree.twin, "Fern").id] * 4)
    after = queries.tree_snapshot(system_scope())
    assert after.version == before + 4
    assert [one.name for one in after.companies.values()].count("Fern") == 4
