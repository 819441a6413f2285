"""Steps of a trend and the period before, by the calendar of a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from twin.kernel.period import Period, local_instant
from twin.reports.types import Step

_HOURS_UP_TO: Final = timedelta(days=3)
_DAYS_UP_TO: Final = timedelta(days=100)
_LONG_DAYS_UP_TO: Final = timedelta(days=400)
_MONTHS_UP_TO: Final = timedelta(days=50 * 366)
_YEARS_UP_TO: Final = timedelta(days=200 * 366)
# A clock change may make the longest period of a step an hour longer.
_LEEWAY: Final = timedelta(hours=2)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_EARLIEST: Final = datetime(2, 1, 1)  # noqa: DTZ001 - a local time of any zone
_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST_YEAR: Final = 9998


def step_of(period: Period) -> Step:
    """Into how large parts a trend divides the period."""
    if period.length <= _HOURS_UP_TO + _LEEWAY:
        return "hour"
    if period.length <= _DAYS_UP_TO + _LEEWAY:
        return "day"
    return "month" if period.length <= _MONTHS_UP_TO else "year"


def step_of_days(period: Period) -> Step:
    """Into how large parts a list of days divides the period: days as long as people still read them."""
    return "day" if period.length <= _LONG_DAYS_UP_TO + _LEEWAY else step_of(period)


def steps(period: Period, step: Step, zone: ZoneInfo) -> list[Period]:
    """The period cut at every full local hour, midnight, first of the month or of the year.

    A period of centuries stays whole: nobody reads its trend, and somebody may have asked it of a program.
    """
    if period.length > _YEARS_UP_TO:
        return [period]
    bounds = [period.start]
    for bound in _bounds(period.start, step, zone):
        if bound >= period.end:
            break
        # Two local midnights may be one instant where a day was left out.
        if bound > bounds[-1]:
            bounds.append(bound)
    bounds.append(period.end)
    return [Period(start, end) for start, end in pairwise(bounds)]


def _bounds(start: datetime, step: Step, zone: ZoneInfo) -> Iterator[datetime]:
    """Local bounds after the start, without end."""
    if step == "hour":
        yield from _hours(start, zone)
        return
    bound = _local(start, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while bound.year <= _LAST_YEAR:
        bound = _following(bound, step)
        yield local_instant(bound, zone)


def _following(midnight: datetime, step: Step) -> datetime:
    if step == "day":
        return midnight + _DAY
    return _months_later(midnight.replace(day=1), 1 if step == "month" else 13 - midnight.month)


def _hours(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    bound = start
    while bound.year <= _LAST_YEAR:
        local = _local(bound, zone)
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        bound += _HOUR - past
        yield bound


def previous_of(period: Period, zone: ZoneInfo) -> Period:
    """The equal period that ends where this one begins: as many whole months, else the same local length."""
    start = _local(period.start, zone)
    end = _local(period.end, zone)
    if start <= _EARLIEST:
        # Nothing was before; what is compared with is as good as empty.
        return Period(_BEGINNING, _BEGINNING + timedelta.resolution)
    months = _whole_months(start, end)
    before = _months_later(start, -months) if months else start - min(end - start, start - _EARLIEST)
    begin = local_instant(before, zone)
    # A local length of nothing or less: the hour that clocks were set back.
    return Period(begin, period.start) if begin < period.start else Period(period.start - period.length, period.start)


def compared_with(period: Period, now: datetime, zone: ZoneInfo) -> tuple[Period, bool]:
    """The equal period before, and whether it was cut to the part that this one has reached by now."""
    previous = previous_of(period, zone)
    reached = elapsed_part(period, previous, now, zone)
    return (previous, False) if reached is None else (reached, True)


def elapsed_part(period: Period, previous: Period, now: datetime, zone: ZoneInfo) -> Period | None:
    """Of the previous period what corresponds to the part of this one before `now`; None unless it runs now."""
    if now not in period:
        return None
    elapsed = _local(now, zone) - _local(period.start, zone)
    end = min(local_instant(_local(previous.start, zone) + elapsed, zone), previous.end)
    return Period(previous.start, end) if end > previous.start else None


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    try:
        return moment.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        # At the ends of all time a zone's offset leads out of it.
        return moment.replace(tzinfo=None)


def _whole_months(start: datetime, end: datetime) -> int:
    """How many calendar months the span is; 0 when it is not made of whole ones."""
    firsts = all(one == one.replace(day=1, hour=0, minute=0, second=0, microsecond=0) for one in (start, end))
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if firsts and months > 0 and (start.year - 1) * 12 > months else 0


def _months_later(first: datetime, months: int) -> datetime:
    number = first.year * 12 + first.month - 1 + months
    return first.replace(year=number // 12, month=number % 12 + 1)
