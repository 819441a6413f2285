"""A file of prices before it is recorded: each line with what would come of it, or what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final, Literal
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from twin.kernel.period import instant_text
from twin.metering.types import RateClash
from twin.portal.price_clashes import ClashNote, note_of
from twin.portal.prices_page import selector_words, shortfall_words
from twin.portal.rules.figures import count_text, exact_text
from twin.portal.rules.periods import read_moment
from twin.portal.words import moment_words
from twin.pricing.rules.margins import Shortfall
from twin.pricing.rules.rate_files import MOST_LINES, Problem, RateFile, ReadTime
from twin.pricing.rules.rate_imports import PlannedLine
from twin.pricing.types import NewRate, RateCard
from twin.pricing.words import METER_TITLES

MOST_SHOWN: Final = 300
LineKind = Literal["wrong", "clash", "loss", "new", "same", "replaced"]
_GRAVITY: Final = ("wrong", "clash", "loss", "new", "replaced", "same")

_FILE_WORDS: Final[dict[str, Promise]] = {
    "too_large": gettext_lazy("The file is larger than 1 MiB. Part it into several."),
    "too_many": gettext_lazy("The file has more than %(most)s lines. Part it into several."),
    "encoding": gettext_lazy("The file is not UTF-8. Save it as “CSV UTF-8”."),
    "empty": gettext_lazy("The file holds no prices. The first line names the columns, each further line is a price."),
    "unreadable": gettext_lazy("The table cannot be read from line %(line)s on: a quotation mark is missing there."),
    "column_missing": gettext_lazy("The column %(given)s is missing. The first line has to name it."),
    "column_unknown": gettext_lazy("There is no column %(given)s. Correct its name or take the column out."),
    "column_doubled": gettext_lazy("The column %(given)s stands twice. Take one out."),
}
_PRICE: Final = gettext_lazy("Write a decimal number from 0 with at most 9 decimals, such as 0.0745.")
_LINE_WORDS: Final[dict[str, Promise]] = {
    "meter": gettext_lazy("There is no such meter. A code is written like sms.delivered."),
    "selector": gettext_lazy(
        "Write at most 4 attributes like country=DE operator=1; where a value holds blanks, as JSON."
    ),
    "unit_price": _PRICE,
    "setup_fee": _PRICE,
    "per": gettext_lazy("Write a whole number from 1 to 1000000."),
    "minimum": gettext_lazy("Write a whole number from 0 to 1000000000000."),
    "increment": gettext_lazy("Write a whole number from 1 to 1000000000000."),
    "effective_from": gettext_lazy("Write the time like 2026-10-01T00:00:00Z; without the Z it is your local time."),
    "too_many_cells": gettext_lazy("The line has more cells than the first one. Text with a comma stands in quotes."),
}


def time_reader(zone: ZoneInfo) -> ReadTime:
    """How a cell of a time is read: an instant, or a local time of the zone."""

    def read(text: str) -> datetime:
        return read_moment(text, zone).instant.astimezone(UTC)

    return read


@dataclass(frozen=True)
class LineProblem:
    column: str
    given: str
    words: str


@dataclass(frozen=True)
class ImportLine:
    """One line of the file; `instant` is when its price begins."""

    number: int
    kind: LineKind
    meter: str = ""
    code: str = ""
    selector: str = ""
    price: str = ""
    per: str = ""
    since: str = ""
    instant: str = ""
    words: str = ""
    problems: Sequence[LineProblem] = ()
    clash: ClashNote | None = None


@dataclass(frozen=True)
class Checked:
    """What was found out about a file; the losses and clashes by their place among the new lines."""

    file: RateFile
    plan: Sequence[PlannedLine]
    losses: Mapping[int, Shortfall]
    clashes: Sequence[RateClash]

    @property
    def new(self) -> list[PlannedLine]:
        return [one for one in self.plan if one.state == "new"]

    @property
    def rates(self) -> list[NewRate]:
        return [one.rate for one in self.new]

    @property
    def has_errors(self) -> bool:
        return bool(self.file.problems or any(line.problems for line in self.file.lines))


@dataclass(frozen=True)
class ImportPage:
    """Read by the template; `checked` is None before a file was given."""

    card: RateCard
    zone: ZoneInfo
    currency: str
    checked: Checked | None = None
    content: str = ""
    asks_again: bool = False

    @property
    def file_problems(self) -> list[str]:
        return [_file_words(one) for one in self.checked.file.problems] if self.checked else []

    @property
    def may_record(self) -> bool:
        """Everything of it can be recorded, and there is something."""
        one = self.checked
        return one is not None and not one.has_errors and not one.clashes and bool(one.rates)

    @property
    def has_losses(self) -> bool:
        return bool(self.checked and self.checked.losses)

    @property
    def sums(self) -> list[tuple[str, str]]:
        """How many lines of each kind, in words."""
        kinds: list[str] = [one.kind for one in self._every_line]
        return [(kind, _count_words(kind, kinds.count(kind))) for kind in _GRAVITY if kind in kinds]

    @cached_property
    def lines(self) -> list[ImportLine]:
        """What needs a look first, then the others, by their place."""
        return sorted(self._every_line, key=lambda one: (_GRAVITY.index(one.kind), one.number))[:MOST_SHOWN]

    @property
    def more(self) -> str:
        rest = len(self._every_line) - len(self.lines)
        words = ngettext("and %(n)s more line", "and %(n)s more lines", rest)
        return words % {"n": count_text(rest, get_language() or "en")} if rest > 0 else ""

    @cached_property
    def _every_line(self) -> list[ImportLine]:
        checked = self.checked
        if checked is None:
            return []
        wrong = [_wrong_line(line.number, line.problems) for line in checked.file.lines if line.problems]
        place = {one.number: place for place, one in enumerate(checked.new)}
        clashes = {one.index: one for one in checked.clashes}
        return wrong + [
            self._line(one, checked.losses.get(place.get(one.number, -1)), clashes.get(place.get(one.number, -1)))
            for one in checked.plan
        ]

    def _line(self, one: PlannedLine, loss: Shortfall | None, clash: RateClash | None) -> ImportLine:
        rate, language = one.rate, get_language() or "en"
        kind: LineKind = "clash" if clash else "loss" if loss else one.state
        return ImportLine(
            number=one.number,
            kind=kind,
            meter=str(METER_TITLES[rate.meter]),
            code=rate.meter,
            selector=selector_words(rate.selector),
            price=exact_text(rate.unit_price_nano, language),
            per=count_text(rate.per, language),
            since=moment_words(rate.effective_from, self.zone),
            instant=instant_text(rate.effective_from),
            words=_line_words(kind, one, loss),
            clash=note_of(clash.last_at, clash.company_id, rate.meter, self.zone) if clash else None,
        )


def _wrong_line(number: int, problems: Sequence[Problem]) -> ImportLine:
    told = [LineProblem(one.column, one.given, str(_LINE_WORDS[one.code])) for one in problems]
    return ImportLine(number, "wrong", problems=told)


def _file_words(problem: Problem) -> str:
    given = {"given": problem.given, "line": problem.line, "most": count_text(MOST_LINES, get_language() or "en")}
    return str(_FILE_WORDS[problem.code]) % given


def _line_words(kind: LineKind, one: PlannedLine, loss: Shortfall | None) -> str:
    if kind == "replaced":
        return _("Line %(line)s says otherwise of the same; that one counts.") % {"line": one.replaced_by}
    if kind == "same":
        return _("Recorded so already.")
    return shortfall_words(loss) if loss is not None and kind == "loss" else ""


def _count_words(kind: str, number: int) -> str:
    words = {
        "wrong": ngettext("%(n)s line is wrong", "%(n)s lines are wrong", number),
        "clash": ngettext("%(n)s would change what is charged", "%(n)s would change what is charged", number),
        "loss": ngettext("%(n)s new price under cost", "%(n)s new prices under cost", number),
        "new": ngettext("%(n)s new price", "%(n)s new prices", number),
        "replaced": ngettext("%(n)s replaced within the file", "%(n)s replaced within the file", number),
        "same": ngettext("%(n)s recorded already", "%(n)s recorded already", number),
    }[kind]
    return words % {"n": count_text(number, get_language() or "en")}
