"""A report as a file: CSV or XLSX. Amounts are exact in both."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from twin.kernel.money import amount_text
from twin.reports.columns import AFTER_STATEMENT, SECTIONS, Column
from twin.reports.rules.cells import fits_a_number, harmless
from twin.reports.types import ResellerReport, Row, Section, Side, Totals

SIDE_NAMES: Mapping[Side, str] = {"sell": "to reseller", "buy": "to Twin"}
_ROWS_PER_CHUNK = 500
# Told how many rows are written so far, every so often; may raise to give up.
Tick = Callable[[int], None]


def unheard(rows: int) -> None:
    """Nobody asks how far it is."""


def _columns_of(report: ResellerReport, section: str, hidden: Collection[str]) -> tuple[Column, ...]:
    after = AFTER_STATEMENT if report.has_after else ()
    return (*(column for column in SECTIONS[section].columns if column.code not in hidden), *after)


def csv_rows(report: ResellerReport, section: str, side: Side, hidden: Collection[str] = ()) -> Iterator[list[str]]:
    """The header in the pages' English titles, then the rows of the page asked for; no totals.

    `hidden` are codes of columns left out. Three more follow where something came after a closed statement.
    """
    columns = _columns_of(report, section, hidden)
    yield [column.title for column in columns]
    for row in report.sections[section].rows:
        yield [_text(column, row, side) for column in columns]


def csv_chunks(report: ResellerReport, section: str, side: Side, hidden: Collection[str] = ()) -> Iterator[str]:
    """The same as text by RFC 4180, some hundred rows at a time."""
    rows = csv_rows(report, section, side, hidden)
    while True:
        buffer = StringIO()
        writer = csv.writer(buffer)
        writer.writerows(islice(rows, _ROWS_PER_CHUNK))
        if not buffer.getvalue():
            return
        yield buffer.getvalue()


def csv_archive(report: ResellerReport, side: Side, target: Path, tick: Tick = unheard) -> None:
    """A ZIP file with one table for each section of the report."""
    before = 0
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for code, section in report.sections.items():
            with (
                archive.open(f"{code}.csv", "w", force_zip64=True) as member,
                TextIOWrapper(member, encoding="utf-8", newline="") as text,
            ):
                for number, chunk in enumerate(csv_chunks(report, code, side), start=1):
                    text.write(chunk)
                    tick(before + min(number * _ROWS_PER_CHUNK, len(section.rows)))
            before += len(section.rows)


def _text(column: Column, row: Row, side: Side) -> str:
    if column.kind == "name":
        return harmless(row.company_name)
    figure = column.figures(row, side)
    return amount_text(figure) if column.kind == "money" else str(figure)


def xlsx_file(
    report: ResellerReport,
    side: Side,
    target: str | Path | BytesIO,
    *,
    hidden: Collection[str] = (),
    tick: Tick = unheard,
) -> None:
    """Write the workbook: what was asked on the first sheet, then one sheet with totals per section.

    Text is never a formula or a link. A number of more than 15 significant digits is written as
    text, because a spreadsheet would silently round it.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, options) as book:
        bold = book.add_format({"bold": True})
        _write_about(book.add_worksheet("About"), report, side, bold)
        before = 0
        for code, section in report.sections.items():
            writer = _SheetWriter(
                book.add_worksheet(SECTIONS[code].title), side, bold, _columns_of(report, code, hidden)
            )
            for line in writer.write(section):
                if line % _ROWS_PER_CHUNK == 0:
                    tick(before + line)
            before += len(section.rows)


def _write_about(sheet: Worksheet, report: ResellerReport, side: Side, bold: Format) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 60)
    for line, (name, value) in enumerate(_about(report, side)):
        sheet.write_string(line, 0, name, bold)
        sheet.write_string(line, 1, value)


def _about(report: ResellerReport, side: Side) -> list[tuple[str, str]]:
    zone = ZoneInfo(report.time_zone)
    return [
        ("Report", "Reseller and companies"),
        ("Reseller", report.reseller.name),
        ("Reseller id", str(report.reseller.id)),
        ("From", report.period.start.astimezone(zone).isoformat(sep=" ")),
        ("To (not included)", report.period.end.astimezone(zone).isoformat(sep=" ")),
        ("Time zone", report.time_zone),
        ("Currency", report.currency),
        ("Prices of channels", SIDE_NAMES[side]),
        ("There are expenses", "yes" if report.has_expenses else "no"),
        ("Search", report.search),
        ("Sorted by", report.sort),
        ("Events without a price", str(report.unrated)),
        *_after_about(report),
    ]


def _after_about(report: ResellerReport) -> list[tuple[str, str]]:
    found = [section.totals.after for section in report.sections.values() if section.totals.after is not None]
    if not found:
        return []
    return [
        ("Events that came after the closed statement of their month", str(sum(one.came for one in found))),
        ("Charges changed after it", str(sum(one.changed for one in found))),
        ("By how much both changed the price to reseller", amount_text(sum(one.sell for one in found))),
    ]


@dataclass(frozen=True)
class _SheetWriter:
    """One section on its sheet."""

    sheet: Worksheet
    side: Side
    bold: Format
    columns: tuple[Column, ...]

    def write(self, section: Section) -> Iterator[int]:
        """Header, rows, totals; says after each row which one it was."""
        self.sheet.freeze_panes(1, sum(column.kind in ("id", "name") for column in self.columns))
        for position, column in enumerate(self.columns):
            width = 40 if column.kind == "name" else max(12, len(column.title) + 2)
            self.sheet.set_column(position, position, width)
        for position, column in enumerate(self.columns):
            self.sheet.write_string(0, position, column.title, self.bold)
        for line, row in enumerate(section.rows, start=1):
            self._write_row(line, row)
            yield line
        self._write_totals(len(section.rows) + 1, section.totals)

    def _write_row(self, line: int, row: Row) -> None:
        for position, column in enumerate(self.columns):
            if column.kind == "name":
                self.sheet.write_string(line, position, row.company_name)
            else:
                _write_figure(self.sheet, line, position, column, column.figures(row, self.side), None)

    def _write_totals(self, line: int, totals: Totals) -> None:
        self.sheet.write_string(line, 0, "Total", self.bold)
        for position, column in enumerate(self.columns):
            if column.kind not in ("id", "name"):
                _write_figure(self.sheet, line, position, column, column.figures(totals, self.side), self.bold)


def _write_figure(
    sheet: Worksheet,
    line: int,
    position: int,
    column: Column,
    figure: int,
    style: Format | None,
) -> None:
    text = amount_text(figure) if column.kind == "money" else str(figure)
    if fits_a_number(text):
        # XLSX knows binary numbers only; up to 15 digits they give back the very same decimal.
        sheet.write_number(line, position, float(text), style)
    else:
        sheet.write_string(line, position, text, style)
