"""Closing beside slow ingestion, beside another closing, and killed between any two writes: once, and nothing lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections

from tests.billing.ledgers import owner
from tests.billing.months import close, lines, statements_between, use
from tests.informing import inform
from tests.world import World, build_world
from twin.billing.actions import closing
from twin.billing.queries.statements import open_statements
from twin.billing.queries.verifying import differing_statements
from twin.metering.actions import taking

pytestmark = pytest.mark.database

CENT = 10_000_000

# A statement with charges and no document, or a document that nobody owes.
UNPOSTED = """
    select s.id from billing_statement s left join billing_invoice i on i.statement_id = s.id
    left join billing_transaction t on t.invoice_id = i.id
    where s.state = 'closed' and s.amount <> 0 and t.id is null
"""


class Killed(Exception):
    """The process ends here."""


@pytest.fixture
def world() -> World:
    return build_world()


def test_a_slow_transaction_is_neither_lost_nor_doubled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    has_number, may_commit = threading.Event(), threading.Event()
    last_write = taking._copy_unrated

    def wait_before_commit(*args: Any) -> None:
        last_write(*args)
        has_number.set()
        assert may_commit.wait(30)

    monkeypatch.setattr(taking, "_copy_unrated", wait_before_commit)
    slow = threading.Thread(target=in_own_connection(lambda: use(world.acme.id, "2026-01-20T12:00", quantity=3)))
    slow.start()
    assert has_number.wait(30)
    # Its number is taken, its rows are not to be seen.
    close(world.rhea, "2026-02-02T00:00")
    may_commit.set()
    slow.join(30)
    monkeypatch.undo()
    close(world.rhea, "2026-03-02T00:00")
    january, february = statements_between(world.rhea, world.acme.id)
    assert lines(january) == [("usage", 1, "sms.sent", 1, 1, 2 * CENT)]
    assert lines(february) == [("late", 1, "sms.sent", 1, 3, 6 * CENT)]
    assert differing_statements(world.rhea.scope)[1] == []


def test_two_closings_at_once_close_once(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    done: list[int] = []
    start = threading.Barrier(3)

    def run() -> None:
        start.wait(30)
        done.append(close(world.rhea, "2026-06-02T00:00").closed)

    threads = [threading.Thread(target=in_own_connection(run)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # Acme, Birch and Sola, January to May.
    assert sum(done) == 15
    for buyer in (world.acme.id, world.birch.id, world.sola.id):
        assert [one.month.month for one in statements_between(world.rhea, buyer)] == [1, 2, 3, 4, 5]
    assert differing_statements(world.rhea.scope) == (15, [])


def test_killed_between_any_two_questions_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "_A_TRANSACTION", 1)
    for party in (world.rhea, world.acme, world.birch):
        inform(party.id)
    use(world.acme.id, "2026-01-10T12:00")
    use(world.birch.id, "2026-02-10T12:00", quantity=2)
    for number in range(1, 1_000):
        try:
            with killed_at(number):
                close(world.rhea, "2026-03-02T00:00")
            break
        except Killed:
            connection.close()
            # Whatever is there is whole.
            assert differing_statements(world.rhea.scope)[1] == []
            assert owner(UNPOSTED) == []
    assert number > 20
    assert owner("select series, number, buyer_id, net_minor from billing_invoice order by number") == [
        ("INV", 1, world.acme.id, 2),
        ("INV", 2, world.birch.id, 4),
    ]
    found = {buyer: statements_between(world.rhea, buyer) for buyer in (world.acme.id, world.birch.id, world.sola.id)}
    assert [[one.amount for one in each] for each in found.values()] == [[2 * CENT, 0], [0, 4 * CENT], [0, 0]]
    assert [one.period.start for one in found[world.acme.id][1:]] == [found[world.acme.id][0].period.end]


def test_the_drill_of_an_open_month_closed_meanwhile_finds_the_next(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    before = open_statements(world.acme.scope, world.rhea.id, world.acme.id)[0]
    close(world.rhea, "2026-02-02T00:00")
    assert open_statements(world.acme.scope, world.rhea.id, world.acme.id)[0].period.start == before.period.end


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """The connection is cut right before the statement of that number."""
    left = number

    def count(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            connection.connection.close()
            raise Killed
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(count):
        yield


def in_own_connection(act: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            act()
        finally:
            for each in connections.all(initialized_only=True):
                each.close()

    return run
