"""The report page as the template reads it: words, links and figures, all ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.companies.types import Company
from twin.portal.asking import COMMON_SORTS, DEFAULT_SORT, ROWS_A_PAGE, Asked
from twin.portal.downloads import Downloads
from twin.portal.overview_page import OverviewPage
from twin.portal.period_control import PeriodControl, kept_pairs
from twin.portal.report_columns import TableChoice
from twin.portal.report_table import Table, table_of
from twin.portal.report_words import TAB_TITLES, Figure, active_language, figure_of
from twin.portal.rules.figures import count_text, share_text
from twin.reports.columns import SECTIONS
from twin.reports.types import ResellerReport, Section


class SectionTotals(NamedTuple):
    """A section that is folded: its totals and the way to open it."""

    title: str
    href: str
    current: bool
    rows: str
    buy: Figure
    sell: Figure
    margin: Figure


@dataclass(frozen=True)
class ReportPage:
    """`report` is None when the question cannot be answered; then `asked.problems` says why.

    A part that failed has a reference in `failed` ("overview", "report") and the other stands alone.
    """

    asked: Asked
    report: ResellerReport | None
    reseller: Company
    path: str
    period: PeriodControl
    choice: TableChoice = field(default_factory=TableChoice)
    overview: OverviewPage | None = None
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def retry_href(self) -> str:
        return self.asked.address(self.path, page=self.asked.page)

    # What came out ---------------------------------------------------------

    @property
    def language(self) -> str:
        return active_language()

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
        return table_of(
            self.section,
            self.asked,
            path=self.path,
            language=self.language,
            has_seller=has_seller,
            hidden=self.choice.hidden_in(self.asked.section),
        )

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
        return figure_of(nano)

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
    def search_hidden(self) -> list[tuple[str, str]]:
        return [pair for pair in kept_pairs(self.asked) if pair[0] not in ("search", "page")]

    @cached_property
    def downloads(self) -> Downloads | None:
        return Downloads(self.asked) if self.asked.period else None

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
