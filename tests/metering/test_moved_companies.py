"""Who still sees what of a company that has moved, and what keeps a move from changing the record."""

from __future__ import annotations

import pytest

from tests.metering.test_taking import event, take
from tests.world import World
from twin.kernel.period import parse_instant
from twin.metering import actions, queries
from twin.metering.errors import AlreadyCharged

pytestmark = pytest.mark.database

BEFORE, FIRST_MOVE, BETWEEN, BACK, AFTER = (f"2026-03-0{day}T12:00:00Z" for day in range(1, 6))


def move(world: World, who: str, company: str, parent: str, at: str) -> None:
    actions.move_company(
        world.parties[who].scope,
        company_id=world.parties[company].id,
        parent_id=world.parties[parent].id,
        effective_from=parse_instant(at),
    )


def test_conflicts_after_a_move_are_the_new_seller_s_business(world: World) -> None:
    move(world, "twin", "acme", "strand", FIRST_MOVE)
    for at in (BEFORE, AFTER):
        take(world, event(world.acme.id, at, time=at))
        take(world, event(world.acme.id, at, time=at, quantity=7))

    def seen_by(party: str) -> list[str]:
        return sorted(
            conflict.id for conflict in queries.conflicts_page(world.parties[party].scope, after=None, limit=100).items
        )

    assert seen_by("rhea") == [BEFORE]
    assert seen_by("strand") == [AFTER]
    assert seen_by("twin") == seen_by("acme") == [BEFORE, AFTER]


def test_usage_that_another_seller_had_meanwhile_keeps_a_company_in_its_place(world: World) -> None:
    move(world, "twin", "sola", "strand", FIRST_MOVE)
    take(world, event(world.cedar.id, "a", time=BETWEEN))
    move(world, "twin", "sola", "rhea", BACK)

    with pytest.raises(AlreadyCharged, match="2026-03-03T12:00:00"):
        move(world, "rhea", "cedar", "rhea", BEFORE)
    move(world, "rhea", "cedar", "rhea", AFTER)


def test_usage_of_a_company_that_has_left_does_not_keep_its_former_seller_in_place(world: World) -> None:
    move(world, "twin", "cedar", "strand", FIRST_MOVE)
    take(world, event(world.cedar.id, "a", time=AFTER))

    move(world, "twin", "sola", "strand", BEFORE)


def test_the_free_instant_named_is_that_of_what_lies_beneath(world: World) -> None:
    take(world, event(world.cedar.id, "a", time=BEFORE))
    move(world, "twin", "cedar", "strand", FIRST_MOVE)
    take(world, event(world.cedar.id, "b", time=AFTER))

    with pytest.raises(AlreadyCharged, match=r"free instant for this move is 2026-03-01T12:00:00\.000001Z"):
        move(world, "twin", "sola", "strand", BEFORE)
