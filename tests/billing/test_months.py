"""Months of one pair tile its time: through changed clocks, a changed zone, leaving and coming back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.ledgers import owner
from twin.billing.rules.months import Stay, month_after, month_before, month_of, month_period, next_span, spans_after

ZONES = (
    "Africa/Cairo", "America/Havana", "Asia/Kolkata", "Atlantic/Azores", "Asia/Beirut", "America/Santiago",
    "Pacific/Kiritimati", "Pacific/Honolulu", "Europe/Sofia", "UTC",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(1_577_836_800_000_000, 1_798_761_600_000_000).map(
    lambda micro: EPOCH + timedelta(microseconds=micro)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "month", "start", "hours"),
    [
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00", 721),
        ("America/Havana", date(2026, 10, 1), "2026-10-01T04:00", 744),
        ("America/Havana", date(2026, 3, 1), "2026-03-01T05:00", 743),
        ("Africa/Cairo", date(2026, 4, 1), "2026-03-31T22:00", 719),
        # The clock goes back at the very end of the month: 31 October 23:00 to 24:00 is passed twice.
        ("Africa/Cairo", date(2024, 10, 1), "2024-09-30T21:00", 745),
        ("Atlantic/Azores", date(2026, 3, 1), "2026-03-01T01:00", 743),
        ("Asia/Kolkata", date(2026, 9, 1), "2026-08-31T18:30", 720),
        ("Europe/Sofia", date(2026, 3, 1), "2026-02-28T22:00", 743),
        ("Europe/Sofia", date(2026, 10, 1), "2026-09-30T21:00", 745),
    ],
)
def test_months_are_as_long_as_the_clocks_make_them(zone: str, month: date, start: str, hours: int) -> None:
    period = month_period(month, ZoneInfo(zone))
    assert period.start == at(start)
    assert period.length == timedelta(hours=hours)


@given(MOMENTS)
def test_the_month_after_the_month_before_is_the_month(moment: datetime) -> None:
    month = month_of(moment, ZoneInfo("UTC"))
    assert month_after(month_before(month)) == month
    assert month_before(month_after(month)) == month


@given(MOMENTS, st.sampled_from(ZONES))
def test_the_month_of_a_moment_holds_it(moment: datetime, zone: str) -> None:
    assert moment in month_period(month_of(moment, ZoneInfo(zone)), ZoneInfo(zone))


@given(MOMENTS, st.lists(st.sampled_from(ZONES), min_size=1, max_size=30))
def test_months_of_a_stay_tile_it_whatever_the_zone_becomes(start: datetime, zones: list[str]) -> None:
    now = start + timedelta(days=4000)
    spans = []
    last: tuple[date, datetime] | None = None
    for zone in zones:
        span = next_span([Stay(start, None)], ZoneInfo(zone), last, now)
        assert span is not None
        spans.append(span)
        last = (span.month, span.period.end)
    assert spans[0].period.start == start
    for one, other in pairwise(spans):
        assert one.period.end == other.period.start
        assert other.month == month_after(one.month)
    assert not any(span.is_tail for span in spans)


@given(st.lists(MOMENTS, min_size=2, max_size=8, unique=True), st.sampled_from(ZONES), st.booleans())
def test_spans_cover_every_stay_and_nothing_twice(moments: list[datetime], zone: str, is_open: bool) -> None:
    ordered = sorted(moments)
    stays = [Stay(*pair) for pair in zip(ordered[::2], ordered[1::2], strict=False)]
    if is_open:
        stays[-1] = Stay(stays[-1].start, None)
    now = at("2028-01-15T12:00")
    spans = spans_after(stays, ZoneInfo(zone), None, now)
    assert all(one.period.end <= other.period.start for one, other in pairwise(spans))
    for stay in stays:
        inside = [
            span.period for span in spans if not span.is_tail
            and stay.start <= span.period.start and (stay.end is None or span.period.end <= stay.end)
        ]  # fmt: skip
        assert inside[0].start == stay.start
        assert all(one.end == other.start for one, other in pairwise(inside))
        assert inside[-1].end > now if stay.end is None else inside[-1].end == stay.end
    assert sum(span.is_tail for span in spans) == (not is_open)


def test_a_buyer_that_left_has_its_month_until_it_left_and_then_only_what_comes_late() -> None:
    stays = [Stay(at("2026-01-01T00:00"), at("2026-03-10T12:34:56"))]
    spans = spans_after(stays, ZoneInfo("UTC"), None, at("2026-06-15T00:00"))
    assert [(span.month.month, span.is_tail) for span in spans] == [(1, False), (2, False), (3, False), (5, True)]
    assert spans[2].period.end == at("2026-03-10T12:34:56")
    assert spans[2].over_at == at("2026-04-01T00:00")
    assert (spans[3].period.start, spans[3].period.end) == (at("2026-03-10T12:34:56"), at("2026-06-01T00:00"))


def test_nobody_owes_anything_before_the_stay_begins() -> None:
    assert spans_after([Stay(at("2026-05-01T00:00"), None)], ZoneInfo("UTC"), None, at("2026-04-30T23:59")) == []
    assert spans_after([], ZoneInfo("UTC"), None, at("2026-04-30T23:59")) == []


def test_a_stay_that_lay_within_a_closed_month_adds_nothing() -> None:
    stays = [
        Stay(at("2026-01-01T00:00"), at("2026-01-10T00:00")),
        Stay(at("2026-01-15T00:00"), at("2026-01-20T00:00")),
        Stay(at("2026-01-25T00:00"), None),
    ]
    span = next_span(stays, ZoneInfo("UTC"), (date(2026, 1, 1), at("2026-02-01T00:00")), at("2026-02-02T00:00"))
    assert span is not None
    assert (span.month, span.period.start, span.is_tail) == (date(2026, 2, 1), at("2026-02-01T00:00"), False)


@pytest.mark.database
def test_the_database_knows_the_same_months() -> None:
    """Late usage is put into its month by the database, everything else by Python: each has time zones of its own."""
    months = [date(year, month, 1) for year in range(2024, 2028) for month in range(1, 13)]
    asked = [
        (zone, month_period(month, ZoneInfo(zone)).start + timedelta(microseconds=micro))
        for zone in ZONES
        for month in months
        for micro in (-1, 0)
    ]
    told = owner(
        "select date_trunc('month', at at time zone zone)::date"
        " from unnest(%s::text[], %s::timestamptz[]) with ordinality given(zone, at, place) order by place",
        *map(list, zip(*asked, strict=True)),
    )
    assert [row[0] for row in told] == [month_of(moment, ZoneInfo(zone)) for zone, moment in asked]
