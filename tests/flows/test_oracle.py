"""The oracle itself against figures worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.flows.oracle import METERS, Event, Oracle, Rate

T0 = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLATFORM, RESELLER, COMPANY, OTHER = 1, 2, 3, 4


@pytest.mark.parametrize(
    ("minimum", "increment", "billed"),
    [
        (60, 1, (0, 60, 60, 60, 60, 60, 61, 75, 3601)),
        (60, 60, (0, 60, 60, 60, 60, 60, 120, 120, 3660)),
        (30, 6, (0, 30, 30, 36, 60, 60, 66, 78, 3606)),
        (6, 6, (0, 6, 30, 36, 60, 60, 66, 78, 3606)),
        (1, 1, (0, 1, 30, 32, 57, 60, 61, 75, 3601)),
        (30, 12, (0, 30, 30, 42, 66, 66, 66, 78, 3606)),
        (60, 7, (0, 60, 60, 60, 60, 60, 67, 81, 3602)),
    ],
)
def test_billed_seconds_are_those_of_the_table(minimum: int, increment: int, billed: tuple[int, ...]) -> None:
    rate = Rate("call.outgoing", "1", T0, minimum=minimum, increment=increment)
    assert tuple(rate.billed(seconds) for seconds in (0, 1, 30, 32, 57, 60, 61, 75, 3601)) == billed


def test_a_charge_is_rounded_once_to_nine_decimals_with_halves_to_even() -> None:
    assert Rate("call.outgoing", "0.05", T0, per=60).charge(61) == 50_833_333
    assert Rate("sms.sent", "0.000000001", T0, per=2).charge(1) == 0
    assert Rate("sms.sent", "0.000000001", T0, per=2).charge(3) == 2
    assert Rate("sms.sent", "0.000000001", T0, per=2, setup_fee="0.000000001").charge(1) == 2
    assert Rate("sms.sent", "5", T0, setup_fee="1").charge(0) == 0


def test_there_are_nineteen_meters_and_none_twice() -> None:
    assert len(set(METERS)) == len(METERS) == 19


def test_a_moved_company_is_seen_by_both_sellers_up_to_the_instant() -> None:
    oracle = Oracle(PLATFORM)
    oracle.add_company(RESELLER, "R", "reseller", PLATFORM, T0)
    oracle.add_company(OTHER, "O", "reseller", PLATFORM, T0)
    oracle.add_company(COMPANY, "C", "company", RESELLER, T0)
    oracle.add_card(10, RESELLER)
    oracle.add_rates(10, [Rate("sms.sent", "0.5", T0)])
    oracle.assign(RESELLER, COMPANY, 10, T0)
    oracle.move(COMPANY, OTHER, T0 + DAY)
    batch = [Event(COMPANY, "s", str(n), "sms.sent", T0 + n * DAY) for n in (0, 1)]
    assert oracle.take(batch, latest=T0 + 9 * DAY).accepted == 2
    seen = oracle.cells(RESELLER, T0, T0 + 2 * DAY)[COMPANY]["sms.sent"]
    assert (seen.count, seen.sell, seen.unrated) == (1, 500_000_000, 1)
    assert oracle.cells(OTHER, T0, T0 + 2 * DAY)[COMPANY]["sms.sent"].count == 1
    assert COMPANY not in oracle.dependents(RESELLER, T0 + DAY, T0 + 2 * DAY)
    assert oracle.dependents(PLATFORM, T0, T0 + 2 * DAY)[COMPANY] == ("O",)
