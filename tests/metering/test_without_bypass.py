"""On a server that gives no BYPASSRLS owner and writer pass by policies, and ingestion goes by temporary tables."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections

from tests.metering.test_late_prices import NOON, rate, without_price
from tests.metering.test_rerating import price, repriced
from tests.metering.test_taking import cells, event, take
from tests.world import World, build_world
from twin.engine.roles import let_through
from twin.engine.testing import ThrowawayServer
from twin.engine.types import DatabaseRoles
from twin.metering import actions, queries, store


@pytest.fixture
def managed_world(database_server: ThrowawayServer, db_clean: DatabaseRoles) -> Iterator[World]:
    """The small world in a database whose owner and writer have no BYPASSRLS."""
    names = (db_clean.owner["user"], db_clean.writer["user"])
    _set_bypass(database_server, names, "nobypassrls")
    with psycopg.connect(**db_clean.owner) as owner:
        let_through(owner, db_clean.writer["user"])
    store.may_copy.cache_clear()
    yield build_world()
    _set_bypass(database_server, names, "bypassrls")
    store.may_copy.cache_clear()
    connections["writer"].close()
    with psycopg.connect(**db_clean.owner) as owner:
        for policy, table in owner.execute(
            "select policyname, tablename from pg_policies where policyname in ('owner_passes', 'writer_passes')"
        ).fetchall():
            owner.execute(f"drop policy {policy} on {table}")


def _set_bypass(server: ThrowawayServer, names: tuple[str, str], word: str) -> None:
    with psycopg.connect(**server.superuser(), autocommit=True) as admin:
        for name in names:
            admin.execute(f"alter role {name} {word}")


def test_usage_is_taken_charged_and_proved_without_bypass(managed_world: World) -> None:
    world = managed_world
    first = [event(world.acme.id, f"a{number}", quantity=number) for number in range(5)]
    taken = take(world, *first, event(world.sola.id, "b"), event(world.acme.id, "c", meter="chat.bot_message"))
    assert (taken.accepted, taken.rejected) == (7, [])

    again = take(world, *first, event(world.acme.id, "a1", quantity=99), event(world.acme.id, "d"))
    assert (again.accepted, again.duplicates, len(again.conflicts)) == (1, 5, 1)
    assert [conflict.id for conflict in queries.conflicts_page(world.twin.scope, after=None, limit=100).items] == ["a1"]

    before = cells(world, "rhea")
    assert actions.fold() > 0
    assert cells(world, "rhea") == before
    report = queries.find_differences()
    assert (report.differences, report.events) == ([], 8)


def test_an_edge_without_a_price_waits_and_is_charged_later_without_bypass(managed_world: World) -> None:
    world = managed_world
    card = without_price(world)
    assert take(world, event(world.acme.id, "u", meter="sms.sent", quantity=2, time=NOON)).unrated == 1

    assert actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.05", NOON)]).priced == 1
    assert queries.unrated_groups(world.rhea.scope) == []
    assert cells(world, "rhea") == [(world.acme.id, 1, 1, 2, 20_000_000, 100_000_000, 0)]
    assert queries.find_differences().differences == []


def test_charges_are_corrected_and_events_withdrawn_without_bypass(managed_world: World) -> None:
    world = managed_world
    take(world, event(world.acme.id, "a"), event(world.acme.id, "b"))

    repriced(world, price("0.05"))
    actions.withdraw_event(world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="b", reason="wrong")

    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 1, 10_000_000, 50_000_000, 0)]
    assert queries.find_differences().differences == []


def test_the_app_role_still_sees_nothing_without_an_organisation(managed_world: World) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select count(*) from companies_company")
        assert cursor.fetchone() == (0,)


def test_letting_through_twice_changes_nothing(managed_world: World, db_clean: DatabaseRoles) -> None:
    with psycopg.connect(**db_clean.owner) as owner:
        count = "select count(*) from pg_policies where policyname in ('owner_passes', 'writer_passes')"
        (before,) = owner.execute(count).fetchone() or (0,)
        let_through(owner, db_clean.writer["user"])
        assert owner.execute(count).fetchone() == (before,)
        assert before > 0
