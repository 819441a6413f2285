"""A report as a file: CSV, XLSX, or the document that the API answers. Amounts are exact in all of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.reports.columns import SECTIONS, Column
from twin.reports.rules.cells import fits_a_number, harmless
from twin.reports.types import NOTHING_USED, MeterFigures, ResellerReport, Row, Section, Side, Totals

SIDE_NAMES: Mapping[Side, str] = {"sell": "to reseller", "buy": "to Twin"}
_ROWS_PER_CHUNK = 500
_NOTHING_DOCUMENT: Final[dict[str, Any]] = {"count": 0, "quantity": 0, "buy": "0", "sell": "0"}


def csv_rows(report: ResellerReport, section: str, side: Side) -> Iterator[list[str]]:
    """The header in the pages' English titles, then the rows of the page asked for; no totals."""
    columns = SECTIONS[section].columns
    yield [column.title for column in columns]
    for row in report.sections[section].rows:
        yield [_text(column, row, side) for column in columns]


def csv_chunks(report: ResellerReport, section: str, side: Side) -> Iterator[str]:
    """The same as text by RFC 4180, some hundred rows at a time."""
    rows = csv_rows(report, section, side)
    while True:
        buffer = StringIO()
        writer = csv.writer(buffer)
        writer.writerows(islice(rows, _ROWS_PER_CHUNK))
        if not buffer.getvalue():
            return
        yield buffer.getvalue()


def _text(column: Column, row: Row, side: Side) -> str:
    if column.kind == "name":
        return harmless(row.company_name)
    figure = column.figures(row, side)
    return amount_text(figure) if column.kind == "money" else str(figure)


def xlsx_file(report: ResellerReport, side: Side, target: str | Path | BytesIO) -> None:
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
        for code, section in report.sections.items():
            _write_section(book.add_worksheet(SECTIONS[code].title), section, side, bold)


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
    ]


def _write_section(sheet: Worksheet, section: Section, side: Side, bold: Format) -> None:
    columns = SECTIONS[section.code].columns
    sheet.freeze_panes(1, 2)
    for position, column in enumerate(columns):
        sheet.set_column(
            position,
            position,
            40 if column.kind == "name" else max(12, len(column.title) + 2),
        )
    for position, column in enumerate(columns):
        sheet.write_string(0, position, column.title, bold)
    for line, row in enumerate(section.rows, start=1):
        for position, column in enumerate(columns):
            if column.kind == "name":
                sheet.write_string(line, position, row.company_name)
            else:
                _write_figure(sheet, line, position, column, column.figures(row, side), None)
    _write_totals(sheet, len(section.rows) + 1, columns, section.totals, side, bold)


def _write_totals(
    sheet: Worksheet,
    line: int,
    columns: tuple[Column, ...],
    totals: Totals,
    side: Side,
    bold: Format,
) -> None:
    sheet.write_string(line, 0, "Total", bold)
    for position, column in enumerate(columns):
        if column.kind not in ("id", "name"):
            _write_figure(sheet, line, position, column, column.figures(totals, side), bold)


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


def document(report: ResellerReport) -> dict[str, Any]:
    """The report in the shape that the API promises; amounts are exact decimal texts."""
    return {
        "reseller": {"id": report.reseller.id, "name": report.reseller.name},
        "period": {
            "from": instant_text(report.period.start),
            "to": instant_text(report.period.end),
            "time_zone": report.time_zone,
        },
        "currency": report.currency,
        "has_expenses": report.has_expenses,
        "unrated": report.unrated,
        "sections": {code: _section_document(section) for code, section in report.sections.items()},
    }


def _section_document(section: Section) -> dict[str, Any]:
    return {
        "rows": [
            {
                "company_id": row.company_id,
                "company_name": row.company_name,
                "path": list(row.path),
                "unrated": row.unrated,
                **_figures_document(row),
            }
            for row in section.rows
        ],
        "totals": {
            **_figures_document(section.totals),
            "unrated": section.totals.unrated,
        },
        "row_count": section.row_count,
        "next_cursor": section.next_cursor,
    }


def _figures_document(figures: Row | Totals) -> dict[str, Any]:
    return {
        "meters": {meter: _meter_document(cell) for meter, cell in figures.meters.items()},
        "total_buy": amount_text(figures.total_buy),
        "total_sell": amount_text(figures.total_sell),
        "margin": amount_text(figures.margin),
    }


def _meter_document(cell: MeterFigures) -> dict[str, Any]:
    if cell is NOTHING_USED:
        return _NOTHING_DOCUMENT
    return {
        "count": cell.count,
        "quantity": cell.quantity,
        "buy": amount_text(cell.buy),
        "sell": amount_text(cell.sell),
    }
