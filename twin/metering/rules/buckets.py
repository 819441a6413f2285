"""How a period is read: whole days and hours from the books, ragged edges from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from twin.kernel.period import Period

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS_A_DAY = 24
# The two sizes of book, and the book of what waits of a day: cells of its hours that are in neither yet.
HOUR_LEVEL = 1
DAY_LEVEL = 2
WAITING_LEVEL = 3
MICROSECOND = timedelta(microseconds=1)
HOUR_MICROSECONDS = 3_600_000_000
_LAST_HOUR = (datetime.max.replace(tzinfo=UTC) - EPOCH) // HOUR

T = TypeVar("T", int, datetime)


@dataclass(frozen=True)
class Plan:
    """Half-open ranges of UTC hours and days since 1970, and the spans left to the rows."""

    hours: tuple[range, ...]
    days: range
    covered: range  # every hour that books and journals answer for
    spans: tuple[Period, ...]
    # What is taken away again of days and hours that reach beyond the period.
    less_hours: tuple[range, ...] = ()
    less_spans: tuple[Period, ...] = ()

    @property
    def waiting(self) -> range:
        """The days that hold them: what waits of these may be of the period."""
        return range(self.covered.start // HOURS_A_DAY, -(-self.covered.stop // HOURS_A_DAY))


def plan_period(period: Period) -> Plan:
    """Each instant of the period in exactly one part."""
    first = -((EPOCH - period.start) // HOUR)  # ceiling
    last = (period.end - EPOCH) // HOUR
    if first >= last:
        return Plan((), range(0), range(0), (period,))
    first_day = -(-first // HOURS_A_DAY)
    last_day = last // HOURS_A_DAY
    if first_day < last_day:
        days = range(first_day, last_day)
        hours: tuple[range, ...] = (range(first, first_day * HOURS_A_DAY), range(last_day * HOURS_A_DAY, last))
    else:
        days = range(0)
        hours = (range(first, last),)
    return Plan(tuple(part for part in hours if part), days, range(first, last), _edges(period, first, last))


def nearest_plan(period: Period) -> Plan:
    """As `plan_period`, but each end is read from its nearer side: an hour less its first minutes, not its many last.

    On the average half the rows and half the books of hours.
    """
    first, last = _nearest_hour(period.start), _nearest_hour(period.end)
    if first >= last:
        return plan_period(period)
    spans, less_spans = _sides(period.start, EPOCH + first * HOUR, EPOCH + last * HOUR, period.end)
    if sum((end - start for start, end in spans + less_spans), timedelta()) > period.end - period.start:
        return plan_period(period)
    hours, days, less_hours = _nearest_days(first, last)
    return Plan(hours, days, range(first, last), _periods(spans), less_hours, _periods(less_spans))


def _nearest_days(first: int, last: int) -> tuple[tuple[range, ...], range, tuple[range, ...]]:
    """The hours between both as hours to be added, days, and hours to be taken away, whichever are fewer books."""
    first_day, last_day = _nearest_day(first), _nearest_day(last)
    more, less = _sides(first, first_day * HOURS_A_DAY, last_day * HOURS_A_DAY, last)
    books = last_day - first_day + sum(stop - start for start, stop in more + less)
    if first_day >= last_day or books >= last - first:
        return (range(first, last),), range(0), ()
    return tuple(range(*part) for part in more), range(first_day, last_day), tuple(range(*part) for part in less)


def _nearest_hour(moment: datetime) -> int:
    hour = hour_of(moment)
    is_later = 2 * (moment - (EPOCH + hour * HOUR)) > HOUR and hour < _LAST_HOUR
    return hour + is_later


def _nearest_day(hour: int) -> int:
    return (hour + HOURS_A_DAY // 2) // HOURS_A_DAY


def _sides(start: T, first: T, last: T, end: T) -> tuple[list[tuple[T, T]], list[tuple[T, T]]]:
    """What is to be added to the whole parts between `first` and `last`, and what to be taken away."""
    more = [part for part in ((start, first), (last, end)) if part[0] < part[1]]
    less = [part for part in ((first, start), (end, last)) if part[0] < part[1]]
    return more, less


def _periods(parts: list[tuple[datetime, datetime]]) -> tuple[Period, ...]:
    return tuple(Period(*part) for part in parts)


def _edges(period: Period, first: int, last: int) -> tuple[Period, ...]:
    starts, ends = EPOCH + first * HOUR, EPOCH + last * HOUR
    parts = []
    if period.start < starts:
        parts.append(Period(period.start, starts))
    if ends < period.end:
        parts.append(Period(ends, period.end))
    return tuple(parts)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def hour_of(moment: datetime) -> int:
    """The UTC hour since 1970 that holds the moment."""
    return (moment - EPOCH) // HOUR
