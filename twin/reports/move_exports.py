"""Movements of money for the books of an accountant: CSV or a workbook."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Final

import xlsxwriter

from twin.billing.rules.rounding import minor_text
from twin.billing.types import Transaction
from twin.kernel.period import instant_text
from twin.reports.rules.cells import fits_a_number, harmless

MOVE_HEADS: Final = (
    *("Date", "Kind", "Document", "Company id", "Company", "Refill", "Charge", "Balance after", "Currency"),
    *("Reference", "Settles", "Undone", "Recorded at", "Transaction id"),
)
_FIGURES: Final = tuple(MOVE_HEADS.index(name) for name in ("Refill", "Charge", "Balance after"))


def moves_csv(moves: Sequence[Transaction], names: Mapping[int, str], currency: str) -> str:
    """Header and a row for each movement, by RFC 4180."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(MOVE_HEADS)
    for one in moves:
        cells = _row(one, names, currency)
        writer.writerow([cell if place in _FIGURES else harmless(cell) for place, cell in enumerate(cells)])
    return buffer.getvalue()


def moves_xlsx(moves: Sequence[Transaction], names: Mapping[int, str], currency: str) -> bytes:
    """One sheet; amounts are numbers where a number holds them exactly."""
    output = BytesIO()
    with xlsxwriter.Workbook(
        output, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet, bold = book.add_worksheet("Transactions"), book.add_format({"bold": True})
        sheet.write_row(0, 0, MOVE_HEADS, bold)
        sheet.freeze_panes(1, 0)
        for line, one in enumerate(moves, start=1):
            for column, cell in enumerate(_row(one, names, currency)):
                if column in _FIGURES and cell and fits_a_number(cell):
                    sheet.write_number(line, column, float(cell))
                else:
                    sheet.write_string(line, column, cell)
    return output.getvalue()


def _row(one: Transaction, names: Mapping[int, str], currency: str) -> list[str]:
    other = one.buyer_id if one.buyer_id in names else one.seller_id
    amount = one.amount_minor
    return [
        instant_text(one.at),
        one.kind,
        one.document,
        str(other),
        names.get(other, ""),
        minor_text(amount, currency) if amount > 0 else "",
        minor_text(-amount, currency) if amount < 0 else "",
        minor_text(one.balance_minor or 0, currency),
        currency,
        one.reference,
        ", ".join(f"{share.code} {minor_text(share.amount_minor, currency)}" for share in one.allocations),
        "yes" if one.is_reversed else "",
        instant_text(one.recorded_at),
        str(one.id),
    ]
