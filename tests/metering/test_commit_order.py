"""The order in which batches are committed: what a statement's cutoff will stand on."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connections, transaction

from tests.metering.test_taking import event
from tests.world import World
from twin.metering import actions
from twin.metering.store import SHARDS, lock_shards, next_batches, writer_connection

pytestmark = pytest.mark.database


def numbers(shard: int) -> list[int]:
    with connections["writer"].cursor() as cursor:
        cursor.execute("select batch from metering_batch where shard = %s order by batch", [shard])
        return [row[0] for row in cursor.fetchall()]


def test_a_slow_transaction_is_never_overtaken_by_a_larger_number(world: World) -> None:
    company = world.acme.id
    shard = company % SHARDS
    taken = threading.Event()
    body = json.dumps([event(company, "late")]).encode()

    def take() -> None:
        actions.take_events(world.twin.scope, body, batch=True)
        taken.set()
        connections.close_all()

    other = threading.Thread(target=take)
    with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
        lock_shards(cursor, [shard])
        slow = next_batches(cursor, [shard])[shard]
        other.start()
        assert not taken.wait(0.5), "a batch was committed past one that holds a smaller number"
        cursor.execute(
            "insert into metering_batch (shard, batch, received_at, events) values (%s, %s, now(), 0)", [shard, slow]
        )
    other.join(10)

    assert numbers(shard) == [slow, slow + 1]


def test_a_number_of_a_failed_batch_is_given_again(world: World) -> None:
    shard = world.acme.id % SHARDS
    given: list[Any] = []
    for _ in range(2):
        with transaction.atomic(using="writer"), writer_connection().cursor() as cursor:
            lock_shards(cursor, [shard])
            given.append(next_batches(cursor, [shard])[shard])
            transaction.set_rollback(True, using="writer")

    assert given[0] == given[1]
