"""Steps of a trend and the period before, by local calendars and their clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.kernel.period import Period, local_instant
from twin.reports.rules.calendar import elapsed_part, previous_of, step_of, step_of_days, steps

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Beirut",
)


def local(start: tuple[int, ...], end: tuple[int, ...], zone: ZoneInfo = BERLIN) -> Period:
    first, second = (datetime(*moment) for moment in (start, end))  # type: ignore[arg-type]  # noqa: DTZ001 - local times
    return Period(local_instant(first, zone), local_instant(second, zone))


def shown(period: Period, zone: ZoneInfo = BERLIN) -> tuple[str, str]:
    first, second = (moment.astimezone(zone).strftime("%Y-%m-%d %H:%M") for moment in (period.start, period.end))
    return first, second


@pytest.mark.parametrize(
    ("period", "step"),
    [
        (local((2026, 11, 22), (2026, 11, 23)), "hour"),
        (local((2026, 11, 20), (2026, 11, 23)), "hour"),
        (local((2026, 10, 24), (2026, 10, 27)), "hour"),
        (local((2026, 11, 19), (2026, 11, 23)), "day"),
        (local((2026, 7, 1), (2026, 10, 1)), "day"),
        (local((2026, 1, 1), (2027, 1, 1)), "month"),
        (local((1950, 1, 1), (2027, 1, 1)), "year"),
    ],
)
def test_the_step_follows_the_length(period: Period, step: str) -> None:
    assert step_of(period) == step


def test_lists_of_days_stay_days_for_a_year() -> None:
    assert step_of_days(local((2026, 1, 1), (2027, 1, 1))) == "day"
    assert step_of_days(local((2025, 1, 1), (2027, 1, 1))) == "month"


def test_the_day_clocks_go_back_has_25_hours() -> None:
    hours = steps(local((2026, 10, 25), (2026, 10, 26)), "hour", BERLIN)
    assert len(hours) == 25
    assert {hour.length for hour in hours} == {timedelta(hours=1)}
    [day] = steps(local((2026, 10, 25), (2026, 10, 26)), "day", BERLIN)
    assert day.length == timedelta(hours=25)


def test_hours_begin_at_full_hours_of_the_zone() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    hours = steps(local((2026, 11, 22, 0, 10), (2026, 11, 22, 3), kolkata), "hour", kolkata)
    assert [shown(hour, kolkata)[0][-5:] for hour in hours] == ["00:10", "01:00", "02:00"]


def test_a_midnight_that_does_not_exist_begins_with_the_first_instant_of_its_day() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    days = steps(local((2026, 3, 28), (2026, 3, 30), beirut), "day", beirut)
    assert [shown(day, beirut)[0] for day in days] == ["2026-03-28 00:00", "2026-03-29 01:00"]


def test_a_day_that_a_country_left_out_is_no_step() -> None:
    apia = ZoneInfo("Pacific/Apia")
    days = steps(local((2011, 12, 29), (2012, 1, 1), apia), "day", apia)
    assert [shown(day, apia)[0] for day in days] == ["2011-12-29 00:00", "2011-12-31 00:00"]


@pytest.mark.parametrize(
    ("period", "previous"),
    [
        (local((2026, 11, 1), (2026, 12, 1)), ("2026-10-01 00:00", "2026-11-01 00:00")),
        (local((2026, 3, 1), (2026, 4, 1)), ("2026-02-01 00:00", "2026-03-01 00:00")),
        (local((2026, 10, 1), (2027, 1, 1)), ("2026-07-01 00:00", "2026-10-01 00:00")),
        (local((2026, 11, 16), (2026, 11, 23)), ("2026-11-09 00:00", "2026-11-16 00:00")),
        (local((2026, 10, 25), (2026, 10, 26)), ("2026-10-24 00:00", "2026-10-25 00:00")),
        (local((2026, 11, 2, 8, 30), (2026, 11, 2, 12)), ("2026-11-02 05:00", "2026-11-02 08:30")),
        (local((2026, 11, 1), (2026, 11, 30)), ("2026-10-03 00:00", "2026-11-01 00:00")),
    ],
)
def test_the_period_before_is_as_long_by_the_calendar(period: Period, previous: tuple[str, str]) -> None:
    assert shown(previous_of(period, BERLIN)) == previous


def test_a_period_that_runs_is_compared_with_the_same_part_of_the_one_before() -> None:
    november = local((2026, 11, 1), (2026, 12, 1))
    previous = previous_of(november, BERLIN)
    now = local_instant(datetime(2026, 11, 22, 10, 30), BERLIN)  # noqa: DTZ001 - a local time
    part = elapsed_part(november, previous, now, BERLIN)
    assert part is not None
    assert shown(part) == ("2026-10-01 00:00", "2026-10-22 10:30")
    assert elapsed_part(november, previous, november.end, BERLIN) is None
    assert elapsed_part(november, previous, november.start - timedelta(days=1), BERLIN) is None


def test_the_last_day_of_a_longer_month_has_the_whole_month_before_it() -> None:
    march = local((2026, 3, 1), (2026, 4, 1))
    now = local_instant(datetime(2026, 3, 31, 12), BERLIN)  # noqa: DTZ001 - a local time
    part = elapsed_part(march, previous_of(march, BERLIN), now, BERLIN)
    assert part is not None
    assert shown(part) == ("2026-02-01 00:00", "2026-03-01 00:00")


moments = st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone beside


@given(first=moments, length=st.timedeltas(timedelta(microseconds=1), timedelta(days=900)), name=st.sampled_from(ZONES))
def test_steps_cover_the_period_without_gaps(first: datetime, length: timedelta, name: str) -> None:
    period, zone = Period(first, first + length), ZoneInfo(name)
    parts = steps(period, step_of(period), zone)
    assert (parts[0].start, parts[-1].end) == (period.start, period.end)
    assert all(one.end == other.start for one, other in pairwise(parts))
    previous = previous_of(period, zone)
    assert previous.start < previous.end == period.start


def test_no_period_is_too_early_or_too_long() -> None:
    period = Period(datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
    assert steps(period, step_of(period), BERLIN) == [period]
    assert previous_of(period, BERLIN).end == period.start


@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_ends_of_all_time_are_no_error(name: str) -> None:
    zone = ZoneInfo(name)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for length in (timedelta(microseconds=1), timedelta(hours=30), timedelta(days=50), timedelta(days=4_000)):
        for period in (Period(first, first + length), Period(last - length, last)):
            parts = steps(period, step_of(period), zone)
            assert (parts[0].start, parts[-1].end) == (period.start, period.end)
            assert previous_of(period, zone).start < previous_of(period, zone).end
            elapsed_part(period, previous_of(period, zone), period.start, zone)
