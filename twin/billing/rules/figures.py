"""Figures of documents in the document's language: grouped, a true minus, the decimals of the currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from twin.billing.rules.rounding import exponent_of, minor_text
from twin.kernel.money import amount_text

MINUS: Final = "\u2212"
_SEPARATORS: Final = {"en": (",", "."), "ru": ("\u00a0", ",")}


def minor_words(amount_minor: int, currency: str, language: str) -> str:
    """`1,234.50` with all decimals of the currency."""
    return _grouped(minor_text(amount_minor, currency), language)


def price_words(nano: int, currency: str, language: str) -> str:
    """A price to its last digit, with no fewer decimals than the currency has."""
    whole, _, decimals = amount_text(nano).partition(".")
    decimals = decimals.ljust(exponent_of(currency), "0")
    return _grouped(f"{whole}.{decimals}" if decimals else whole, language)


def count_words(number: int, language: str) -> str:
    return _grouped(str(number), language)


def percent_words(percent: Decimal, language: str) -> str:
    """`19 %`, `7.7 %`."""
    text = format(percent.normalize(), "f")
    return f"{_grouped(text, language)}\u00a0%"


def _grouped(text: str, language: str) -> str:
    group, point = _SEPARATORS["ru" if language == "ru" else "en"]
    whole, _, decimals = text.removeprefix("-").partition(".")
    grouped = f"{int(whole):,}".replace(",", group) + (f"{point}{decimals}" if decimals else "")
    return f"{MINUS}{grouped}" if text.startswith("-") else grouped
