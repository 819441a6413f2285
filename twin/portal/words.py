"""Instants, periods and lengths in the words of the active language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from twin.kernel.period import Period
from twin.portal.rules.periods import clock_change, length_of, twin_of


def zone_of(person: object) -> ZoneInfo:
    """The zone in which the signed-in person is shown times."""
    try:
        return ZoneInfo(getattr(person, "time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def date_words(day: date) -> str:
    return dateformat.format(day, pgettext("format of a date", "j M Y"))


def month_words(day: date) -> str:
    """`October 2026`, in the case a name stands in by itself."""
    return dateformat.format(day, pgettext("format of a month", "F Y"))


def short_date_words(day: date) -> str:
    """`15 Oct`, without the year."""
    return dateformat.format(day, pgettext("format of a date without its year", "j M"))


def weekday_words(day: date) -> str:
    return dateformat.format(day, "D")


def moment_words(instant: datetime, zone: ZoneInfo) -> str:
    """`1 Oct 2026, 00:00:00`; with the offset where the local time occurs twice."""
    local = instant.astimezone(zone)
    fraction = f".{local.microsecond:06d}".rstrip("0") if local.microsecond else ""
    text = f"{date_words(local)}, {local:%H:%M:%S}{fraction}"
    return f"{text} ({offset_words(local)})" if twin_of(instant, zone) else text


def step_words(period: Period, zone: ZoneInfo, step: str) -> tuple[str, str]:
    """One step of a trend or a list: in full, and as short as an axis needs it."""
    local = period.start.astimezone(zone)
    if step == "hour":
        hour = f"{local:%H:%M}" + (f" ({offset_words(local)})" if twin_of(period.start, zone) else "")
        return f"{short_date_words(local)}, {hour}", f"{local:%H:%M}"
    if step == "month":
        return month_words(local), dateformat.format(local, "M")
    if step == "year":
        return f"{local:%Y}", f"{local:%Y}"
    short = short_date_words(local)
    return f"{weekday_words(local)} {short}", short


def offset_words(local: datetime) -> str:
    """`UTC+2`, `UTC+5:30`."""
    minutes = int((local.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    sign = "\u2212" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def length_words(period: Period, zone: ZoneInfo) -> str:
    """The true length, and the change of clocks where it explains the length."""
    length = length_of(period)
    parts = [
        ngettext("%(n)s day", "%(n)s days", length.days) % {"n": length.days} if length.days else "",
        ngettext("%(n)s hour", "%(n)s hours", length.hours) % {"n": length.hours} if length.hours else "",
        ngettext("%(n)s minute", "%(n)s minutes", length.minutes) % {"n": length.minutes} if length.minutes else "",
        ngettext("%(n)s second", "%(n)s seconds", length.seconds) % {"n": length.seconds} if length.seconds else "",
        ngettext("%(n)s microsecond", "%(n)s microseconds", length.microseconds) % {"n": length.microseconds}
        if length.microseconds
        else "",
    ]
    words = " ".join(part for part in parts if part)
    change = clock_change(period, zone)
    if change is None:
        return words
    on = date_words(change.on)
    if change.back:
        return _("%(length)s: clocks go back on %(date)s") % {"length": words, "date": on}
    return _("%(length)s: clocks go forward on %(date)s") % {"length": words, "date": on}
