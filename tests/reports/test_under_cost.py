"""Which selling rates lie under what they cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twin.pricing.meters import METER_BY_CODE
from twin.pricing.types import Rate, Terms
from twin.reports.rules.under_cost import Loss, losses

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CENT = 10**7
_numbers = iter(range(1, 10_000))


def rate(meter: str, cents: int, selector: dict[str, str] | None = None, **terms: Any) -> Rate:
    since = terms.pop("since", datetime(2026, 1, 1, tzinfo=UTC))
    made = Terms(cents * CENT, **terms)
    return Rate(next(_numbers), 1, METER_BY_CODE[meter].id, tuple(sorted((selector or {}).items())), made, since)


def test_a_rate_below_what_is_paid_is_found() -> None:
    [found] = losses([rate("bot.message", 2)], [rate("bot.message", 3)], NOW)
    assert found == Loss(("bot.message",), {}, 1, 2 * CENT, 3 * CENT)


def test_equal_and_dearer_rates_are_none() -> None:
    assert losses([rate("bot.message", 3)], [rate("bot.message", 3)], NOW) == []
    assert losses([rate("bot.message", 4)], [rate("bot.message", 3)], NOW) == []


def test_one_price_for_everywhere_loses_where_the_cost_is_higher() -> None:
    sold = [rate("sms.delivered", 5)]
    paid = [rate("sms.delivered", 3), rate("sms.delivered", 9, {"country": "KZ"})]
    [found] = losses(sold, paid, NOW)
    assert (dict(found.attributes), found.sell, found.buy) == ({"country": "KZ"}, 5 * CENT, 9 * CENT)


def test_a_loss_that_is_the_same_for_every_country_is_told_once() -> None:
    sold = [rate("viber.delivered", 1), rate("viber.delivered", 5, {"country": "DE"})]
    paid = [rate("viber.delivered", 2), rate("viber.delivered", 4, {"country": "DE"})]
    assert [dict(found.attributes) for found in losses(sold, paid, NOW)] == [{}]


def test_charging_on_sending_what_costs_on_delivery_is_no_loss() -> None:
    sold = [rate("sms.sent", 6), rate("sms.delivered", 0)]
    paid = [rate("sms.sent", 0), rate("sms.delivered", 5)]
    assert losses(sold, paid, NOW) == []
    assert losses([rate("sms.sent", 4), sold[1]], paid, NOW)[0].meters == ("sms.sent", "sms.delivered")


def test_calls_are_compared_by_the_minute_with_fee_and_minimum() -> None:
    sold = [rate("call.outgoing", 60, per=60)]
    paid = [rate("call.outgoing", 58, per=60, setup_fee_nano=3 * CENT)]
    assert losses(sold, paid, NOW) == [Loss(("call.outgoing",), {}, 60, 60 * CENT, 61 * CENT)]


def test_only_rates_that_have_begun_count() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    sold = [rate("bot.message", 4), rate("bot.message", 1, since=later)]
    assert losses(sold, [rate("bot.message", 3)], NOW) == []


def test_no_price_on_a_side_is_no_loss() -> None:
    assert losses([], [rate("bot.message", 3)], NOW) == []
    assert losses([rate("bot.message", 3)], [], NOW) == []
