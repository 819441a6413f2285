"""Hard case 7: rounding once, on the line, and never on the event or the total.

Left out: rounding per event as a field of the rate.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.ledgers import owner
from tests.billing.months import at, close, statements_between, use
from tests.informing import inform
from tests.world import World, build_world, rates_for_all
from twin.billing.actions.closing import close_due
from twin.billing.queries.balance import balance
from twin.billing.rules.rounding import minor, minor_nano
from twin.companies import actions as companies
from twin.companies.access import billing_scope, platform_scope
from twin.companies.types import Scope
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


@pytest.mark.database
@pytest.mark.parametrize(("currency", "minors"), [("JPY", 22), ("EUR", 2_150), ("KWD", 21_504)])
def test_a_month_is_rounded_to_the_unit_of_its_currency_and_paid_in_it(currency: str, minors: int) -> None:
    """What is taken back later mirrors it."""
    seller, buyer = _pair_in(currency)
    use(buyer, "2026-01-10T12:00", quantity=1_075_200, key="all")
    close_due(seller, now=at("2026-02-03T00:00"))
    metering.withdraw_event(platform_scope(), company_id=buyer, source="smsc-1", event_id="all", reason="never was")
    close_due(seller, now=at("2026-03-03T00:00"))
    assert owner("select kind, currency, net_minor from billing_invoice order by id") == [
        ("invoice", currency, minors),
        ("credit_note", currency, -minors),
    ]
    found = balance(seller, seller.organisation_id, buyer)
    assert (found.currency, found.booked_minor, found.unbilled) == (currency, 0, 0)


def _pair_in(currency: str) -> tuple[Scope, int]:
    """The platform of an installation with this currency and its only company, which pays 0.00002."""
    platform = companies.create_platform(name="Twin", time_zone="UTC", currency=currency)
    scope, start = billing_scope(platform.id), at("2026-01-01T00:00")
    card = pricing.create_rate_card(platform_scope(), name="Own", default=True).id
    metering.publish_rates(platform_scope(), card_id=card, rates=rates_for_all(Decimal("0.00002")))
    buyer = pricing.create_company(
        platform_scope(), name="Newt", kind="company", time_zone="UTC", effective_from=start
    ).id
    for one in (platform.id, buyer):
        inform(one)
    return scope, buyer
