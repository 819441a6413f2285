"""Hard cases with figures worked out by hand: late usage, price changes, moves, levels, increments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.flows.driver import Twins
from tests.flows.oracle import Event, Rate
from tests.flows.small import CENT, Small
from twin.kernel.period import local_instant

pytestmark = pytest.mark.database

DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)
T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = datetime(2026, 2, 10, 12, 34, 56, 789012, tzinfo=UTC)
END = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def small(twins: Twins) -> Small:
    return Small(twins, T0, END)


def test_a_late_event_is_charged_at_the_price_of_its_own_time(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    small.sell("sms.sent", "0.08", start=T1)
    small.use("sms.sent", T1 + DAY)
    small.use("sms.sent", T1 - DAY)
    assert small.sold(small.acme, "sms.sent", T0, T1) == 5 * CENT
    assert small.sold(small.acme, "sms.sent", T1, END) == 8 * CENT


def test_a_price_holds_from_its_very_microsecond(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    small.sell("sms.sent", "0.08", start=T1)
    small.use("sms.sent", T1 - MICRO)
    small.use("sms.sent", T1)
    assert small.sold(small.acme, "sms.sent", T1 - MICRO, T1) == 5 * CENT
    assert small.sold(small.acme, "sms.sent", T1, T1 + MICRO) == 8 * CENT
    assert small.sold(small.acme, "sms.sent", T1 - DAY, T1 + DAY) == 13 * CENT


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00"),
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00"),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00"),
        ("Atlantic/Azores", date(2026, 3, 29), "2026-03-29T01:00"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
    ],
)
def test_a_price_change_at_a_missing_or_double_midnight_holds_from_the_first_instant_of_the_date(
    small: Small, zone: str, day: date, first: str
) -> None:
    midnight = local_instant(day, ZoneInfo(zone))
    assert midnight == datetime.fromisoformat(first).replace(tzinfo=UTC)
    small.sell("sms.sent", "0.05")
    small.sell("sms.sent", "0.08", start=midnight)
    small.use("sms.sent", midnight - MICRO)
    small.use("sms.sent", midnight)
    assert small.sold(small.acme, "sms.sent", T0, midnight) == 5 * CENT
    assert small.sold(small.acme, "sms.sent", midnight, END) == 8 * CENT


def test_sixty_one_seconds_at_five_cents_a_minute(small: Small) -> None:
    small.sell("call.outgoing", "0.05", per=60)
    small.use("call.outgoing", T1, quantity=61)
    assert small.sold(small.acme, "call.outgoing") == 50_833_333


def test_the_two_sides_of_one_call_may_bill_different_seconds(small: Small) -> None:
    small.sell("call.outgoing", "0.06", per=60, minimum=60, increment=1)
    small.buy("call.outgoing", "0.06", per=60, minimum=60, increment=60)
    small.use("call.outgoing", T1, quantity=61)
    row = small.row(small.acme, "telephony_legacy")
    assert (row.total_sell, row.total_buy, row.margin) == (61_000_000, 120_000_000, -59_000_000)
    assert row.meters["call.outgoing"].quantity == 61


def test_a_charge_too_long_for_nine_decimals_is_rounded_half_to_even(small: Small) -> None:
    small.sell("call.outgoing", "0.000000001", per=2)
    for number, seconds in enumerate((1, 3, 5, 7)):
        small.use("call.outgoing", T1 + number * DAY, quantity=seconds)
    figures = [
        small.sold(small.acme, "call.outgoing", T1 + number * DAY, T1 + number * DAY + MICRO) for number in range(4)
    ]
    assert figures == [0, 2, 2, 4]


def test_a_million_messages_at_a_price_of_five_decimals_lose_nothing(small: Small) -> None:
    small.sell("sms.sent", "0.00745")
    small.use("sms.sent", T1, quantity=1_000_000)
    assert small.sold(small.acme, "sms.sent") == 7_450 * 100 * CENT
    for start in range(0, 20_000, 10_000):
        batch = [Event(small.acme, "mass", str(start + n), "sms.sent", T1 + DAY + n * MICRO) for n in range(10_000)]
        assert small.twins.take(batch).accepted == 10_000
    assert small.sold(small.acme, "sms.sent", T1 + DAY, END) == 149 * 100 * CENT


def test_nothing_is_charged_for_a_call_of_no_seconds_not_even_the_set_up_fee(small: Small) -> None:
    small.sell("call.outgoing", "0.05", per=60, minimum=60, setup_fee="0.1")
    small.use("call.outgoing", T1, quantity=0)
    figures = small.row(small.acme, "telephony_legacy").meters["call.outgoing"]
    assert (figures.count, figures.quantity, figures.sell) == (1, 0, 0)


def test_of_two_rates_the_more_specific_wins_also_when_it_is_older(small: Small) -> None:
    small.sell("sms.sent", "0.10", selector=(("country", "DE"),))
    small.sell("sms.sent", "0.20", start=T1)
    small.use("sms.sent", T1 + DAY, attributes=(("country", "DE"), ("network", "x")))
    small.use("sms.sent", T1 + 2 * DAY, attributes=(("country", "de"),))
    small.use("sms.sent", T1 + 3 * DAY)
    assert small.sold(small.acme, "sms.sent", T1 + DAY, T1 + 2 * DAY) == 10 * CENT
    assert small.sold(small.acme, "sms.sent", T1 + 2 * DAY, END) == 40 * CENT


def test_a_wrong_future_rate_is_mended_by_another_of_the_same_instant(small: Small) -> None:
    small.sell("sms.sent", "9", start=T1)
    small.sell("sms.sent", "0.09", start=T1)
    small.use("sms.sent", T1)
    assert small.sold(small.acme, "sms.sent") == 9 * CENT


# Moves ------------------------------------------------------------------------


def test_a_move_parts_the_usage_of_a_company_at_its_microsecond(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    for reseller in (small.rhea, small.birch):
        small.price(small.twins.platform, reseller, "sms.sent", "0.01")
    small.sell_to_acme_by_birch("sms.sent", "0.07", T1)
    assert small.twins.move(small.acme, small.birch, T1)
    small.use("sms.sent", T1)
    small.use("sms.sent", T1 - MICRO)  # late: it arrives after the move was made
    assert small.sold(small.acme, "sms.sent", by=small.rhea) == 5 * CENT
    assert small.sold(small.acme, "sms.sent", by=small.birch) == 0  # birch has assigned no card yet
    assert small.row(small.acme, "messaging", by=small.birch).unrated == 1
    small.assign_birch(T1)
    assert small.sold(small.acme, "sms.sent", by=small.birch) == 7 * CENT
    assert small.row(small.acme, "messaging", by=small.birch).unrated == 0


def test_the_former_seller_has_no_row_for_the_time_after_the_move(small: Small) -> None:
    assert small.twins.move(small.acme, small.birch, T1)
    assert small.companies_in(small.rhea, T1 - MICRO, END) == [small.acme]
    assert small.companies_in(small.rhea, T1, END) == []
    assert small.companies_in(small.birch, T0, T1) == []
    assert small.companies_in(small.birch, T0, T1 + MICRO) == [small.acme]


def test_a_former_seller_prices_its_span_after_the_move(small: Small) -> None:
    small.use("sms.sent", T1 - DAY)
    assert small.twins.move(small.acme, small.birch, T1)
    assert small.row(small.acme, "messaging", by=small.rhea).unrated == 1
    small.sell("sms.sent", "0.05")
    assert small.sold(small.acme, "sms.sent", by=small.rhea) == 5 * CENT
    assert small.row(small.acme, "messaging", by=small.rhea).unrated == 1  # what rhea itself pays has no price yet


def test_the_assignments_of_a_former_seller_count_again_when_the_company_returns(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    assert small.twins.move(small.acme, small.birch, T1)
    assert small.twins.move(small.acme, small.rhea, T1 + 2 * DAY)
    for moment in (T1 - DAY, T1, T1 + 2 * DAY):
        small.use("sms.sent", moment)
    assert small.sold(small.acme, "sms.sent", by=small.rhea) == 10 * CENT
    row = small.row(small.acme, "messaging", by=small.rhea)
    assert row.meters["sms.sent"].count == 2


def test_usage_without_any_price_holds_a_move_up_or_goes_along_with_it(small: Small) -> None:
    small.use("sms.sent", T1 + DAY)
    is_moved = small.twins.move(small.acme, small.birch, T1)
    seller, other = (small.birch, small.rhea) if is_moved else (small.rhea, small.birch)
    assert small.companies_in(other, T1, END) == []
    small.price(seller, small.acme, "sms.sent", "0.07")
    if is_moved:
        small.assign_birch(T1)
    assert small.sold(small.acme, "sms.sent", by=seller) == 7 * CENT
    small.twins.check_everything([(T0, END)])


def test_a_move_before_the_present_seller_existed_is_a_clash(small: Small) -> None:
    young = small.twins.create("Young", "reseller", small.twins.platform, T1)
    child = small.twins.create("Child", "company", young, T1 + DAY)
    assert not small.twins.move(child, small.birch, T1 - DAY)
    assert not small.twins.move(child, small.birch, T1 + DAY)
    assert small.twins.move(child, small.birch, T1 + DAY + MICRO)


def test_a_move_is_refused_once_usage_at_or_after_it_is_charged(small: Small) -> None:
    small.sell("sms.sent", "0")  # free usage counts as charged
    small.use("sms.sent", T1)
    assert not small.twins.move(small.acme, small.birch, T1)
    assert small.twins.move(small.acme, small.birch, T1 + MICRO)


# Levels -----------------------------------------------------------------------


def test_a_reseller_sees_usage_under_its_sub_reseller_at_its_own_price_only(small: Small) -> None:
    sub, deep = small.add_sub_reseller()
    small.buy("sms.sent", "0.01")
    small.price(small.rhea, sub, "sms.sent", "0.03")
    small.price(sub, deep, "sms.sent", "0.10")
    small.use("sms.sent", T1, company=deep)
    row = small.row(deep, "messaging", by=small.rhea)
    assert (row.total_buy, row.total_sell, row.path) == (CENT, 3 * CENT, ("Sub",))
    row = small.row(deep, "messaging", by=sub)
    assert (row.total_buy, row.total_sell, row.path) == (3 * CENT, 10 * CENT, ())
    row = small.row(deep, "messaging", by=small.twins.platform)
    assert (row.total_buy, row.total_sell, row.path) == (0, CENT, ("Rhea", "Sub"))


def test_a_sub_resellers_own_usage_stands_in_its_sellers_report_and_not_in_its_own(small: Small) -> None:
    sub, deep = small.add_sub_reseller()
    small.price(small.rhea, sub, "sms.sent", "0.03")
    small.use("sms.sent", T1, company=sub)
    assert small.sold(sub, "sms.sent", by=small.rhea) == 3 * CENT
    assert small.companies_in(sub, T0, END) == [deep]


def test_seven_sellers_above_one_company_are_each_paid(twins: Twins) -> None:
    sellers = [twins.platform]
    for number in range(6):
        sellers.append(twins.create(f"Level {number}", "reseller", sellers[-1], T0))
    company = twins.create("Deep", "company", sellers[-1], T0)
    for number, (seller, buyer) in enumerate(zip(sellers, [*sellers[1:], company], strict=True)):
        card = twins.card(seller, "card")
        twins.publish(card, [Rate("bot.message", f"0.0{number + 1}", T0)])
        twins.assign(seller, buyer, card, T0)
    twins.take([Event(company, "s", str(n), "bot.message", T1 + n * DAY) for n in range(3)])
    twins.fold()
    twins.take([Event(company, "s", str(n), "bot.message", T1 + n * DAY) for n in range(5)])
    twins.check_everything([(T0, END), (T1, T1 + DAY), (T1 + MICRO, T1 + 3 * DAY)])


def test_a_price_missing_on_one_edge_leaves_the_others_charged(small: Small) -> None:
    small.buy("sms.sent", "0.02")
    small.use("sms.sent", T1)
    row = small.row(small.acme, "messaging")
    assert (row.total_buy, row.total_sell, row.unrated) == (2 * CENT, 0, 1)
    assert small.row(small.acme, "messaging", by=small.twins.platform).unrated == 0
    small.sell("sms.sent", "0.05")
    row = small.row(small.acme, "messaging")
    assert (row.total_buy, row.total_sell, row.unrated) == (2 * CENT, 5 * CENT, 0)


def test_a_product_sold_under_cost_shows_a_negative_margin(small: Small) -> None:
    small.sell("sms.sent", "0.02")
    small.buy("sms.sent", "0.05")
    small.use("sms.sent", T1)
    assert small.row(small.acme, "messaging").margin == -3 * CENT


def test_sums_beyond_sixty_three_bits_stay_exact(small: Small) -> None:
    small.sell("bot.message", "9000000.000000001")
    for number in range(5):
        small.use("bot.message", T1 + number * DAY, quantity=1_000)
    each = 9_000_000_000_000_001 * 1_000
    assert small.sold(small.acme, "bot.message") == 5 * each
    small.twins.fold()
    assert small.sold(small.acme, "bot.message") == 5 * each
    small.twins.check_everything([(T0, END), (T1, T1 + DAY + MICRO)])


def test_an_amount_beyond_what_can_be_stored_is_refused_and_leaves_no_trace(small: Small) -> None:
    small.sell("bot.message", "9000000")
    answer = small.use("bot.message", T1, quantity=10_000)
    assert (answer.accepted, answer.rejected) == (0, [0])
    assert small.row(small.acme, "bot").meters["bot.message"].count == 0
