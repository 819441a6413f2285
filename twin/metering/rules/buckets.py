"""How a period is read: whole days and hours from the books, ragged edges from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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


@dataclass(frozen=True)
class Plan:
    """Half-open ranges of UTC hours and days since 1970, and the spans left to the rows."""

    hours: tuple[range, ...]
    days: range
    covered: range  # every hour that books and journals answer for
    spans: tuple[Period, ...]

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
