"""A large batch is stored in parts, by the shards it needs: one answer, whatever befalls between two parts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from tests.metering.test_taking import cells, event, take
from tests.world import World
from twin.kernel.money import to_nano
from twin.kernel.period import parse_instant
from twin.metering import actions, queries
from twin.metering.actions import taking
from twin.metering.preparing import LEAST_IN_PARTS, PARTS
from twin.metering.store import SHARDS, lock_shards, writer_connection
from twin.metering.types import TakenBatch
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

SIZE = LEAST_IN_PARTS


def part_of(company: int) -> int:
    return company % SHARDS * PARTS // SHARDS


@pytest.fixture
def pair(world: World) -> tuple[int, int]:
    """Two companies with the same prices: the usage of the first is stored before that of the second."""
    found = {part_of(party.id): party.id for party in (world.dune, world.echo, world.acme, world.birch)}
    return found[0], found[1]


def batch(pair: tuple[int, int], **data: Any) -> list[dict[str, Any]]:
    return [event(pair[number % 2], f"a{number}", **data) for number in range(SIZE)]


def between_the_parts(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Do something once, when the first part is on disk."""
    store = taking._store
    stored: list[Any] = []

    def stopping(*arguments: Any, **named: Any) -> Any:
        if len(stored) == 1:
            stored.append(None)
            happens()
        outcome = store(*arguments, **named)
        stored.append(outcome)
        return outcome

    monkeypatch.setattr(taking, "_store", stopping)


def test_one_answer_for_all_parts(world: World, pair: tuple[int, int]) -> None:
    first = batch(pair)
    repeated, contradicting = first[1], event(pair[1], "a3", quantity=9)
    refused = [event(pair[0], "b", meter="no.such"), event("unheard", "c")]

    taken = take(world, *first, repeated, refused[0], contradicting, refused[1])

    assert (taken.accepted, taken.duplicates, taken.unrated) == (SIZE, 1, 0)
    assert [(one.index, one.id) for one in taken.conflicts] == [(SIZE + 2, "a3")]
    assert [(one.index, one.id) for one in taken.rejected] == [(SIZE + 1, "b"), (SIZE + 3, "c")]
    assert take(world, *first) == TakenBatch(duplicates=SIZE)
    assert queries.find_differences().differences == []


def test_a_part_that_others_hold_up_holds_up_no_other(world: World, pair: tuple[int, int]) -> None:
    answered = threading.Event()

    def send() -> None:
        assert take(world, *batch(pair)).accepted == SIZE
        answered.set()
        connections.close_all()

    other = threading.Thread(target=send)
    stored = 0
    with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
        lock_shards(cursor, [pair[1] % SHARDS])
        other.start()
        while not answered.wait(0.05):
            cursor.execute("select count(*) from metering_event where company_id = any(%s)", [list(pair)])
            (stored,) = cursor.fetchone() or (0,)
            if stored:
                break
        assert stored == SIZE // 2
        assert not answered.is_set(), "answered before all of it was on disk"
    other.join(10)
    assert answered.is_set()


def test_prices_that_change_between_the_parts_hold_for_the_second(
    world: World, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    since = parse_instant("2026-03-01T11:00:00Z")
    dearer = NewRate("sms.delivered", {}, to_nano("9"), 1, 0, 1, 0, since)
    later = [event(pair[1], f"b{number}", time="2026-03-01T12:00:00Z") for number in range(SIZE)]

    def publish() -> None:
        actions.publish_rates(world.twin.scope, card_id=world.wholesale.id, rates=[dearer])

    between_the_parts(monkeypatch, publish)

    taken = take(world, event(pair[0], "a"), *later, event("unheard", "c"))

    assert (taken.accepted, taken.duplicates, [one.index for one in taken.rejected]) == (SIZE + 1, 0, [SIZE + 1])
    sold = {row[0]: row[5] for row in cells(world, "twin")}
    assert sold == {pair[0]: 10_000_000, pair[1]: SIZE * 9 * 10**9}
    assert queries.find_differences().differences == []


def test_what_is_stored_stays_when_the_rest_fails(
    world: World, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as broken:
        between_the_parts(broken, fail)
        with pytest.raises(RuntimeError, match="the power went"):
            take(world, *batch(pair))

    taken = take(world, *batch(pair))
    assert (taken.accepted, taken.duplicates) == (SIZE // 2, SIZE // 2)
    assert sum(row[2] for party in ("rhea", "strand") for row in cells(world, party)) == SIZE
    assert queries.find_differences().differences == []


def test_a_small_batch_is_one_transaction(world: World, pair: tuple[int, int]) -> None:
    take(world, *batch(pair)[: SIZE - 1])

    with connections["writer"].cursor() as cursor:
        cursor.execute(
            "select count(distinct (shard, batch)) from metering_journal where seller_id = %s", [world.twin.id]
        )
        assert cursor.fetchone()[0] == 1
