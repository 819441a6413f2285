"""Amounts of documents as pages show them."""

from __future__ import annotations

from typing import NamedTuple

from twin.billing.rules.figures import minor_words
from twin.billing.rules.rounding import minor_text
from twin.kernel.money import amount_text
from twin.portal.report_words import active_language
from twin.portal.rules.figures import money_text


class Amount(NamedTuple):
    """An amount in the minor unit as text, and as programs read it."""

    text: str
    exact: str
    is_negative: bool
    is_nothing: bool


def amount_of(minor: int, currency: str) -> Amount:
    """As lists and figures show it: nothing at all is a plain "0"."""
    return written_out(minor, currency)._replace(text="0") if minor == 0 else written_out(minor, currency)


def written_out(minor: int, currency: str) -> Amount:
    """As documents say it: always with all decimals of the currency."""
    text = minor_words(minor, currency, active_language())
    return Amount(text, minor_text(minor, currency), minor < 0, minor == 0)


def exact_amount(nano: int) -> Amount:
    """An exact amount rounded as it is read; the last digit in `exact`."""
    return Amount(money_text(nano, active_language()), amount_text(nano), nano < 0, nano == 0)
