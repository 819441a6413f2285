"""The report as a PDF: what stands on paper, every figure already text, in the language of who asks."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.kernel import clock
from twin.kernel.typesetting import typeset
from twin.portal.report_words import TAB_TITLES, active_language
from twin.portal.rules.figures import count_text, money_text
from twin.portal.rules.headings import two_line_width
from twin.portal.words import length_words, moment_words
from twin.reports.columns import SECTIONS, Column
from twin.reports.types import ResellerReport, Row, Section, Side, Totals

TEMPLATE: Final = Path(__file__).parent / "typst" / "report.typ"
# Widths of paper within its margins, in points; the first that holds the widest table is taken.
_PAPERS: Final = (("a4", 785), ("a3", 1134))
_SIZES: Final = (8, 7.5, 7, 6.5, 6)
# Parts of the font size: a tabular digit, an ordinary letter, the blank beside a cell's text.
_DIGIT, _LETTER, _HEAD_LETTER, _BESIDE = 0.635, 0.6, 0.55, 0.85
_NAME_LETTERS: Final = 20
# Tags make a longer file too large to send.
MOST_TAGGED_ROWS: Final = 1_000
_SUMS: Final = ("total_buy", "total_sell", "margin")


@dataclass(frozen=True)
class Printing:
    """Everything the paper says beside the report itself; `hidden` are codes of columns left out."""

    report: ResellerReport
    side: Side
    has_seller: bool
    hidden: Collection[str] = field(default=())

    @property
    def language(self) -> str:
        return active_language()


def pdf_of(printing: Printing) -> bytes:
    """The report as a PDF, landscape, tagged unless it is long; amounts rounded to two decimals."""
    rows = sum(len(section.rows) for section in printing.report.sections.values())
    return typeset(TEMPLATE, printed(printing), tagged=rows <= MOST_TAGGED_ROWS)


def printed(printing: Printing) -> dict[str, Any]:
    """What the template is given: texts and widths only."""
    report = printing.report
    zone = ZoneInfo(report.time_zone)
    tables = [_Table(printing, section) for section in report.sections.values()]
    paper, width = _paper_for(tables)
    bounds = {"start": moment_words(report.period.start, zone), "end": moment_words(report.period.end, zone)}
    period = _("%(start)s to %(end)s, end not included") % bounds
    return {
        "language": printing.language,
        "paper": paper,
        "title": _("Reseller and companies"),
        "reseller": report.reseller.name,
        "facts": list(_facts(printing, period, zone)),
        "foot": f"{report.reseller.name} · {period} · {report.time_zone}",
        "page_word": _("Page"),
        "not_rated": _("not rated"),
        "service_heads": [_("Service"), _("Companies"), _("To Twin"), _("To reseller"), _("Margin")],
        "services": [_service_line(printing, section) for section in report.sections.values()],
        "service_totals": _sum_line(printing),
        "sections": [table.document(_size_on(width, table)) for table in tables],
        "notes": list(_notes(printing)),
    }


def _facts(printing: Printing, period: str, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    report = printing.report
    yield _("Period"), f"{period} ({length_words(report.period, zone)})"
    yield _("Time zone"), report.time_zone
    yield _("Prices shown"), _("To reseller") if printing.side == "sell" else _("To Twin")
    yield _("Filters"), ", ".join(_filters(report)) or _("none: every company is listed")
    yield _("Amounts"), _("in %(currency)s, without tax, rounded to two decimals") % {"currency": report.currency}
    yield _("Made"), f"{moment_words(clock.now().replace(microsecond=0), zone)}"


def _filters(report: ResellerReport) -> Iterator[str]:
    if report.has_expenses:
        yield _("There are expenses")
    if report.search:
        yield _("search: “%(search)s”") % {"search": report.search}


def _service_line(printing: Printing, section: Section) -> list[str]:
    totals, language = section.totals, printing.language
    amounts = (money_text(getattr(totals, name), language) for name in _SUMS)
    return [str(TAB_TITLES[section.code]), count_text(section.row_count, language), *amounts]


def _sum_line(printing: Printing) -> list[str]:
    sections = printing.report.sections.values()
    sums = (sum(getattr(section.totals, name) for section in sections) for name in _SUMS)
    return [_("Total"), "", *(money_text(amount, printing.language) for amount in sums)]


def _notes(printing: Printing) -> Iterator[str]:
    unrated = printing.report.unrated
    if unrated:
        words = ngettext(
            "%(n)s event has no price yet: totals and margin are incomplete.",
            "%(n)s events have no price yet: totals and margin are incomplete.",
            unrated,
        )
        yield words % {"n": count_text(unrated, printing.language)}
    if printing.hidden:
        yield _("Some columns are left out; the totals count them all the same.")


class _Table:
    """One section as texts."""

    def __init__(self, printing: Printing, section: Section) -> None:
        self._printing = printing
        self._section = section
        every = SECTIONS[section.code].columns
        self._columns = [column for column in every if column.code not in printing.hidden]
        self._rows = [[self._cell(column, row) for column in self._columns] for row in section.rows]
        self._totals = [self._total(column) for column in self._columns]
        self.widths = [self._width(position) for position in range(len(self._columns))]

    @property
    def least_width(self) -> float:
        """In parts of the font size."""
        return sum(self.widths) + _NAME_LETTERS * _LETTER

    def document(self, size: float) -> dict[str, Any]:
        count = self._section.row_count
        words = ngettext("%(n)s company", "%(n)s companies", count)
        return {
            "title": _(SECTIONS[self._section.code].title),
            "words": words % {"n": count_text(count, self._printing.language)},
            "size": size,
            "widths": self.widths,
            "firsts": [position for position in range(2, len(self._columns)) if self._begins(position)],
            "heads": [_(column.title) for column in self._columns],
            "rows": self._rows,
            "totals": self._totals,
            "empty": _("No companies to show"),
        }

    def _begins(self, position: int) -> bool:
        """A thin line stands before the first column of each channel and before the totals."""
        return _stem(self._columns[position]) != _stem(self._columns[position - 1])

    def _cell(self, column: Column, row: Row) -> str:
        if column.kind == "name":
            return " / ".join((*row.path, row.company_name))
        if column.kind == "id":
            return str(row.company_id)
        return self._figure(column, row)

    def _total(self, column: Column) -> str:
        if column.kind == "id":
            return ""
        return _("Total") if column.kind == "name" else self._figure(column, self._section.totals)

    def _figure(self, column: Column, figures: Row | Totals) -> str:
        value = column.figures(figures, self._printing.side)
        if column.kind != "money":
            return count_text(value, self._printing.language)
        if value == 0 and figures.unrated and self._is_sum_of_unknown(column.code):
            return _("not rated")
        text = money_text(value, self._printing.language)
        return f"{text}*" if column.code == "margin" and figures.unrated else text

    def _is_sum_of_unknown(self, code: str) -> bool:
        return code == "total_sell" or (code == "total_buy" and self._printing.has_seller)

    def _width(self, position: int) -> float:
        """Parts of the font size; 0 for the name, which gets what is left."""
        column = self._columns[position]
        if column.kind == "name":
            return 0
        cells = max(len(line[position]) for line in (*self._rows, self._totals))
        title = max(two_line_width(_(column.title)), *(len(word) for word in _(column.title).split()))
        return max(cells * _DIGIT, title * _HEAD_LETTER) + _BESIDE


def _stem(column: Column) -> str:
    """What columns of one channel share: `viber` of `viber.sent` and `price_viber`."""
    if column.code in _SUMS:
        return "sums"
    code = column.code.removeprefix("price_").removeprefix("chat.")
    return code.partition(".")[0].partition("_")[0]


def _paper_for(tables: Collection[_Table]) -> tuple[str, int]:
    """The smallest paper on which every table fits in the smallest type; its name and width."""
    widest = max((table.least_width for table in tables), default=0)
    return next(((paper, width) for paper, width in _PAPERS if widest * _SIZES[-1] <= width), _PAPERS[-1])


def _size_on(width: int, table: _Table) -> float:
    """The largest type in which the table fits."""
    return next((size for size in _SIZES if table.least_width * size <= width), _SIZES[-1])
