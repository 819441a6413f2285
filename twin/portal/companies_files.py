"""The list of companies as a file: what is shown, all pages; what people wrote never runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from typing import Final

import xlsxwriter

from twin.billing.rules.rounding import minor_text
from twin.billing.types import Balance
from twin.kernel.period import instant_text
from twin.portal.companies_page import CompanyRow
from twin.reports.rules.cells import fits_a_number, harmless

_HEADER: Final = (
    *("id", "name", "external_id", "tax_number", "kind", "seller_id", "seller", "rate_card"),
    *("state", "state_reason", "details_complete", "since", "balance", "credit_limit", "currency"),
)
_NUMBERS: Final = ("id", "seller_id")
_AMOUNTS: Final = ("balance", "credit_limit")
_WIDE: Final = ("name", "seller", "rate_card", "state_reason")


def companies_csv(rows: Iterable[CompanyRow]) -> str:
    """By RFC 4180, with the mark by which spreadsheets know UTF-8."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    writer.writerows(
        [cell if head in _AMOUNTS else harmless(cell) for head, cell in zip(_HEADER, cells, strict=True)]
        for cells in _cells(rows)
    )
    return "\ufeff" + text.getvalue()


def companies_xlsx(rows: Iterable[CompanyRow]) -> bytes:
    """One sheet; every text is written as text."""
    content = BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, {**options, "in_memory": True}) as book:
        sheet, bold = book.add_worksheet("Companies"), book.add_format({"bold": True})
        sheet.freeze_panes(1, 2)
        for place, title in enumerate(_HEADER):
            sheet.set_column(place, place, 36 if title in _WIDE else 16)
            sheet.write_string(0, place, title, bold)
        for line, cells in enumerate(_cells(rows), start=1):
            for place, cell in enumerate(cells):
                if _HEADER[place] in _NUMBERS:
                    sheet.write_number(line, place, int(cell))
                elif _HEADER[place] in _AMOUNTS and cell and fits_a_number(cell):
                    sheet.write_number(line, place, float(cell))
                elif cell:
                    sheet.write_string(line, place, cell)
    return content.getvalue()


def _cells(rows: Iterable[CompanyRow]) -> Iterator[list[str]]:
    for row in rows:
        one = row.company
        yield [
            str(one.id),
            one.name,
            one.external_id,
            one.tax_number,
            one.kind,
            str(one.seller_id),
            one.seller,
            row.card,
            one.state,
            one.state_reason,
            "yes" if one.is_complete else "no",
            instant_text(one.existed_from) if one.existed_from else "",
            *_money(row.balance),
        ]


def _money(known: Balance | None) -> tuple[str, str, str]:
    """Balance, credit limit and currency of a buyer of the asker's own; of others nothing is known."""
    if known is None:
        return "", "", ""
    limit = known.account.limit_minor
    shown = "" if limit is None else minor_text(limit, known.currency)
    return minor_text(known.booked_minor, known.currency), shown, known.currency
