"""Hard case 2: a price changes at local midnight of a day on which the clocks change; the price is that at the start.

Left out: splitting a call at the boundary.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.billing.months import at, close, statements_between, use
from tests.world import World, build_world, rates_for_all
from twin.kernel.period import local_instant
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database

CENT = 10_000_000
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/Havana", date(2026, 3, 8)),
        ("America/Havana", date(2026, 11, 1)),
        ("Atlantic/Azores", date(2026, 3, 29)),
        ("Asia/Kolkata", date(2026, 9, 1)),
    ],
)
def test_the_price_changes_at_the_first_instant_of_the_local_day(world: World, zone: str, day: date) -> None:
    change = local_instant(day, ZoneInfo(zone))
    rates = [replace(rate, effective_from=change) for rate in rates_for_all(Decimal("0.05"))]
    metering.publish_rates(world.rhea.scope, card_id=world.rhea_card.id, rates=rates)
    buyer = pricing.create_company(
        world.rhea.scope, name="Newt", kind="company", time_zone=zone, effective_from=at("2026-01-01T00:00")
    ).id
    use(buyer, change - MICROSECOND, meter="call.outgoing", quantity=120)
    use(buyer, change, meter="call.outgoing", quantity=120)
    close(world.rhea, "2026-12-05T00:00")
    found = [line for one in statements_between(world.rhea, buyer) for line in one.lines]
    assert [(line.terms.unit_price_nano, line.count, line.amount) for line in found] == [
        (2 * CENT, 1, 240 * CENT),
        (5 * CENT, 1, 600 * CENT),
    ]


def test_the_month_that_begins_twice_begins_once(world: World) -> None:
    """In Havana 1 November 2026 begins at 04:00 UTC and its first hour comes again at 05:00."""
    buyer = pricing.create_company(
        world.rhea.scope, name="Newt", kind="company", time_zone="America/Havana", effective_from=at("2026-10-01T04:00")
    ).id
    for moment in ("2026-11-01T03:59:59.999999", "2026-11-01T04:00", "2026-11-01T04:30", "2026-11-01T05:30"):
        use(buyer, moment)
    close(world.rhea, "2026-12-05T00:00")
    months = statements_between(world.rhea, buyer)
    assert [(one.month.month, one.lines[0].count) for one in months] == [(10, 1), (11, 3)]
    assert months[1].period.length == timedelta(hours=721)
