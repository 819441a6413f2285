"""Statements closed by an earlier Twin, whose shards were those of companies, stand among the new numbers."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction

from tests.billing.months import close, statements_between, use
from tests.informing import inform
from tests.world import World, build_world
from twin.billing.queries.verifying import differing_statements
from twin.metering.actions import fold
from twin.metering.queries import current_cutoff
from twin.metering.store import SHARDS

pytestmark = pytest.mark.database

_migration: Any = import_module("twin.metering.migrations.0012_numbers_say_their_shard")
# More batches than usage has made, so that no number means two things.
REACHED = (9, 7, 8, 5)


def run(*statements: str) -> list[Any]:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def as_before(db_clean: object) -> Iterator[World]:
    """All that was taken has numbers as an earlier Twin gave them: the company's shard, counted by one."""
    world = build_world()
    for party in (world.rhea, world.acme, world.birch):
        inform(party.id)
    for company in (world.acme, world.birch):
        use(company.id, "2026-01-10T12:00", quantity=3)
    fold()  # journals bear numbers, too
    reached = ",".join(f"({shard}, {last})" for shard, last in enumerate(REACHED))
    run(
        f"update metering_event e set batch = r.last from (values {reached}) r (shard, last)"
        f" where r.shard = company_id % {SHARDS}",
        "truncate metering_batch",
        f"insert into metering_batch select shard, last, now(), 1 from (values {reached}) r (shard, last)",
        f"update metering_shard s set last = r.last from (values {reached}) r (shard, last) where r.shard = s.shard",
        "alter table metering_shard drop column counted_from",
    )
    yield world
    run("alter table metering_shard add column if not exists counted_from bigint not null default 0")


def go_on(world: World) -> None:
    """What the migration does."""
    run(_migration.NUMBERS)
    assert current_cutoff(world.twin.scope) == tuple(_migration.FIRST - SHARDS + shard for shard in range(SHARDS))
    assert run("select sum((last - counted_from) / 4) from metering_shard") == [(sum(REACHED),)]


def kinds(world: World) -> list[list[tuple[str, int]]]:
    return [[(line.kind, line.quantity) for line in one.lines] for one in statements_between(world.rhea, world.acme.id)]


def test_what_came_later_is_late_and_what_was_closed_stays_closed(as_before: World) -> None:
    world = as_before
    close(world.rhea, "2026-02-02T00:00", tell=False)
    before = statements_between(world.rhea, world.acme.id)
    assert before[0].cutoff == REACHED
    go_on(world)

    for number in range(6):
        use(world.acme.id, f"2026-01-2{number}T12:00")
    use(world.acme.id, "2026-02-03T12:00", quantity=7)
    close(world.rhea, "2026-03-02T00:00", tell=False)

    assert statements_between(world.rhea, world.acme.id)[0] == before[0]
    assert kinds(world) == [[("usage", 3)], [("usage", 7), ("late", 6)]]
    assert differing_statements(world.rhea.scope)[1] == []
    close(world.rhea, "2026-04-02T00:00", tell=False)
    assert kinds(world)[2:] == [[]]


def test_more_batches_than_can_be_are_refused(as_before: World) -> None:
    run(f"update metering_shard set last = {_migration.FIRST} where shard = 2")
    with pytest.raises(DatabaseError, match="nothing was changed"):
        run(_migration.NUMBERS)


def test_a_month_may_hold_old_numbers_and_new_ones(as_before: World) -> None:
    world = as_before
    go_on(world)
    use(world.acme.id, "2026-01-20T12:00", quantity=4)
    close(world.rhea, "2026-02-02T00:00", tell=False)

    assert kinds(world) == [[("usage", 7)]]
    assert differing_statements(world.rhea.scope)[1] == []
