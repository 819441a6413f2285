"""Which span a pair's next statement is about: months of the buyer's time zone, cut where it came or went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from twin.kernel.period import Period, local_instant


@dataclass(frozen=True, slots=True)
class Stay:
    """A buyer's half-open time directly under one seller; `end` None: still there."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """What one statement covers, and the instant at which its month is over in the buyer's time zone.

    `is_tail`: the buyer had left before; there is a statement only when something came late.
    """

    month: date
    period: Period
    over_at: datetime
    is_tail: bool = False


def month_of(moment: datetime, zone: ZoneInfo) -> date:
    """The first day of the local month."""
    return moment.astimezone(zone).date().replace(day=1)


def month_after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def month_before(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


@lru_cache(maxsize=1_024)
def month_period(month: date, zone: ZoneInfo) -> Period:
    """The local month as instants; 743 or 745 hours when clocks change."""
    return Period(local_instant(month, zone), local_instant(month_after(month), zone))


def next_span(
    stays: Sequence[Stay], zone: ZoneInfo, last: tuple[date, datetime] | None, now: datetime
) -> MonthSpan | None:
    """What follows the last statement (its month and end); None when nothing does.

    Stays are in order of time. A month begins where the last one ended, whatever the zone was
    then, so months have neither gap nor overlap when the buyer changes its zone.
    """
    if last is None:
        return _first_of(stays[0], zone) if stays and stays[0].start <= now else None
    month, begin = last
    for stay in stays:
        if stay.end is not None and stay.end <= begin:
            continue
        if stay.start < begin:
            return _span(month_after(month), begin, stay, zone)
        if stay.start <= now:
            return _first_of(stay, zone)
    return _tail(month, begin, zone, now)


def spans_after(
    stays: Sequence[Stay], zone: ZoneInfo, last: tuple[date, datetime] | None, now: datetime
) -> list[MonthSpan]:
    """All spans that follow and have begun, in order; of tails the one that could be closed now."""
    spans: list[MonthSpan] = []
    while True:
        span = next_span(stays, zone, last, now)
        if span is None or span.period.start > now:
            return spans
        spans.append(span)
        if span.is_tail:
            return spans
        last = (span.month, span.period.end)


def _first_of(stay: Stay, zone: ZoneInfo) -> MonthSpan:
    return _span(month_of(stay.start, zone), stay.start, stay, zone)


def _span(month: date, start: datetime, stay: Stay, zone: ZoneInfo) -> MonthSpan:
    over_at = month_period(month, zone).end
    return MonthSpan(month, Period(start, over_at if stay.end is None else min(over_at, stay.end)), over_at)


def _tail(last: date, begin: datetime, zone: ZoneInfo, now: datetime) -> MonthSpan | None:
    """The month that ended last before now, after that of the last statement: nobody is a buyer any more."""
    month = month_before(month_of(now, zone))
    over_at = month_period(month, zone).end
    return MonthSpan(month, Period(begin, over_at), over_at, is_tail=True) if month > last else None
