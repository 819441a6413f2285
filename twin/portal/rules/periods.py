"""The period as people give it and read it: local times, presets, true length."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin.kernel.errors import Invalid
from twin.kernel.period import Period, local_instant, parse_instant

Oddity = Literal["skipped", "doubled"]

_LOCAL: Final = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?", re.ASCII)
_LOST_PLUS: Final = re.compile(r"(:\d{2}(?:\.\d+)?) (\d{2}:\d{2})$", re.ASCII)
# Local times of earlier and later years cannot be shown in every zone.
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 9000
_LONGEST_SEARCH: Final = timedelta(days=800)


class MomentUnreadable(ValueError):
    """The text is no date, local date-time or RFC 3339 instant of a year that can be shown."""


@dataclass(frozen=True)
class Moment:
    """An instant as it was asked for; `oddity` says that the local time did not name exactly one."""

    instant: datetime
    asked: datetime | None = None
    oddity: Oddity | None = None


@dataclass(frozen=True)
class ClockChange:
    """Clocks go forward or back on this local date."""

    on: date
    back: bool


@dataclass(frozen=True)
class Length:
    """The true length in days of 24 hours and what is left."""

    days: int
    hours: int
    minutes: int
    seconds: int
    microseconds: int


def read_moment(text: str, zone: ZoneInfo, *, second_time: bool = False) -> Moment:
    """The instant meant by an RFC 3339 text, a local date-time or a local date.

    A skipped time is taken as the first instant after the gap, a doubled one as its
    first occurrence unless `second_time`. Raises `MomentUnreadable`.
    """
    # A plus sign that was not escaped in the address arrives as a blank.
    cleaned = _LOST_PLUS.sub(r"\1+\2", text.strip())
    try:
        if not _LOCAL.fullmatch(cleaned):
            return _bounded(Moment(parse_instant(cleaned)))
        asked = datetime.fromisoformat(cleaned.upper())
        if not _FIRST_YEAR <= asked.year <= _LAST_YEAR:
            raise MomentUnreadable(cleaned)
        return _local_moment(asked, zone, second_time=second_time)
    except (ValueError, ArithmeticError, Invalid) as error:
        # `parse_instant` refuses in the words of the API; the page has its own.
        raise MomentUnreadable(cleaned) from error


def _bounded(moment: Moment) -> Moment:
    if not _FIRST_YEAR <= moment.instant.year <= _LAST_YEAR:
        raise MomentUnreadable(str(moment.instant))
    return moment


def _local_moment(asked: datetime, zone: ZoneInfo, *, second_time: bool) -> Moment:
    instant = local_instant(asked, zone)
    if instant.astimezone(zone).replace(tzinfo=None) != asked:
        return Moment(instant, asked, "skipped")
    second = asked.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second == instant:
        return Moment(instant, asked)
    return Moment(second if second_time else instant, asked, "doubled")


def twin_of(instant: datetime, zone: ZoneInfo) -> datetime | None:
    """The other instant that shows the same local time, where there is one."""
    local = instant.astimezone(zone)
    other = local.replace(fold=1 - local.fold).astimezone(UTC)
    if other == instant or other.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return None
    return other


def presets(now: datetime, zone: ZoneInfo) -> dict[str, Period]:
    """The usual periods of the zone's calendar, by code, in the order they are offered."""
    today = now.astimezone(zone).date()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    after = _months_later(month, 1)
    quarter = _months_later(month, -((month.month - 1) % 3))
    tomorrow = today + timedelta(days=1)
    days = {
        "today": (today, tomorrow),
        "yesterday": (today - timedelta(days=1), today),
        "last_7_days": (today - timedelta(days=6), tomorrow),
        "this_month": (month, after),
        "last_month": (before, month),
        "this_quarter": (quarter, _months_later(quarter, 3)),
    }
    return {code: Period(local_instant(first, zone), local_instant(end, zone)) for code, (first, end) in days.items()}


def neighbour(period: Period, zone: ZoneInfo, steps: int) -> Period | None:
    """The equal period of the zone's calendar just before (-1) or after (1); None beyond the years that are shown.

    Whole months stay whole months and whole days whole days, whatever the clocks do; anything else keeps its
    true length.
    """
    first, end = (bound.astimezone(zone).replace(tzinfo=None) for bound in (period.start, period.end))
    try:
        if first.time() != time() or end.time() != time():
            return _bounded_period(period.start + steps * period.length, period.end + steps * period.length)
        if first.day == end.day == 1:
            months = steps * ((end.year - first.year) * 12 + end.month - first.month)
            days = _months_later(first.date(), months), _months_later(end.date(), months)
        else:
            whole = steps * (end.date() - first.date())
            days = first.date() + whole, end.date() + whole
        return _bounded_period(local_instant(days[0], zone), local_instant(days[1], zone))
    except (OverflowError, ValueError, Invalid):
        return None


def whole_month(period: Period, zone: ZoneInfo) -> date | None:
    """The first day of the local month that the period is; None when it is anything else."""
    first, end = period.start.astimezone(zone), period.end.astimezone(zone)
    if first.day != 1 or local_instant(first.date(), zone) != period.start:
        return None
    return first.date() if local_instant(_months_later(first.date(), 1), zone) == end.astimezone(UTC) else None


def _months_later(month: date, months: int) -> date:
    """The first day of the month so many months after that of the given day."""
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)


def _bounded_period(start: datetime, end: datetime) -> Period | None:
    return Period(start, end) if start.year > _FIRST_YEAR and end.year < _LAST_YEAR else None


def length_of(period: Period) -> Length:
    span = period.end - period.start
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return Length(span.days, hours, minutes, seconds, span.microseconds)


def clock_change(period: Period, zone: ZoneInfo) -> ClockChange | None:
    """The change of clocks that makes the period longer or shorter than its local bounds say."""
    first, last = period.start.astimezone(zone), period.end.astimezone(zone)
    if first.utcoffset() == last.utcoffset() or period.length > _LONGEST_SEARCH:
        return None
    moment = period.start
    while moment < period.end:
        following = min(moment + timedelta(hours=6), period.end)
        before, after = moment.astimezone(zone), following.astimezone(zone)
        if before.utcoffset() != after.utcoffset():
            return ClockChange(
                after.date(), back=(after.utcoffset() or timedelta()) < (before.utcoffset() or timedelta())
            )
        moment = following
    return None
