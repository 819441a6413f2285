from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from twin.kernel.period import Period
from twin.portal.rules.periods import (
    ClockChange,
    Length,
    MomentUnreadable,
    clock_change,
    length_of,
    neighbour,
    presets,
    read_moment,
    twin_of,
    whole_month,
)

BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # parts are the date and time only


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-01T00:00:00+02:00", utc(2026, 9, 30, 22)),
        ("2026-10-01T00:00:00 02:00", utc(2026, 9, 30, 22)),  # a plus sign that was not escaped
        ("2026-10-01T00:00:00Z", utc(2026, 10, 1)),
        ("2026-10-01", utc(2026, 9, 30, 22)),
        ("2026-10-01T08:30", utc(2026, 10, 1, 6, 30)),
        ("2026-10-01 08:30:01.5", utc(2026, 10, 1, 6, 30, 1, 500000)),
    ],
)
def test_a_bound_is_read_with_offset_or_in_the_zone(text: str, instant: datetime) -> None:
    assert read_moment(text, BERLIN).instant == instant


@pytest.mark.parametrize(
    "text", ["", "x", "2026-13-01", "2026-10-01T25:00", "0001-01-01", "9999-12-31T23:59:59", "٢٠٢٦-10-01"]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(MomentUnreadable):
        read_moment(text, BERLIN)


def test_a_skipped_hour_is_taken_at_the_end_of_the_gap() -> None:
    moment = read_moment("2026-03-29T02:30", BERLIN)
    assert (moment.instant, moment.oddity) == (utc(2026, 3, 29, 1), "skipped")


def test_a_doubled_hour_is_the_first_unless_the_second_is_wanted() -> None:
    first = read_moment("2026-10-25T02:30", BERLIN)
    second = read_moment("2026-10-25T02:30", BERLIN, second_time=True)
    assert (first.instant, first.oddity) == (utc(2026, 10, 25, 0, 30), "doubled")
    assert second.instant == utc(2026, 10, 25, 1, 30)


def test_an_instant_knows_the_other_one_that_looks_the_same() -> None:
    assert twin_of(utc(2026, 10, 25, 0, 30), BERLIN) == utc(2026, 10, 25, 1, 30)
    assert twin_of(utc(2026, 10, 25, 1, 30), BERLIN) == utc(2026, 10, 25, 0, 30)
    assert twin_of(utc(2026, 10, 25, 12), BERLIN) is None
    assert twin_of(utc(2026, 3, 29, 1), BERLIN) is None


def test_presets_follow_the_calendar_of_the_zone() -> None:
    # In Berlin it is already the first of November.
    known = presets(utc(2026, 10, 31, 23, 30), BERLIN)
    assert list(known) == ["today", "yesterday", "last_7_days", "this_month", "last_month", "this_quarter"]
    assert known["today"] == Period(utc(2026, 10, 31, 23), utc(2026, 11, 1, 23))
    assert known["yesterday"] == Period(utc(2026, 10, 30, 23), utc(2026, 10, 31, 23))
    assert known["last_7_days"] == Period(utc(2026, 10, 25, 23), utc(2026, 11, 1, 23))
    assert known["this_month"] == Period(utc(2026, 10, 31, 23), utc(2026, 11, 30, 23))
    assert known["last_month"] == Period(utc(2026, 9, 30, 22), utc(2026, 10, 31, 23))


def test_presets_reach_over_the_new_year() -> None:
    known = presets(utc(2026, 1, 1, 12), ZoneInfo("UTC"))
    assert known["last_month"] == Period(utc(2025, 12, 1), utc(2026, 1, 1))
    assert presets(utc(2026, 12, 5), ZoneInfo("UTC"))["this_month"].end == utc(2027, 1, 1)


def test_a_month_in_which_clocks_go_back_is_an_hour_longer() -> None:
    october = presets(utc(2026, 10, 20), BERLIN)["this_month"]
    assert length_of(october) == Length(31, 1, 0, 0, 0)
    assert clock_change(october, BERLIN) == ClockChange(date(2026, 10, 25), back=True)


def test_a_year_has_both_changes_and_its_usual_length() -> None:
    year = Period(utc(2025, 12, 31, 23), utc(2026, 12, 31, 23))
    assert clock_change(year, BERLIN) is None


@pytest.mark.parametrize(
    ("first", "end", "steps", "beside"),
    [
        # October has an hour more than September, and both are whole months.
        ((2026, 9, 30, 22), (2026, 10, 31, 23), -1, ((2026, 8, 31, 22), (2026, 9, 30, 22))),
        ((2026, 9, 30, 22), (2026, 10, 31, 23), 1, ((2026, 10, 31, 23), (2026, 11, 30, 23))),
        # A quarter, a day of 25 hours, an hour and a half.
        ((2026, 6, 30, 22), (2026, 9, 30, 22), -1, ((2026, 3, 31, 22), (2026, 6, 30, 22))),
        ((2026, 10, 24, 22), (2026, 10, 25, 23), 1, ((2026, 10, 25, 23), (2026, 10, 26, 23))),
        ((2026, 10, 24, 12), (2026, 10, 24, 13, 30), 1, ((2026, 10, 24, 13, 30), (2026, 10, 24, 15))),
    ],
)
def test_the_period_beside_is_equal_in_the_calendar(
    first: tuple[int, ...], end: tuple[int, ...], steps: int, beside: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    assert neighbour(Period(utc(*first), utc(*end)), BERLIN, steps) == Period(utc(*beside[0]), utc(*beside[1]))


def test_beyond_the_years_that_are_shown_there_is_no_period() -> None:
    assert neighbour(Period(utc(1901, 1, 1), utc(1902, 1, 1)), ZoneInfo("UTC"), -1) is None


def test_a_whole_month_is_known_by_its_zone() -> None:
    october = Period(utc(2026, 9, 30, 22), utc(2026, 10, 31, 23))
    assert whole_month(october, BERLIN) == date(2026, 10, 1)
    assert whole_month(october, ZoneInfo("UTC")) is None


def test_this_quarter_begins_with_its_first_month() -> None:
    known = presets(utc(2026, 11, 22), ZoneInfo("UTC"))
    assert known["this_quarter"] == Period(utc(2026, 10, 1), utc(2027, 1, 1))
