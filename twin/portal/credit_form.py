"""What somebody typed into the form of a credit note: an amount, a part, a percentage or everything, line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from django.utils.translation import gettext as _

from twin.billing.rules.rounding import typed_minor
from twin.billing.types import Creditable, CreditAsked
from twin.kernel.errors import Invalid

# "all" in the languages of the pages.
_ALL: Final = ("all", "rest", "всё", "все", "остаток")
_SHARE: Final = re.compile(r"([0-9]{1,9})\s*/\s*([0-9]{1,9})", re.ASCII)
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*%", re.ASCII)
_PREFIX: Final = "line_"


def typed_in(given: Mapping[str, str], creditable: Sequence[Creditable]) -> dict[int, str]:
    """What stands beside each line, the empty ones left out."""
    typed = {one.line.number: given.get(f"{_PREFIX}{one.line.number}", "").strip()[:40] for one in creditable}
    return {number: text for number, text in typed.items() if text}


def asked_in(typed: Mapping[int, str], *, currency: str) -> tuple[list[CreditAsked], dict[int | str, str]]:
    """The wishes, and by line what cannot be read."""
    asked: list[CreditAsked] = []
    problems: dict[int | str, str] = {}
    for number, text in typed.items():
        try:
            asked.append(_wish(number, text, currency))
        except (Invalid, InvalidOperation, ZeroDivisionError):
            problems[number] = _("Write an amount such as 3.33, a part such as 1/3 or 25 %, or “all”.")
    if not typed:
        problems[""] = _("Say for at least one line how much of it is taken back.")
    return asked, problems


def _wish(number: int, text: str, currency: str) -> CreditAsked:
    plain = text.lower().replace("\u00a0", " ")
    if plain in _ALL:
        return CreditAsked(number)
    share = _SHARE.fullmatch(plain)
    if share:
        return CreditAsked(number, share=Fraction(int(share[1]), int(share[2])))
    percent = _PERCENT.fullmatch(plain.replace(",", "."))
    if percent:
        return CreditAsked(number, share=Fraction(Decimal(percent[1])) / 100)
    return CreditAsked(number, amount_minor=typed_minor(plain, currency))
