"""Documents of billing for the books of an accountant: CSV, or a workbook with the lines on a sheet of their own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from twin.billing.rules.rounding import minor_text
from twin.billing.types import Invoice, InvoiceLine
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.reports.rules.cells import fits_a_number, harmless

# By these a party is known to the tax office; the first that was given.
_TAX_NUMBERS: Final = ("vat_number", "inn", "utr", "ein", "registration_number", "ogrn", "duns")
_FIGURES: Final = ("Net", "Tax", "Total", "Paid", "Credited", "Open", "Tax %", "Amount", "Exact amount", "Unit price")
_WHOLE: Final = ("Line", "Events", "Quantity", "Billed quantity")
DOCUMENT_HEADS: Final = (
    *("Number", "Kind", "Issued at", "Issued on", "Payable until", "Month", "Corrects", "Seller id", "Seller"),
    *("Seller tax number", "Buyer id", "Buyer", "Buyer tax number", "Buyer country", "Currency", "Net", "Tax %", "Tax"),
    *("Total", "Paid", "Credited", "Open", "Reason", "Statement id", "Document id"),
)
LINE_HEADS: Final = (
    *("Number", "Document id", "Line", "Meter", "Selector", "Month", "Events", "Quantity", "Billed quantity"),
    *("Unit price", "Per", "Exact amount", "Amount", "Currency"),
)


def invoices_csv(documents: Sequence[Invoice]) -> str:
    """Header and a row for each document, by RFC 4180; amounts with all decimals of the currency."""
    codes = {one.id: one.code for one in documents}
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(DOCUMENT_HEADS)
    writer.writerows(_cells(DOCUMENT_HEADS, document_row(one, codes)) for one in documents)
    return buffer.getvalue()


def invoices_xlsx(documents: Sequence[Invoice], target: BytesIO) -> None:
    """Write the workbook: a sheet of documents, a sheet of their lines. Text is never a formula or a link."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    codes = {one.id: one.code for one in documents}
    with xlsxwriter.Workbook(target, options) as book:
        bold = book.add_format({"bold": True})
        rows = (document_row(one, codes) for one in documents)
        _write(book.add_worksheet("Documents"), DOCUMENT_HEADS, rows, bold)
        lines = (line_row(one, line) for one in documents for line in one.lines)
        _write(book.add_worksheet("Lines"), LINE_HEADS, lines, bold)


def document_row(one: Invoice, codes: dict[int, str]) -> list[str]:
    """The texts of a document's row; `codes` name those it may correct."""

    def money(amount: int) -> str:
        return minor_text(amount, one.currency)

    corrects = codes.get(one.corrects_id, str(one.corrects_id)) if one.corrects_id is not None else ""
    return [
        one.code,
        one.kind,
        instant_text(one.issued_at),
        one.issued_on.isoformat(),
        one.due_on.isoformat() if one.due_on else "",
        f"{one.month:%Y-%m}" if one.month else "",
        corrects,
        str(one.seller_id),
        one.seller_name,
        _tax_number(one.seller_details),
        str(one.buyer_id),
        one.buyer_name,
        _tax_number(one.buyer_details),
        one.buyer_details.get("country", ""),
        one.currency,
        money(one.net_minor),
        format(one.tax_percent.normalize(), "f") if one.tax_kind == "rate" else "0",
        money(one.tax_minor),
        money(one.gross_minor),
        money(one.paid_minor),
        money(one.credited_minor),
        money(one.open_minor) if one.kind == "invoice" else money(0),
        one.reason,
        str(one.statement_id or ""),
        str(one.id),
    ]


def line_row(one: Invoice, line: InvoiceLine) -> list[str]:
    """The texts of a line's row."""
    return [
        one.code,
        str(one.id),
        str(line.number),
        line.meter or "",
        " ".join(f"{name}={value}" for name, value in sorted(line.selector.items())),
        f"{line.month:%Y-%m}" if line.month else "",
        *("" if figure is None else str(figure) for figure in (line.count, line.quantity, line.billed)),
        amount_text(line.terms.unit_price_nano) if line.terms else "",
        str(line.terms.per) if line.terms else "",
        amount_text(line.exact),
        minor_text(line.net_minor, one.currency),
        one.currency,
    ]


def _tax_number(details: Mapping[str, str]) -> str:
    return next((details[name] for name in _TAX_NUMBERS if details.get(name)), "")


def _cells(heads: Sequence[str], row: Sequence[str]) -> list[str]:
    return [text if head in _FIGURES else harmless(text) for head, text in zip(heads, row, strict=True)]


def _write(sheet: Worksheet, heads: Sequence[str], rows: Iterable[Sequence[str]], bold: Format) -> None:
    for column, head in enumerate(heads):
        sheet.set_column(column, column, max(12, len(head) + 2))
        sheet.write_string(0, column, head, bold)
    for number, row in enumerate(rows, start=1):
        for column, (head, text) in enumerate(zip(heads, row, strict=True)):
            if text and head in (*_FIGURES, *_WHOLE) and fits_a_number(text):
                # XLSX knows binary numbers only; up to 15 digits they give back the very same decimal.
                sheet.write_number(number, column, float(text))
            else:
                sheet.write_string(number, column, text)
