"""The report page as the template reads it: words, links and figures, all ready."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from twin.companies.types import Company
from twin.kernel.money import amount_text
from twin.kernel.period import zone_names
from twin.portal.asking import COMMON_SORTS, DEFAULT_SORT, ROWS_A_PAGE, Asked
from twin.portal.report_table import Table, table_of
from twin.portal.rules.figures import count_text, money_text, share_text
from twin.portal.rules.periods import Moment, presets, twin_of
from twin.portal.words import length_words, moment_words, offset_words
from twin.reports.columns import SECTIONS
from twin.reports.types import ResellerReport, Section

PRESETS: Final[dict[str, Promise]] = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "last_7_days": gettext_lazy("Last 7 days"),
    "this_month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
}
TAB_TITLES: Final[dict[str, Promise]] = {
    "messaging": gettext_lazy("Text messaging"),
    "chat": gettext_lazy("Chat"),
    "telephony_legacy": gettext_lazy("Telephony (legacy)"),
    "telephony_new": gettext_lazy("Telephony (new)"),
    "bot": gettext_lazy("Bot"),
}
_REGIONS: Final = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


class Figure(NamedTuple):
    """A key figure; `text` rounded, `exact` to the last digit."""

    text: str
    exact: str
    loss: bool = False


class Link(NamedTuple):
    title: str
    href: str
    current: bool


class SectionTotals(NamedTuple):
    """A section that is folded: its totals and the way to open it."""

    title: str
    href: str
    current: bool
    rows: str
    buy: Figure
    sell: Figure
    margin: Figure


class Question(NamedTuple):
    """A bound whose local time occurs twice; `second` says which of the two was taken."""

    name: str
    sentence: str
    first_words: str
    second_words: str
    second: bool


@dataclass(frozen=True)
class ReportPage:
    """`report` is None when the question cannot be answered; then `asked.problems` says why."""

    asked: Asked
    report: ResellerReport | None
    reseller: Company
    path: str
    now: datetime
    resellers: list[Company] = field(default_factory=list)

    # What was asked --------------------------------------------------------

    @property
    def problems(self) -> dict[str, str]:
        return dict(self.asked.problems)

    @property
    def other_problems(self) -> list[tuple[str, str]]:
        """Those of parameters that have no field on the page."""
        shown = ("from", "to", "time_zone")
        return [(name, text) for name, text in self.asked.problems.items() if name not in shown]

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
    def zones(self) -> list[str]:
        return offered_zones()

    @cached_property
    def presets(self) -> list[Link]:
        known = presets(self.now, self.asked.zone)
        return [
            Link(
                str(PRESETS[code]),
                replace(self.asked, period=period, problems={}).address(self.path),
                period == self.asked.period,
            )
            for code, period in known.items()
        ]

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
    def length_words(self) -> str:
        return length_words(self.asked.period, self.asked.zone) if self.asked.period else ""

    # What came out ---------------------------------------------------------

    @property
    def language(self) -> str:
        active = get_language()
        return "ru" if active == "ru" else "en"

    @cached_property
    def section(self) -> Section | None:
        return self.report.sections[self.asked.section] if self.report else None

    @property
    def section_title(self) -> str:
        return _(SECTIONS[self.asked.section].title)

    @property
    def section_help(self) -> str:
        return _(SECTIONS[self.asked.section].help)

    @cached_property
    def table(self) -> Table | None:
        if self.section is None:
            return None
        has_seller = self.reseller.kind != "platform"
        return table_of(self.section, self.asked, path=self.path, language=self.language, has_seller=has_seller)

    @cached_property
    def sections(self) -> list[SectionTotals]:
        if self.report is None:
            return []
        return [self._folded(section) for section in self.report.sections.values()]

    def _folded(self, section: Section) -> SectionTotals:
        totals = section.totals
        return SectionTotals(
            title=str(TAB_TITLES[section.code]),
            href=self._section_href(section.code),
            current=section.code == self.asked.section,
            rows=count_text(section.row_count, self.language),
            buy=self._figure(totals.total_buy),
            sell=self._figure(totals.total_sell),
            margin=self._figure(totals.margin),
        )

    def _section_href(self, code: str) -> str:
        sort = self.asked.sort
        kept = sort if sort.removeprefix("-") in COMMON_SORTS else DEFAULT_SORT
        return self.asked.address(self.path, section=code, sort=kept)

    def _figure(self, nano: int) -> Figure:
        return Figure(money_text(nano, self.language), amount_text(nano), nano < 0)

    @cached_property
    def total_buy(self) -> Figure:
        return self._figure(self._sum("total_buy"))

    @cached_property
    def total_sell(self) -> Figure:
        return self._figure(self._sum("total_sell"))

    @cached_property
    def margin(self) -> Figure:
        return self._figure(self._sum("margin"))

    @property
    def margin_share(self) -> str | None:
        return share_text(self._sum("margin"), self._sum("total_sell"), self.language)

    def _sum(self, name: str) -> int:
        sections = self.report.sections.values() if self.report else ()
        return sum(getattr(section.totals, name) for section in sections)

    @property
    def unrated(self) -> int:
        return self.report.unrated if self.report else 0

    @property
    def unrated_words(self) -> str:
        words = ngettext("%(n)s event has no price", "%(n)s events have no price", self.unrated)
        return words % {"n": count_text(self.unrated, self.language)}

    # Ways on ---------------------------------------------------------------

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the period's form carries along unseen."""
        return [pair for pair in self._kept() if pair[0] in ("reseller", "search", "sort", "section")]

    @property
    def search_hidden(self) -> list[tuple[str, str]]:
        return [pair for pair in self._kept() if pair[0] not in ("search", "page")]

    def _kept(self) -> list[tuple[str, str]]:
        if self.asked.period is not None:
            return self.asked.pairs()
        given = [(name, self.asked.raw[name]) for name in ("search", "sort", "section") if self.asked.raw.get(name)]
        reseller = [("reseller", str(self.asked.reseller_id))] if self.asked.reseller_id else []
        return reseller + [(name, value) for name, value in given if name not in self.asked.problems]

    @property
    def csv_href(self) -> str:
        return self.asked.address(self.path) + "&format=csv"

    @property
    def xlsx_href(self) -> str:
        return self.asked.address(self.path) + "&format=xlsx"

    @property
    def all_href(self) -> str:
        """Every company, with or without expenses, whatever its name."""
        return self.asked.address(self.path, has_expenses=False, search="")

    @property
    def rows_words(self) -> str:
        if self.section is None:
            return ""
        count = self.section.row_count
        first = min((self.asked.page - 1) * ROWS_A_PAGE + 1, count)
        last = min(self.asked.page * ROWS_A_PAGE, count)
        words = ngettext("%(first)s–%(last)s of %(n)s company", "%(first)s–%(last)s of %(n)s companies", count)
        texts = {"first": first, "last": last, "n": count}
        return words % {name: count_text(number, self.language) for name, number in texts.items()}

    @property
    def all_words(self) -> str:
        if self.report is None:
            return ""
        count = self.report.company_count
        return ngettext("Show all %(n)s", "Show all %(n)s", count) % {"n": count_text(count, self.language)}

    @property
    def hides_companies(self) -> bool:
        return bool(self.report and self.section and self.section.row_count < self.report.company_count)

    @property
    def empty_words(self) -> str:
        if self.asked.search:
            return _("No name contains “%(search)s”, and no id equals it.") % {"search": self.asked.search}
        if self.asked.has_expenses and self.hides_companies:
            return _("Companies without expenses in this section are hidden because There are expenses is on.")
        return _("No company depended on %(reseller)s at any moment of this period.") % {"reseller": self.reseller.name}

    @property
    def previous_href(self) -> str:
        return self.asked.address(self.path, page=self.asked.page - 1) if self.asked.page > 1 else ""

    @property
    def next_href(self) -> str:
        more = self.section is not None and self.asked.page * ROWS_A_PAGE < self.section.row_count
        return self.asked.address(self.path, page=self.asked.page + 1) if more else ""


def _question(name: str, bound: datetime, zone: ZoneInfo) -> Question:
    other = twin_of(bound, zone) or bound
    first, second = sorted((bound, other))
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


@cache
def offered_zones() -> list[str]:
    """Zones named by region and city, which is what people look for."""
    return ["UTC", *sorted(name for name in zone_names() if name.split("/")[0] in _REGIONS)]
