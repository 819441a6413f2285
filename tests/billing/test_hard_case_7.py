"""Hard case 7: rounding once, on the line, and never on the event or the total.

Left out: rounding per event as a field of the rate.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.months import at, close, statements_between, use
from tests.world import World, build_world, rates_for_all
from twin.billing.rules.rounding import minor, minor_nano
from twin.metering import actions as metering
from twin.pricing import actions as pricing

CENT = 10_000_000


@pytest.mark.database
def test_a_million_messages_cost_what_one_message_costs_a_million_times() -> None:
    world = build_world()
    buyer = _buyer(world, "0.00745")
    for n in range(10):
        use(buyer, f"2026-01-10T12:00:0{n}", quantity=100_000)
    close(world.rhea, "2026-02-02T00:00")
    (line,) = statements_between(world.rhea, buyer)[0].lines
    assert (line.billed, line.amount) == (1_000_000, 7_450 * 10**9)
    assert minor(line.amount, "EUR") == 745_000


@pytest.mark.database
def test_events_below_a_cent_add_up_before_they_are_rounded() -> None:
    world = build_world()
    buyer = _buyer(world, "0.004")
    use(buyer, "2026-01-10T12:00", times=10)
    use(buyer, "2026-01-10T13:00", meter="push.sent")
    close(world.rhea, "2026-02-02T00:00")
    found = statements_between(world.rhea, buyer)[0]
    assert [(one.amount, minor(one.amount, "EUR")) for one in found.lines] == [(4 * CENT, 4), (4_000_000, 0)]
    assert found.amount == sum(one.amount for one in found.lines) == 44_000_000


@given(st.lists(st.integers(-(10**15), 10**15), max_size=50), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_rounded_lines_are_off_by_at_most_half_a_unit_each(amounts: list[int], currency: str) -> None:
    rounded = sum(minor(one, currency) for one in amounts)
    assert 2 * abs(minor_nano(rounded, currency) - sum(amounts)) <= len(amounts) * minor_nano(1, currency)


def _buyer(world: World, price: str) -> int:
    card = pricing.create_rate_card(world.rhea.scope, name="Own", default=False).id
    metering.publish_rates(world.rhea.scope, card_id=card, rates=rates_for_all(Decimal(price)))
    start = at("2026-01-01T00:00")
    buyer = pricing.create_company(
        world.rhea.scope, name="Newt", kind="company", time_zone="UTC", effective_from=start
    ).id
    metering.assign_rate_card(world.rhea.scope, buyer_id=buyer, card_id=card, effective_from=start)
    return buyer
