"""The period control of every report page: presets, bounds, time zone, and what was taken, in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin.companies.types import Company
from twin.kernel.period import Period, offered_zones, zone_names
from twin.portal.asking import Asked
from twin.portal.rules.periods import Moment, neighbour, presets, twin_of, whole_month
from twin.portal.words import length_words, moment_words, month_words, offset_words

PRESETS: Final[dict[str, Promise]] = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "last_7_days": gettext_lazy("Last 7 days"),
    "this_month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
    "this_quarter": gettext_lazy("This quarter"),
}
_SHOWN_PROBLEMS: Final = ("from", "to", "time_zone")


class Link(NamedTuple):
    title: str
    href: str
    current: bool = False
    hint: str = ""


class Question(NamedTuple):
    """A bound whose local time occurs twice; `second` says which of the two was taken."""

    name: str
    sentence: str
    first_words: str
    second_words: str
    second: bool


@dataclass(frozen=True)
class PeriodControl:
    """What the control shows; `has_sides` and `has_expenses` are for the page that can use them.

    `zones_near` are zones somebody here may want to look from: the reseller's, the person's own.
    """

    asked: Asked
    path: str
    now: datetime
    zones_near: tuple[str, ...] = ()
    has_sides: bool = False
    has_expenses: bool = False
    resellers: list[Company] = field(default_factory=list)
    reseller_id: int = 0

    @property
    def problems(self) -> dict[str, str]:
        return dict(self.asked.problems)

    @property
    def other_problems(self) -> list[tuple[str, str]]:
        """Those of parameters that have no field on the page."""
        return [(name, text) for name, text in self.asked.problems.items() if name not in _SHOWN_PROBLEMS]

    @property
    def needs_hand(self) -> bool:
        """Something is to be mended or answered: the control is never folded then."""
        return bool(self.problems or self.questions)

    @property
    def from_value(self) -> str:
        return self._bound_value("from")

    @property
    def to_value(self) -> str:
        return self._bound_value("to")

    def _bound_value(self, name: str) -> str:
        """Local date-time as the browser's control reads it; what was typed where it cannot be read."""
        period = self.asked.period
        if period is None:
            return self.asked.raw.get(name, "")
        bound = period.start if name == "from" else period.end
        return bound.astimezone(self.asked.zone).replace(tzinfo=None).isoformat()

    @property
    def zone_value(self) -> str:
        return self.asked.raw.get("time_zone", "") if "time_zone" in self.asked.problems else self.asked.zone.key

    @property
    def zones(self) -> tuple[str, ...]:
        return offered_zones()

    @cached_property
    def presets(self) -> list[Link]:
        known = presets(self.now, self.asked.zone)
        return [
            Link(str(PRESETS[code]), self._with_period(period), period == self.asked.period)
            for code, period in known.items()
        ]

    @cached_property
    def earlier(self) -> Link | None:
        return self._neighbour(-1, _("Earlier"))

    @cached_property
    def later(self) -> Link | None:
        return self._neighbour(1, _("Later"))

    def _neighbour(self, steps: int, title: str) -> Link | None:
        """The equal period beside this one; a whole month is called by its name."""
        period, zone = self.asked.period, self.asked.zone
        beside = neighbour(period, zone, steps) if period else None
        if beside is None:
            return None
        month = whole_month(beside, zone)
        words = month_words(month) if month else title
        return Link(words, self._with_period(beside), hint=self._bounds_words(beside, zone))

    def _with_period(self, period: Period) -> str:
        return replace(self.asked, period=period, problems={}).address(self.path)

    @cached_property
    def elsewhere(self) -> list[Link]:
        """The same instants as they are called in other zones."""
        period = self.asked.period
        if period is None:
            return []
        names = dict.fromkeys((*self.zones_near, "UTC"))
        zones = [ZoneInfo(name) for name in names if name in zone_names() and name != self.asked.zone.key]
        return [
            Link(zone.key, self.asked.address(self.path, zone=zone), hint=self._bounds_words(period, zone))
            for zone in zones
        ]

    @staticmethod
    def _bounds_words(period: Period, zone: ZoneInfo) -> str:
        return f"{moment_words(period.start, zone)} – {moment_words(period.end, zone)}, {zone.key}"

    @cached_property
    def questions(self) -> list[Question]:
        period, zone = self.asked.period, self.asked.zone
        if period is None:
            return []
        bounds = {"from": period.start, "to": period.end}
        return [_question(name, bound, zone) for name, bound in bounds.items() if twin_of(bound, zone)]

    @property
    def start_words(self) -> str:
        return moment_words(self.asked.period.start, self.asked.zone) if self.asked.period else ""

    @property
    def end_words(self) -> str:
        return moment_words(self.asked.period.end, self.asked.zone) if self.asked.period else ""

    @property
    def zone_words(self) -> str:
        return self.asked.zone.key

    @property
    def length_words(self) -> str:
        return length_words(self.asked.period, self.asked.zone) if self.asked.period else ""

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form carries along unseen."""
        own = {"from", "to", "time_zone", "page", *(["side"] if self.has_sides else [])}
        own |= {"has_expenses"} if self.has_expenses else set()
        own |= {"reseller"} if self.resellers else set()
        return [pair for pair in kept_pairs(self.asked) if pair[0] not in own]


def kept_pairs(asked: Asked) -> list[tuple[str, str]]:
    """What stays when a form of the page is sent, also while the period cannot be read."""
    if asked.period is not None:
        return asked.pairs()
    names = ("search", "sort", "section", "chart")
    given = [(name, asked.raw[name]) for name in names if asked.raw.get(name)]
    whose = [("reseller", asked.reseller_id), ("company", asked.company_id)]
    own = [(name, str(number)) for name, number in whose if number]
    return own + [(name, value) for name, value in given if name not in asked.problems]


def _question(name: str, bound: datetime, zone: ZoneInfo) -> Question:
    first, second = sorted((bound, twin_of(bound, zone) or bound))
    local = moment_words(bound, zone).rpartition(" (")[0]
    sentence = _("%(time)s happens twice in %(zone)s.") % {"time": local, "zone": zone.key}
    first_words = _("First (%(offset)s)") % {"offset": offset_words(first.astimezone(zone))}
    second_words = _("Second (%(offset)s)") % {"offset": offset_words(second.astimezone(zone))}
    return Question(name, sentence, first_words, second_words, bound == second)


def oddity_words(name: str, moment: Moment, zone: ZoneInfo) -> str:
    """What was taken for a local time that does not exist."""
    asked = moment.asked.isoformat(sep=" ") if moment.asked else ""
    words = (
        _("From: %(asked)s does not exist in %(zone)s, clocks go forward there. %(taken)s was taken.")
        if name == "from"
        else _("To: %(asked)s does not exist in %(zone)s, clocks go forward there. %(taken)s was taken.")
    )
    return words % {"asked": asked, "zone": zone.key, "taken": moment_words(moment.instant, zone)}
