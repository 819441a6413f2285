"""Hard case 9: minimum and increment belong to the rate, so the two sides of one call bill different seconds.

The table of increments is in tests/pricing. Left out: the parts of a message, which its producer counts.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.billing.months import at, close, statements_between, use
from tests.world import World, build_world, rates_for_all
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    return build_world()


def test_61_seconds_are_61_sold_and_120_bought(world: World) -> None:
    start = at("2026-05-01T00:00")
    for party, price, increment in ((world.twin, "0.03", 60), (world.rhea, "0.05", 1)):
        card = pricing.create_rate_card(party.scope, name="Calls", default=False).id
        rates = [replace(one, per=60, minimum=60, increment=increment) for one in rates_for_all(Decimal(price))]
        metering.publish_rates(party.scope, card_id=card, rates=rates)
        buyer = world.rhea.id if party is world.twin else world.acme.id
        metering.assign_rate_card(party.scope, buyer_id=buyer, card_id=card, effective_from=start)
    use(world.acme.id, "2026-05-10T00:00", meter="call.outgoing", quantity=61)
    close(world.rhea, "2026-06-03T00:00")
    close(world.twin, "2026-06-03T00:00")
    (sold,) = statements_between(world.rhea, world.acme.id)[4].lines
    (bought,) = statements_between(world.twin, world.rhea.id)[4].lines
    assert (sold.quantity, sold.billed, sold.amount) == (61, 61, 50_833_333)
    assert (bought.quantity, bought.billed, bought.amount) == (61, 120, 60_000_000)
