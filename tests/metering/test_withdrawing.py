"""An event that should never have been: taken back on every edge with its count, its key used for ever."""

from __future__ import annotations

import pytest

from tests.metering.test_late_prices import NOON, rate, without_price
from tests.metering.test_rerating import corrections, differences, price, repriced, rows
from tests.metering.test_taking import DAY, cells, event, take
from tests.world import World
from twin.kernel.errors import Forbidden
from twin.metering import actions, queries
from twin.metering.errors import EventUnknown
from twin.metering.types import Withdrawal

pytestmark = pytest.mark.database


def withdraw(world: World, company_id: int, event_id: str) -> Withdrawal:
    return actions.withdraw_event(
        world.twin.scope, company_id=company_id, source="smsc-1", event_id=event_id, reason="wrong quantity"
    )


def test_nobody_owes_for_it_and_no_total_counts_it(world: World) -> None:
    take(world, event(world.cedar.id, "wrong", quantity=500), event(world.cedar.id, "right", quantity=5))

    withdrawal = withdraw(world, world.cedar.id, "wrong")

    assert (withdrawal.edges, withdrawal.is_new) == (3, True)
    for folded in (False, True):
        if folded:
            actions.fold()
        assert cells(world, "sola") == [(world.cedar.id, 2, 1, 5, 100_000_000, 150_000_000, 0)]
        assert cells(world, "rhea") == [(world.cedar.id, 2, 1, 5, 50_000_000, 100_000_000, 0)]
        assert cells(world, "twin") == [(world.cedar.id, 2, 1, 5, 0, 50_000_000, 0)]
        assert differences() == []
    [[usage]] = queries.usage_cells(world.cedar.scope, world.cedar.id, [DAY])
    assert (usage.count, usage.quantity, usage.price) == (1, 5, 150_000_000)
    [group] = queries.charges_by_rate(world.sola.scope, world.cedar.id, DAY, meters=["sms.delivered"])
    assert (group.count, group.sell) == (1, 150_000_000)
    page = queries.events_of(world.sola.scope, world.cedar.id, DAY, meters=["sms.delivered"])
    assert [(line.id, line.is_withdrawn, line.sell.amount) for line in page.items] in (
        [("wrong", True, 0), ("right", False, 150_000_000)],
        [("right", False, 150_000_000), ("wrong", True, 0)],
    )


def test_taking_back_twice_takes_back_once(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    withdraw(world, world.acme.id, "a")
    written = corrections()

    assert not withdraw(world, world.acme.id, "a").is_new
    assert corrections() == written
    assert cells(world, "rhea") == []
    assert take(world, event(world.acme.id, "a")).duplicates == 1, "its key stays used"


def test_a_correction_leaves_alone_what_was_taken_back(world: World) -> None:
    take(world, event(world.acme.id, "a"), event(world.acme.id, "b"))
    withdraw(world, world.acme.id, "a")

    repriced(world, price("0.05"))

    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 1, 10_000_000, 50_000_000, 0)]
    assert differences() == []


def test_what_stands_after_corrections_is_what_is_taken_back(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    repriced(world, price("0.05"))

    withdraw(world, world.acme.id, "a")

    assert cells(world, "rhea") == cells(world, "twin") == []
    assert sum(amount for _, _, amount in corrections()) == -30_000_000
    assert differences() == []


def test_what_had_no_price_waits_for_none_any_more(world: World) -> None:
    card = without_price(world)
    take(world, event(world.acme.id, "a", meter="sms.sent", time=NOON))

    withdraw(world, world.acme.id, "a")

    assert queries.unrated_groups(world.rhea.scope) == []
    assert cells(world, "rhea") == cells(world, "twin") == []
    assert actions.publish_rates(world.rhea.scope, card_id=card, rates=[rate("0.05")]).priced == 0
    assert differences() == []


def test_only_the_operator_takes_usage_back_and_only_what_there_is(world: World) -> None:
    take(world, event(world.acme.id, "a"))

    with pytest.raises(Forbidden):
        actions.withdraw_event(world.rhea.scope, company_id=world.acme.id, source="smsc-1", event_id="a", reason="mine")
    for company_id, event_id in ((world.acme.id, "b"), (world.birch.id, "a")):
        with pytest.raises(EventUnknown):
            withdraw(world, company_id, event_id)
    assert corrections() == []
    assert rows("select 1 from kernel_securityevent where event = 'event.withdrawn'") == []
