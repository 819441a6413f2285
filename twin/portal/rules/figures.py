"""Figures as people read them: grouped, two decimals, a true minus; exact text beside."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from twin.kernel.money import NANO

MINUS: Final = "\u2212"
# A table may be as wide as its longest amount; the no-break space keeps Russian groups together.
_SEPARATORS: Final = {"en": (",", "."), "ru": ("\u00a0", ",")}
_CENT: Final = NANO // 100
_UNIT_DECIMALS: Final = 4


def count_text(number: int, language: str) -> str:
    """A whole number, grouped."""
    grouped = f"{abs(number):,}".replace(",", _SEPARATORS[language][0])
    return f"{MINUS}{grouped}" if number < 0 else grouped


def money_text(nano: int, language: str) -> str:
    """The amount to two decimals, half away from zero; nothing at all is a plain "0"."""
    if nano == 0:
        return "0"
    group, point = _SEPARATORS[language]
    cents = (abs(nano) + _CENT // 2) // _CENT
    whole, rest = divmod(cents, 100)
    text = f"{whole:,}".replace(",", group) + f"{point}{rest:02d}"
    return f"{MINUS}{text}" if nano < 0 and cents else text


def exact_text(nano: int, language: str) -> str:
    """The amount to its last digit, at least four decimals, as unit prices and single charges are read."""
    if nano == 0:
        return "0"
    group, point = _SEPARATORS[language]
    whole, rest = divmod(abs(nano), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(_UNIT_DECIMALS, "0")
    text = f"{whole:,}".replace(",", group) + point + decimals
    return f"{MINUS}{text}" if nano < 0 else text


def share_text(part: int, whole: int, language: str) -> str | None:
    """How many per cent `part` is of `whole`, one decimal; None where there is nothing to compare with."""
    if whole <= 0:
        return None
    tenths = (Decimal(abs(part)) * 1000 / Decimal(whole)).quantize(Decimal(1))
    units, tenth = divmod(int(tenths), 10)
    group, point = _SEPARATORS[language]
    text = f"{units:,}".replace(",", group) + f"{point}{tenth}\u00a0%"
    return f"{MINUS}{text}" if part < 0 and tenths else text


def change_text(now: int, before: int, language: str) -> str | None:
    """How much larger or smaller, in per cent without sign; None where there was nothing, or a loss, before."""
    if before <= 0:
        return None
    return share_text(abs(now - before), before, language)
