"""Prices under cost, also on a card with thousands of them, and the switch between sending and delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from twin.pricing.rules.channels import rates_of_channel
from twin.pricing.rules.copying import changed_by
from twin.pricing.rules.margins import PriceIndex, Shortfall, shortfall, with_new
from twin.pricing.rules.winning import current_rates, winning_rate
from twin.pricing.types import NewRate, Rate, Selector, Terms

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GERMAN: Selector = (("country", "DE"),)


def new(meter: str, price: int, start: datetime = NOW, **selector: str) -> NewRate:
    return NewRate(meter, selector, price, 1, 0, 1, 0, start)


def rate(number: int, meter_id: int, price: int, selector: Selector = (), start: datetime = NOW) -> Rate:
    return Rate(number, 1, meter_id, selector, Terms(price), start)


ATTRIBUTES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)
RATES = st.lists(
    st.tuples(ATTRIBUTES, st.integers(0, 3)).map(
        lambda given: (tuple(sorted(given[0].items())), NOW + timedelta(days=given[1]))
    ),
    max_size=12,
).map(lambda found: [rate(number, 1, number, selector, start) for number, (selector, start) in enumerate(found)])


@given(RATES, ATTRIBUTES, st.integers(-1, 4))
def test_the_index_finds_the_rate_that_wins(rates: list[Rate], attributes: dict[str, str], days: int) -> None:
    at = NOW + timedelta(days=days)
    assert PriceIndex(rates).winner(1, attributes, at) == winning_rate(rates, attributes, at)


def test_a_price_under_the_cost_of_the_same_attributes_is_found() -> None:
    paid = PriceIndex([rate(1, 1, 10), rate(2, 1, 30, GERMAN)])
    for wanted, loss in ((new("sms.sent", 20), None), (new("sms.sent", 20, country="DE"), Shortfall(20, 30))):
        assert shortfall(wanted, with_new([], [wanted]), paid, NOW) == loss


def test_a_message_charged_on_sending_may_cost_on_delivery() -> None:
    paid = PriceIndex([rate(1, 1, 0), rate(2, 2, 30)])
    pair = rates_of_channel(new("", 30), "sms", "sent")
    assert [shortfall(one, with_new([], pair), paid, NOW) for one in pair] == [None, None]
    cheap = rates_of_channel(new("", 29), "sms", "sent")
    assert [shortfall(one, with_new([], cheap), paid, NOW) for one in cheap] == [Shortfall(29, 30)] * 2


def test_calls_are_compared_by_the_minute() -> None:
    paid = PriceIndex([Rate(1, 1, 17, (), Terms(60, 60, 60, 60), NOW)])
    wanted = NewRate("call.outgoing", {}, 59, 60, 0, 1, 0, NOW)
    assert shortfall(wanted, with_new([], [wanted]), paid, NOW) == Shortfall(59, 60)


def test_the_switch_writes_the_price_on_one_meter_and_free_on_the_other() -> None:
    price = NewRate("", {"country": "DE"}, 50, 2, 3, 4, 5, NOW)
    assert rates_of_channel(price, "viber", "delivered") == [
        NewRate("viber.sent", {"country": "DE"}, 0, 1, 0, 1, 0, NOW),
        NewRate("viber.delivered", {"country": "DE"}, 50, 2, 3, 4, 5, NOW),
    ]


def test_more_precise_prices_stay_and_are_named() -> None:
    german = rate(2, 1, 30, GERMAN)
    index = PriceIndex([rate(1, 1, 10), german, rate(3, 1, 0, (("country", "FR"),)), rate(4, 2, 5, GERMAN)])
    assert index.more_precise(1, (), NOW) == [german]
    assert index.more_precise(1, GERMAN, NOW) == []


def test_a_copy_takes_what_counts_now_and_rounds_once() -> None:
    rates = [rate(1, 1, 10), rate(2, 1, 15), rate(3, 2, 7, GERMAN), rate(4, 1, 99, (), NOW + timedelta(days=1))]
    assert [one.id for one in current_rates(rates, NOW)] == [2, 3]
    made = changed_by(rates, Decimal("-10"), NOW)
    assert [(one.meter, one.unit_price_nano, one.effective_from) for one in made] == [
        ("sms.sent", 14, NOW), ("sms.delivered", 6, NOW)
    ]  # fmt: skip
