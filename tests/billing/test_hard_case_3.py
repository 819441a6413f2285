"""Hard case 3: one key with two contents. The first counts; it is mended by taking it back and by a new key.

Also what a correction of prices does to a month that is closed. Left out: nothing of the case; the retry on two nodes
at once is tried with two writers in tests/metering.
"""

from __future__ import annotations

import json

import pytest

from tests.billing.months import close, lines, statements_between, use
from tests.metering.test_rerating import corrected, differences, price
from tests.world import World, build_world
from twin.metering import actions as metering
from twin.metering import queries
from twin.metering.types import NewPrices, TakenBatch

pytestmark = pytest.mark.database

CENT = 10_000_000


@pytest.fixture
def world() -> World:
    return build_world()


def withdraw(world: World, company_id: int, key: str) -> None:
    metering.withdraw_event(
        world.twin.scope, company_id=company_id, source="smsc-1", event_id=key, reason="wrong quantity"
    )


def test_a_retry_is_a_replay_and_other_content_a_conflict_that_charges_nothing(world: World) -> None:
    use(world.acme.id, "2026-03-10T12:00", key="k", quantity=3)

    assert again(world, quantity=3).duplicates == 1
    assert len(again(world, quantity=5).conflicts) == 1
    assert len(again(world, quantity=3, time="T13:00").conflicts) == 1
    assert again(world, quantity=3, trace="other").duplicates == 1, "what is not billed is no part of the content"

    close(world.rhea, "2026-04-03T00:00")
    [*_, march] = statements_between(world.rhea, world.acme.id)
    assert lines(march) == [("usage", 3, "sms.sent", 1, 3, 6 * CENT)]
    assert len(queries.conflicts_page(world.rhea.scope, after=None, limit=100).items) == 2


def again(world: World, *, quantity: int, time: str = "T12:00", trace: str = "") -> TakenBatch:
    event = {
        "specversion": "1.0", "type": "twin.usage", "source": "smsc-1", "id": "k", "subject": str(world.acme.id),
        "time": f"2026-03-10{time}:00+00:00", "traceparent": trace, "data": {"quantity": quantity, "meter": "sms.sent"},
    }  # fmt: skip
    return metering.take_events(world.twin.scope, json.dumps(event).encode(), batch=False)


def test_within_the_open_month_only_the_right_event_is_billed(world: World) -> None:
    use(world.acme.id, "2026-03-10T12:00", key="wrong", quantity=30)
    withdraw(world, world.acme.id, "wrong")
    use(world.acme.id, "2026-03-10T12:00", key="right", quantity=3)

    close(world.rhea, "2026-04-03T00:00")
    [*_, march] = statements_between(world.rhea, world.acme.id)

    assert lines(march) == [("usage", 3, "sms.sent", 1, 3, 6 * CENT)]
    assert differences() == []


def test_after_the_month_is_closed_both_stand_on_the_next_statement_on_every_edge(world: World) -> None:
    use(world.cedar.id, "2026-03-10T12:00", key="wrong", quantity=30)
    for seller in (world.sola, world.rhea, world.twin):
        close(seller, "2026-04-03T00:00")
    withdraw(world, world.cedar.id, "wrong")
    use(world.cedar.id, "2026-03-10T12:00", key="right", quantity=3)

    for seller, buyer, unit in ((world.sola, world.cedar, 3), (world.rhea, world.sola, 2), (world.twin, world.rhea, 1)):
        close(seller, "2026-05-03T00:00")
        [*_, march, april] = statements_between(seller, buyer.id)
        assert lines(march) == [("usage", 3, "sms.sent", 1, 30, 30 * unit * CENT)]
        assert lines(april) == [("late", 3, "sms.sent", 0, -27, -27 * unit * CENT)]
    assert differences() == []


def test_a_corrected_price_of_a_closed_month_comes_on_the_next_statement_line_by_line(world: World) -> None:
    use(world.acme.id, "2026-03-10T12:00", quantity=5, times=2)
    close(world.rhea, "2026-04-03T00:00")
    use(world.acme.id, "2026-04-10T12:00", quantity=1)

    corrected(
        world.rhea.scope,
        prices=NewPrices(world.rhea_card.id, (price("0.05", since="2026-03-01T00:00:00Z", meter="sms.sent"),)),
    )
    close(world.rhea, "2026-05-03T00:00")
    [*_, march, april] = statements_between(world.rhea, world.acme.id)

    assert lines(march) == [("usage", 3, "sms.sent", 2, 10, 20 * CENT)], "what is closed stays"
    assert sorted(lines(april)) == [
        ("late", 3, "sms.sent", -2, -10, -20 * CENT),
        ("late", 3, "sms.sent", 2, 10, 50 * CENT),
        ("usage", 4, "sms.sent", 1, 1, 5 * CENT),
    ]


def test_a_correction_of_an_open_month_leaves_only_the_right_line(world: World) -> None:
    use(world.acme.id, "2026-03-10T12:00", quantity=5, times=2)
    for text in ("0.05", "0.03"):
        new = price(text, since="2026-03-01T00:00:00Z", meter="sms.sent")
        corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, (new,)))

    close(world.rhea, "2026-04-03T00:00")
    [*_, march] = statements_between(world.rhea, world.acme.id)

    assert [line for line in lines(march) if line[3] or line[5]] == [("usage", 3, "sms.sent", 2, 10, 30 * CENT)]
