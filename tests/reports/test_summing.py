"""Sums of companies, services and periods stay exact, whatever their size."""

from __future__ import annotations

from tests.reports.factories import HandMadeCells, cells
from twin.reports.rules.summing import by_meter, by_service, compare, together, total, unrated_of
from twin.reports.types import MeterFigures, Sums

HUGE = 2**63 - 1


def used(*entries: tuple[int, str, int, int]) -> HandMadeCells:
    """From (company, meter, count, sell); the buying side is half of it."""
    return cells(*((company, meter, count, count, sell // 2, sell, 0) for company, meter, count, sell in entries))


def test_nothing_used_is_zero_everywhere() -> None:
    nothing = cells()
    assert total(nothing) == Sums()
    assert set(by_service(nothing).values()) == {Sums()}
    assert by_meter(nothing) == {}
    compared = compare([3, 1], nothing, nothing)
    assert (compared.biggest(10), compared.deepest(10), compared.sums_at(0)) == ([], [], (Sums(), Sums()))


def test_sums_beyond_63_bits_are_exact() -> None:
    seen = used((1, "sms.sent", 1, HUGE), (2, "sms.sent", 1, HUGE), (1, "bot.message", 1, HUGE))
    assert total(seen).sell == 3 * HUGE
    assert by_service(seen)["messaging"].sell == 2 * HUGE
    assert by_service(seen)["bot"].sell == HUGE
    assert together(list(by_service(seen).values())) == total(seen)
    assert by_meter(seen)["sms.sent"] == MeterFigures(2, 2, 2 * (HUGE // 2), 2 * HUGE)
    now, before = compare([1, 2], seen, cells()).sums_at(0)
    assert (now.sell, before) == (2 * HUGE, Sums())


def test_differences_of_extremes_do_not_wrap() -> None:
    credit = cells((1, "sms.sent", 1, 1, 0, -HUGE, 0))
    compared = compare([1, 2], credit, used((1, "sms.sent", 1, HUGE), (2, "sms.sent", 1, HUGE)))
    assert [int(compared.ids[place]) for place in compared.deepest(10)] == [1, 2]


def test_the_biggest_pay_most_then_use_most() -> None:
    seen = used((1, "sms.sent", 5, 10), (2, "sms.sent", 1, 30), (3, "sms.sent", 9, 10), (4, "chat.bot_message", 1, 0))
    compared = compare([1, 2, 3, 4, 5], seen, cells())
    assert [int(compared.ids[place]) for place in compared.biggest(10)] == [2, 3, 1, 4]
    assert [int(compared.ids[place]) for place in compared.biggest(2)] == [2, 3]


def test_the_falling_ones_stand_by_their_loss_and_less_usage_for_nothing_falls_too() -> None:
    before = used((1, "sms.sent", 5, 10), (2, "sms.sent", 5, 50), (3, "bot.message", 5, 0), (4, "sms.sent", 5, 5))
    now = used((1, "sms.sent", 9, 4), (3, "bot.message", 2, 0), (4, "sms.sent", 1, 6))
    compared = compare([1, 2, 3, 4], now, before)
    assert [int(compared.ids[place]) for place in compared.deepest(10)] == [2, 1, 3]
    assert compared.sums_at(0) == (Sums(9, 4, 2, 0), Sums(5, 10, 5, 0))


def test_a_company_that_is_not_asked_for_is_left_out() -> None:
    compared = compare([2], used((1, "sms.sent", 1, 9), (2, "sms.sent", 1, 1)), cells())
    assert compared.sums_at(0)[0].sell == 1


def test_events_without_a_price_are_counted_by_section() -> None:
    seen = cells((1, "sms.sent", 3, 3, 0, 0, 2), (1, "bot.message", 3, 3, 0, 0, 1))
    assert unrated_of(seen, ("sms.sent", "sms.delivered")) == 2
    assert total(seen).unrated == 3
