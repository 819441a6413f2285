"""What every buyer owes its seller in all: kept with the totals, equal to the rows at every instant."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from tests.metering.test_late_prices import NOON, rate, without_price
from tests.metering.test_taking import event, take
from tests.world import World
from twin.kernel.period import parse_instant
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions, queries
from twin.metering.queries.spent import spent_by_buyers
from twin.metering.rules.spent import spent_by_seller, spent_of_edges

EDGES = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 2**31 - 1), st.integers(-(2**63) + 1, 2**63 - 1)), max_size=30
)


@given(EDGES)
def test_sums_by_pair_are_exact_whatever_their_size(edges: list[tuple[int, int, int]]) -> None:
    expected: dict[tuple[int, int], int] = {}
    for seller, buyer, amount in edges:
        expected[seller, buyer] = expected.get((seller, buyer), 0) + amount
    found = {
        (seller, buyer): amount
        for seller, cells in spent_of_edges(edges).items()
        for buyer, amount in zip(cells.company.tolist(), cells.sell.tolist(), strict=True)
    }
    assert {pair: amount for pair, amount in found.items() if amount} == {p: a for p, a in expected.items() if a}


def test_nothing_is_owed_for_free_usage() -> None:
    assert spent_by_seller(np.array([1, 2]), np.array([3, 4]), np.array([0, 0])) == {}


def owed(world: World, seller: str) -> dict[str, int]:
    names = {party.id: name for name, party in world.parties.items()}
    return {names[buyer]: amount for buyer, amount in spent_by_buyers(world.parties[seller].scope).items() if amount}


@pytest.mark.database
def test_usage_stands_with_the_direct_buyer_of_every_seller_above(world: World) -> None:
    take(world, event(world.cedar.id, "c", meter="sms.sent", quantity=2), event(world.acme.id, "a", quantity=1))

    for _ in range(2):
        assert owed(world, "twin") == {"rhea": 30_000_000}
        assert owed(world, "rhea") == {"sola": 40_000_000, "acme": 20_000_000}
        assert owed(world, "sola") == {"cedar": 60_000_000}
        assert owed(world, "acme") == {}
        assert queries.find_differences().differences == []
        actions.fold()


@pytest.mark.database
def test_a_price_found_later_is_owed_from_then_on(world: World) -> None:
    card = without_price(world)
    take(world, event(world.acme.id, "a", meter="sms.sent", quantity=2, time=NOON))
    actions.fold()
    assert owed(world, "rhea") == {}
    assert owed(world, "twin") == {"rhea": 20_000_000}

    actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.05", NOON)])

    assert owed(world, "rhea") == {"acme": 100_000_000}
    actions.fold()
    assert owed(world, "rhea") == {"acme": 100_000_000}
    assert queries.find_differences().differences == []


@pytest.mark.database
def test_what_was_used_before_a_move_stays_with_the_buyer_of_then(world: World) -> None:
    take(world, event(world.cedar.id, "before", meter="sms.sent", time="2026-03-01T12:10:00Z"))
    moved_at = parse_instant("2026-03-01T12:30:00Z")
    actions.move_company(world.twin.scope, company_id=world.cedar.id, parent_id=world.rhea.id, effective_from=moved_at)
    # Late, for the seller of then, in the hour of the move.
    take(world, event(world.cedar.id, "late", meter="sms.sent", time="2026-03-01T12:20:00Z"))
    take(world, event(world.cedar.id, "after", meter="sms.sent", time="2026-03-01T12:40:00Z"))

    for _ in range(2):
        assert owed(world, "rhea") == {"sola": 40_000_000, "cedar": 20_000_000}
        assert owed(world, "sola") == {"cedar": 60_000_000}
        assert queries.find_differences().differences == []
        actions.fold()


@pytest.mark.database
def test_nobody_but_the_seller_reads_it(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    for party in (world.acme, world.birch, world.strand, world.twin):
        with tenant_transaction(party.id), connections["default"].cursor() as cursor:
            cursor.execute("select count(*) from metering_spent where seller_id = %s", [world.rhea.id])
            assert cursor.fetchone() == (0,)


@pytest.mark.database
def test_a_wrong_total_is_found(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    actions.fold()
    with connections["owner"].cursor() as cursor:
        cursor.execute("update metering_spent set amount = amount + 1 where buyer_id = %s", [world.acme.id])
    assert queries.find_differences().differences == [
        f"seller {world.rhea.id}, buyer {world.acme.id}: rows owe 20000000, totals say 20000001"
    ]
