"""Amounts of documents as pages show them."""

from __future__ import annotations

from typing import NamedTuple

from twin.billing.rules.figures import minor_words
from twin.billing.rules.rounding import minor_text
from twin.portal.report_words import active_language


class Amount(NamedTuple):
    """An amount in the minor unit as text, and as programs read it."""

    text: str
    exact: str
    is_negative: bool
    is_nothing: bool


def amount_of(minor: int, currency: str) -> Amount:
    text = minor_words(minor, currency, active_language())
    return Amount(text, minor_text(minor, currency), minor < 0, minor == 0)
