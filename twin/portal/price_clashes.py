"""A price that would change what is charged explains itself: up to when, from when it is free, where to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from twin.kernel.errors import TwinError
from twin.kernel.period import day_bounds, instant_text
from twin.metering.errors import AlreadyCharged
from twin.portal.words import moment_words
from twin.pricing.meters import METER_BY_CODE


@dataclass(frozen=True)
class ClashNote:
    """`free` is the earliest possible time, in words and as an instant; `href` leads to the latest usage concerned."""

    words: str
    free: str
    free_instant: str
    href: str


def clash_note(error: TwinError, zone: ZoneInfo) -> ClashNote | None:
    """What the refusal explains; None where it is another one."""
    if not isinstance(error, AlreadyCharged) or error.last_at is None or error.company_id is None:
        return None
    return note_of(error.last_at, error.company_id, error.meter, zone)


def note_of(last_at: datetime, company_id: int, meter: str, zone: ZoneInfo) -> ClashNote:
    """The same of usage that is known to be charged."""
    free = last_at + timedelta(microseconds=1)
    return ClashNote(
        words=_("Usage up to %(moment)s is already charged at the present price, and what is charged never changes.")
        % {"moment": moment_words(last_at, zone)},
        free=moment_words(free, zone),
        free_instant=instant_text(free),
        href=_href(last_at, company_id, meter, zone),
    )


def _href(last_at: datetime, company_id: int, meter: str, zone: ZoneInfo) -> str:
    """The day of that usage in the drill-down of the company."""
    day = day_bounds(last_at.astimezone(zone).date(), zone)
    pairs = {
        "from": instant_text(day.start),
        "to": instant_text(day.end),
        "time_zone": zone.key,
        "section": METER_BY_CODE[meter].service,
        "meter": meter,
    }
    return f"{reverse('portal:drill_down', args=[company_id])}?{urlencode(pairs)}"
