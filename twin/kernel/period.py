"""Instants and half-open periods; the one place where local dates become instants."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from twin.kernel.errors import Invalid

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ](\d{2}):\d{2}:(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_REGIONS: Final = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"
)  # fmt: skip


class InstantUnreadable(Invalid):
    """The text is not an RFC 3339 instant with an offset."""


class PeriodEmpty(Invalid):
    """The period ends before or where it begins."""


class ZoneUnknown(Invalid):
    """No time zone of that name is known."""


@dataclass(frozen=True, order=True)
class Period:
    """Half-open span of instants `[start, end)`, both aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise PeriodEmpty("`from` must be earlier than `to`.")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def parse_instant(text: str) -> datetime:
    """An RFC 3339 text with offset as an aware UTC instant.

    Digits beyond the microsecond are cut off, never rounded: an event of
    23:59:59.9999999 belongs to the day it happened in.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InstantUnreadable(f"{text[:64]!r} is not an RFC 3339 time such as 2026-10-01T00:00:00Z.")
    if match[2] == "60":
        raise InstantUnreadable("Second 60 (a leap second) is not accepted; send 59 or the next minute.")
    if match[4] is None:
        raise InstantUnreadable("The time has no offset; add Z or an offset such as +02:00.")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InstantUnreadable(f"{text[:64]!r} is not a time that exists: {error}.") from None


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only where there are any."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@cache
def zone_names() -> frozenset[str]:
    """Every time zone a person may choose."""
    return frozenset(name for name in available_timezones() if name[:1].isupper() and name not in ("Factory",))


@cache
def offered_zones() -> tuple[str, ...]:
    """Zones named by region and city, which is what people look for."""
    return ("UTC", *sorted(name for name in zone_names() if name.partition("/")[0] in _REGIONS))


def zone_called(text: str) -> str | None:
    """The zone of that name, in any letter case, or with that city; None where there is none.

    The city alone is looked for in the regions only: Etc/GMT+3 is three hours behind, the
    opposite of what people mean by it. A city under two regions is one clock with two names.
    """
    wanted = text.strip().replace(" ", "_").casefold()
    named = [name for name in zone_names() if name.casefold() == wanted]
    found = named or [name for name in offered_zones() if name.casefold().endswith(f"/{wanted}")]
    return max(found, default=None)


def parse_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; raises `ZoneUnknown`."""
    if name not in zone_names():
        raise ZoneUnknown(f"{name[:64]!r} is not a known time zone; use an IANA name such as Europe/Berlin.")
    return ZoneInfo(name)


def local_instant(local: date | datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a local date (its first instant) or naive local date-time.

    A time that does not exist is moved over the gap (a missing midnight becomes the
    first instant of its date); one that occurs twice is the first. Vectors: tests/kernel.
    """
    naive = local if isinstance(local, datetime) else datetime.combine(local, time())
    moment = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == naive:
        return moment
    return _end_of_gap(naive, zone)


def _end_of_gap(naive: datetime, zone: ZoneInfo) -> datetime:
    """First instant after the gap that swallowed `naive`: where the offset changes."""
    before = (naive - timedelta(hours=26)).replace(tzinfo=zone).astimezone(UTC)
    after = (naive + timedelta(hours=26)).replace(tzinfo=zone).astimezone(UTC)
    while after - before > timedelta(microseconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) >= naive:
            after = middle
        else:
            before = middle
    return after


def day_bounds(day: date, zone: ZoneInfo) -> Period:
    """The local day as UTC; 23 or 25 hours when clocks change."""
    return Period(local_instant(day, zone), local_instant(day + timedelta(days=1), zone))
