"""The order in which batches are committed: what a statement's cutoff stands on."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from django.db import connections, transaction

from tests.metering.test_taking import event, take
from tests.metering.transactions import Aside, slow_batches
from tests.world import World
from twin.kernel import clock
from twin.metering import actions, queries
from twin.metering.actions import taking
from twin.metering.rules.decoding import decode_batch
from twin.metering.store import SHARDS, next_batch, writer_connection

pytestmark = pytest.mark.database


def rows(statement: str, *values: Any) -> list[Any]:
    with connections["writer"].cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def test_a_batch_takes_one_number_whatever_its_companies(world: World) -> None:
    companies = (world.dune, world.echo, world.acme, world.birch)
    take(world, *(event(companies[number % 4].id, f"a{number}") for number in range(3_000)))

    assert rows("select distinct batch from metering_event") == rows("select batch from metering_batch")
    assert rows("select events from metering_batch") == [(3_000,)]
    assert rows("select bool_and(shard = batch %% %s) from metering_batch", SHARDS) == [(True,)]


def test_nobody_waits_for_a_slow_transaction_while_a_shard_is_free(world: World) -> None:
    with slow_batches(SHARDS - 1) as slow:
        assert take(world, event(world.acme.id, "a")).accepted == 1
        ((number,),) = rows("select batch from metering_event")
        assert number % SHARDS not in {one % SHARDS for one in slow}


def test_a_slow_transaction_is_never_overtaken_by_a_larger_number_of_its_shard(world: World) -> None:
    body = json.dumps([event(world.acme.id, "late")]).encode()

    with slow_batches(SHARDS) as slow:
        other = Aside(lambda: actions.take_events(world.twin.scope, body, batch=True))
        assert not other.done.wait(0.5), "a batch was committed past one that holds a smaller number of its shard"
        assert len({number % SHARDS for number in slow}) == SHARDS
    assert other.is_done()
    ((number,),) = rows("select batch from metering_event")
    assert number - SHARDS in slow


def test_a_number_of_a_failed_batch_is_given_again(world: World) -> None:
    given: list[int] = []
    for _ in range(2):
        with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
            given.append(next_batch(cursor, clock.now()))
            transaction.set_rollback(True, using="writer")

    assert given[0] == given[1]


def test_shards_take_turns_and_leave_no_gap(world: World) -> None:
    """Of shards that went unequal ways the least number of a cutoff would find much that was seen before."""
    for number in range(10):
        take(world, event(world.acme.id, f"a{number}"))

    numbers = [number for (number,) in rows("select batch from metering_batch order by batch")]
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert sum(queries.current_cutoff(world.twin.scope)) == sum(numbers[-SHARDS:])


def test_what_lies_up_to_a_cutoff_never_changes(world: World) -> None:
    """Writers at once, without a gate between them, and a reader that looks at what it saw before."""
    going = threading.Event()
    going.set()
    failures: list[BaseException] = []

    def write(name: int) -> None:
        number = 0
        try:
            while going.is_set():
                events = [event(world.acme.id, f"{name}-{number + n}") for n in range(3)]
                decoded = decode_batch(json.dumps(events).encode())
                taking._take(world.twin.scope, decoded)
                number += 3
        except BaseException as problem:  # noqa: BLE001 - told by the test itself
            failures.append(problem)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=[name]) for name in range(SHARDS + 2)]
    for writer in writers:
        writer.start()
    seen = [_cutoff_and_count()]
    end = time.monotonic() + 60
    while len({count for _, count in seen}) < 12 and time.monotonic() < end:
        seen.append(_cutoff_and_count())
    going.clear()
    for writer in writers:
        writer.join(30)
    assert failures == []
    assert len({count for _, count in seen}) >= 12
    for cutoff, count in seen:
        assert _count_up_to(cutoff) == count
    assert queries.find_differences().differences == []


def _cutoff_and_count() -> tuple[tuple[int, ...], int]:
    """Both of one snapshot: every row of it lies up to the cutoff."""
    with transaction.atomic(using="writer"), connections["writer"].cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select last from metering_shard order by shard")
        cutoff = tuple(row[0] for row in cursor.fetchall())
        cursor.execute("select count(*) from metering_event")
        return cutoff, int(cursor.fetchone()[0])


def _count_up_to(cutoff: tuple[int, ...]) -> int:
    ((count,),) = rows(
        "select count(*) from metering_event e where batch <= (%s::bigint[])[metering_shard_of(company_id, batch) + 1]",
        list(cutoff),
    )
    return int(count)


def test_the_same_events_from_two_sides_at_once_count_once(world: World) -> None:
    """Nothing keeps two processes from storing the same company at once: the keys alone decide."""
    decoded = decode_batch(json.dumps([event(world.acme.id, f"a{n}") for n in range(500)]).encode())
    outcomes: list[Any] = []
    barrier = threading.Barrier(SHARDS)

    def write() -> None:
        try:
            barrier.wait(10)
            outcomes.append(taking._take(world.twin.scope, decoded))
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(SHARDS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert sorted((len(one.accepted), len(one.duplicates)) for one in outcomes) == [(0, 500)] * 3 + [(500, 0)]
    assert queries.find_differences().differences == []
