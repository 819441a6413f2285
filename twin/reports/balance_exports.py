"""What buyers owe, for the books of an accountant: CSV or a workbook, each written row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import IO, Final

import xlsxwriter

from twin.billing.rules.rounding import minor_text
from twin.billing.types import BuyerBalance
from twin.kernel.money import amount_text
from twin.reports.rules.cells import fits_a_number, harmless

BALANCE_HEADS: Final = (
    *("Company id", "Company", "Buys now", "Balance", "Not invoiced yet", "Not invoiced yet with tax"),
    *("Still to be paid", "Overdue", "Pays", "Credit limit", "May still be spent", "Currency"),
)
_AMOUNTS: Final = (
    *("Balance", "Not invoiced yet", "Not invoiced yet with tax"),
    *("Still to be paid", "Overdue", "Credit limit", "May still be spent"),
)
_FIGURES: Final = tuple(BALANCE_HEADS.index(name) for name in ("Company id", *_AMOUNTS))


def balances_csv(found: Iterable[BuyerBalance]) -> Iterator[str]:
    """Header and a line for each buyer, by RFC 4180."""
    yield _line(BALANCE_HEADS)
    for one in found:
        cells = enumerate(_row(one))
        yield _line([cell if place in _FIGURES else harmless(cell) for place, cell in cells])


def balances_xlsx(found: Iterable[BuyerBalance], target: IO[bytes]) -> None:
    """One sheet; amounts are numbers where a number holds them exactly, every other text is a text."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        sheet, bold = book.add_worksheet("Balances"), book.add_format({"bold": True})
        sheet.freeze_panes(1, 2)
        sheet.set_column(1, 1, 36)
        sheet.write_row(0, 0, BALANCE_HEADS, bold)
        for line, one in enumerate(found, start=1):
            for place, cell in enumerate(_row(one)):
                if place in _FIGURES and cell and fits_a_number(cell):
                    sheet.write_number(line, place, float(cell))
                elif cell:
                    sheet.write_string(line, place, cell)


def _line(cells: Iterable[str]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _row(one: BuyerBalance) -> list[str]:
    known = one.balance
    limit, currency = known.account.limit_minor, known.currency
    return [
        str(one.buyer_id),
        one.name,
        "yes" if one.is_current else "no",
        minor_text(known.booked_minor, currency),
        amount_text(known.unbilled),
        amount_text(known.unbilled_gross),
        minor_text(one.open_minor, currency),
        minor_text(one.overdue_minor, currency),
        known.account.mode,
        "" if limit is None else minor_text(limit, currency),
        "" if known.available is None else amount_text(known.available),
        currency,
    ]
