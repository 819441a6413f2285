"""Text and numbers as they may stand in a cell of a CSV or XLSX file."""

from __future__ import annotations

from typing import Final

# What makes a spreadsheet read text as a formula, full-width forms included. A leading blank,
# tab or line end is looked through: some programs trim it before they decide.
_FORMULA_STARTS: Final = frozenset("=+-@＝＋－＠\t\r\n\0")
LONGEST_EXACT_NUMBER: Final = 15


def harmless(text: str) -> str:
    """The text, with an apostrophe before it when a spreadsheet might run it as a formula."""
    if text[:1] in _FORMULA_STARTS and text:
        return f"'{text}"
    return f"'{text}" if text.lstrip()[:1] in _FORMULA_STARTS and text.strip() else text


def fits_a_number(amount: str) -> bool:
    """Whether a spreadsheet, which keeps 15 significant digits, would keep this decimal text exactly."""
    digits = amount.lstrip("-").replace(".", "").lstrip("0")
    return len(digits) <= LONGEST_EXACT_NUMBER
