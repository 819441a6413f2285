"""What one company used and pays as a file or as the document of the API; nothing of what its seller pays."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO
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
from twin.reports.types import UsageFigures, UsageReport, UsageSection

# To the one who pays there is one price.
TOTAL_TITLE: Final = "Total price"
_NOT_THE_COMPANYS: Final = ("total_buy", "margin")


def usage_columns(section: str) -> tuple[Column, ...]:
    """The columns of the section that are the company's own."""
    return tuple(column for column in SECTIONS[section].columns if column.code not in _NOT_THE_COMPANYS)


def usage_document(report: UsageReport) -> dict[str, Any]:
    """The report in the shape of the reseller's, one row in each section; amounts are exact decimal texts."""
    return {
        "company": {"id": report.company.id, "name": report.company.name},
        "period": {
            "from": instant_text(report.period.start),
            "to": instant_text(report.period.end),
            "time_zone": report.time_zone,
        },
        "currency": report.currency,
        "unrated": report.unrated,
        "total_sell": amount_text(report.total_sell),
        "sections": {code: _section_document(report, section) for code, section in report.sections.items()},
    }


def _section_document(report: UsageReport, section: UsageSection) -> dict[str, Any]:
    figures = {
        "meters": {meter: _meter_document(cell) for meter, cell in section.meters.items()},
        "total_sell": amount_text(section.total_sell),
        "unrated": section.unrated,
    }
    row = {"company_id": report.company.id, "company_name": report.company.name, "path": [], **figures}
    return {"rows": [row], "totals": figures, "row_count": 1, "next_cursor": None}


def _meter_document(cell: UsageFigures) -> dict[str, Any]:
    return {"count": cell.count, "quantity": cell.quantity, "sell": amount_text(cell.sell)}


def usage_csv(report: UsageReport, section: str) -> str:
    """Header and one row, by RFC 4180."""
    columns = usage_columns(section)
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow([_title(column) for column in columns])
    writer.writerow([_text(report, column, report.sections[section]) for column in columns])
    return buffer.getvalue()


def usage_xlsx(report: UsageReport, target: str | Path | BytesIO) -> None:
    """Write the workbook: what was asked on the first sheet, then one sheet for each section."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, options) as book:
        bold = book.add_format({"bold": True})
        about = book.add_worksheet("About")
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 60)
        for line, (name, value) in enumerate(_about(report)):
            about.write_string(line, 0, name, bold)
            about.write_string(line, 1, value)
        for code, section in report.sections.items():
            _write_section(book.add_worksheet(SECTIONS[code].title), report, section, bold)


def _about(report: UsageReport) -> list[tuple[str, str]]:
    zone = ZoneInfo(report.time_zone)
    return [
        ("Report", "Usage"),
        ("Company", report.company.name),
        ("Company id", str(report.company.id)),
        ("From", report.period.start.astimezone(zone).isoformat(sep=" ")),
        ("To (not included)", report.period.end.astimezone(zone).isoformat(sep=" ")),
        ("Time zone", report.time_zone),
        ("Currency", report.currency),
        (TOTAL_TITLE, amount_text(report.total_sell)),
        ("Events without a price", str(report.unrated)),
    ]


def _write_section(sheet: Worksheet, report: UsageReport, section: UsageSection, bold: Format) -> None:
    for position, column in enumerate(usage_columns(section.code)):
        title = _title(column)
        sheet.set_column(position, position, 40 if column.kind == "name" else max(12, len(title) + 2))
        sheet.write_string(0, position, title, bold)
        text = report.company.name if column.kind == "name" else _text(report, column, section)
        if column.kind != "name" and fits_a_number(text):
            # XLSX knows binary numbers only; up to 15 digits they give back the very same decimal.
            sheet.write_number(1, position, float(text))
        else:
            sheet.write_string(1, position, text)


def _title(column: Column) -> str:
    return TOTAL_TITLE if column.code == "total_sell" else column.title


def _text(report: UsageReport, column: Column, section: UsageSection) -> str:
    if column.kind == "name":
        return harmless(report.company.name)
    if column.kind == "id":
        return str(report.company.id)
    figure = column.figures(section, "sell")
    return amount_text(figure) if column.kind == "money" else str(figure)
