"""Credit notes: what may be taken back of each line of an invoice, to the last unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from twin.billing.errors import CreditTooLarge
from twin.billing.rules.documents import numbered
from twin.billing.rules.rounding import minor_text
from twin.billing.rules.tax import half_up
from twin.billing.types import Creditable, CreditAsked, InvoiceLine
from twin.kernel.errors import invalid_field

MOST_LINES: Final = 10_000
_SHARE: Final = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)


def creditable_lines(lines: Sequence[InvoiceLine], notes: Iterable[InvoiceLine]) -> list[Creditable]:
    """Each line of an invoice with what the lines of its credit notes took back."""
    taken: dict[int, int] = {}
    shares: dict[int, Fraction] = {}
    for note in notes:
        number = note.credits_line or 0
        taken[number] = taken.get(number, 0) - note.net_minor
        shares[number] = shares.get(number, Fraction(0)) + (Fraction(note.share) if note.share else Fraction(0))
    return [Creditable(line, taken.get(line.number, 0), shares.get(line.number, Fraction(0))) for line in lines]


def credit_lines(
    creditable: Sequence[Creditable], asked: Sequence[CreditAsked], *, currency: str
) -> tuple[InvoiceLine, ...]:
    """The lines of the credit note, negative as they take back.

    A part is rounded by itself, and the one that completes the line takes all that remains: thirds of
    10.00 are 3.33, 3.33 and 3.34. Raises `CreditTooLarge` where more would be taken back than remains,
    `Invalid` for lines that are not there, named twice or with nothing to take back.
    """
    if not asked or len(asked) > MOST_LINES:
        raise invalid_field("Name at least one line to take back.", "lines")
    known = {one.line.number: one for one in creditable}
    seen: set[int] = set()
    lines = []
    for position, wish in enumerate(asked):
        if wish.line not in known or wish.line in seen:
            raise invalid_field(f"There is no line {wish.line} to take back, or it is named twice.", "lines", position)
        seen.add(wish.line)
        lines.append(_credit_line(known[wish.line], wish, position, currency))
    if sum(line.net_minor for line in lines) >= 0:
        raise invalid_field("A credit note lowers its invoice: choose lines that together do.", "lines")
    return numbered(lines)


def _credit_line(one: Creditable, wish: CreditAsked, position: int, currency: str) -> InvoiceLine:
    amount, share = _taken(one, wish, position)
    remaining = one.remaining_minor
    if amount == 0 or (amount > 0) != (one.line.net_minor > 0):
        raise invalid_field(f"Nothing of line {one.line.number} is taken back by this.", "lines", position)
    if abs(amount) > abs(remaining):
        raise CreditTooLarge(
            f"Of line {one.line.number} there remain {minor_text(remaining, currency)} {currency} to take back,"
            f" and {minor_text(amount, currency)} {currency} were asked for."
        )
    return replace(
        one.line,
        statement_line=None,
        credits_line=one.line.number,
        count=None,
        quantity=None,
        billed=None,
        # Exact is what the document itself says: the rounded amount of the invoice is taken back.
        exact=0,
        net_minor=-amount,
        share=str(share),
    )


def _taken(one: Creditable, wish: CreditAsked, position: int) -> tuple[int, Fraction]:
    """The amount and the part of the line it is."""
    net, remaining = one.line.net_minor, one.remaining_minor
    if net == 0:
        raise invalid_field(f"Line {one.line.number} is nothing that could be taken back.", "lines", position)
    if wish.amount_minor is not None:
        return wish.amount_minor, Fraction(wish.amount_minor, net)
    if wish.share is None:
        return remaining, Fraction(remaining, net)
    if not 0 < wish.share <= 1:
        raise invalid_field("A part of a line is more than 0 and at most 1.", "lines", position)
    if one.share + wish.share == 1:
        return remaining, wish.share
    return half_up(net * wish.share.numerator, wish.share.denominator), wish.share


def share_in(text: str) -> Fraction:
    """The part written as `1/3`; raises `Invalid`."""
    match = _SHARE.fullmatch(text)
    if match is None or int(match[2]) == 0:
        raise invalid_field("Write a part as a fraction such as 1/3.", "share")
    return Fraction(int(match[1]), int(match[2]))


def remaining_by_line(creditable: Iterable[Creditable]) -> Mapping[int, int]:
    """What remains of each line, by its number."""
    return {one.line.number: one.remaining_minor for one in creditable}
