"""What the audit page shows, and the address that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import ngettext, pgettext

from twin.companies.rules.record import GROUPS, REFUSALS
from twin.companies.types import RecordedEvent, RecordPage
from twin.kernel import clock
from twin.kernel.period import InstantUnreadable, Period, instant_text, parse_instant
from twin.portal.audit_words import GROUP_WORDS, actor_words, event_words, field_words
from twin.portal.listing import LONGEST_SEARCH
from twin.portal.words import date_words, moment_words

USUAL_DAYS: Final = 30


@dataclass(frozen=True)
class AuditAsked:
    """Search, group, days and place, as they stand in the address; what cannot be is taken as not given."""

    first: date
    last: date
    usual_first: date
    usual_last: date
    search: str = ""
    group: str = ""
    before: tuple[datetime, int] | None = None

    @classmethod
    def read(cls, given: Mapping[str, str], zone: ZoneInfo) -> AuditAsked:
        today = clock.now().astimezone(zone).date()
        usual = today - timedelta(days=USUAL_DAYS - 1)
        first, last = sorted((_day(given.get("from", ""), usual), _day(given.get("to", ""), today)))
        group = given.get("group", "")
        return cls(
            first=first,
            last=last,
            usual_first=usual,
            usual_last=today,
            search=given.get("search", "").strip()[:LONGEST_SEARCH],
            group=group if group in GROUPS else "",
            before=_place(given.get("before", "")),
        )

    def period(self, zone: ZoneInfo) -> Period:
        """From the first day's beginning to the last one's end, in the zone of the person."""
        after = self.last + timedelta(days=1)
        return Period(_midnight(self.first, zone), _midnight(after, zone))

    @property
    def query(self) -> str:
        pairs = [("search", self.search), ("group", self.group)]
        if (self.first, self.last) != (self.usual_first, self.usual_last):
            pairs += [("from", self.first.isoformat()), ("to", self.last.isoformat())]
        if self.before is not None:
            pairs.append(("before", f"{instant_text(self.before[0])} {self.before[1]}"))
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"?{query}" if query else ""

    @property
    def href(self) -> str:
        return reverse("portal:audit") + self.query


@dataclass(frozen=True)
class GroupLink:
    title: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class EventRow:
    """One event in words; `by` did it, `about` is the person it was done to."""

    event: RecordedEvent
    moment: str
    instant: str
    title: str
    by: str
    about: str
    details: tuple[tuple[str, str], ...]
    is_refusal: bool


def event_row(event: RecordedEvent, zone: ZoneInfo) -> EventRow:
    return EventRow(
        event=event,
        moment=moment_words(event.at.replace(microsecond=0), zone),
        instant=instant_text(event.at),
        title=event_words(event.event),
        by=actor_words(event),
        about=event.about,
        details=tuple(field_words(event, zone)),
        is_refusal=event.event in REFUSALS,
    )


@dataclass(frozen=True)
class AuditPage:
    """Read by the templates."""

    asked: AuditAsked
    found: RecordPage
    zone: ZoneInfo
    shows_companies: bool

    @property
    def rows(self) -> list[EventRow]:
        return [event_row(one, self.zone) for one in self.found.items]

    @property
    def groups(self) -> list[GroupLink]:
        choices = [("", pgettext("events", "All")), *((code, str(GROUP_WORDS[code])) for code in GROUPS)]
        return [
            GroupLink(title, replace(self.asked, group=code, before=None).href, self.asked.group == code)
            for code, title in choices
        ]

    @property
    def days_words(self) -> str:
        return f"{date_words(self.asked.first)} – {date_words(self.asked.last)}"

    @property
    def count_words(self) -> str:
        number = len(self.found.items)
        return ngettext("%(n)s event on this page", "%(n)s events on this page", number) % {"n": number}

    @property
    def newest_href(self) -> str:
        return replace(self.asked, before=None).href if self.asked.before else ""

    @property
    def older_href(self) -> str:
        return replace(self.asked, before=self.found.next).href if self.found.next else ""

    @property
    def file_href(self) -> str:
        return reverse("portal:audit_file") + replace(self.asked, before=None).query

    @property
    def is_narrowed(self) -> bool:
        return bool(self.asked.search or self.asked.group)

    @property
    def everything_href(self) -> str:
        return replace(self.asked, search="", group="", before=None).href


def _day(text: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if 2000 <= day.year < 2200 else otherwise


def _place(text: str) -> tuple[datetime, int] | None:
    instant, _space, number = text.partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) < 11):
        return None
    try:
        return parse_instant(instant), int(number)
    except InstantUnreadable:
        return None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(clock.now().tzinfo)
