"""Tax on documents: once for each, from lines that are rounded already."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from twin.billing.types import TaxKind

# Percents have at most four decimals.
_PARTS_OF_A_PERCENT: Final = 10_000


def tax_on(net_minor: int, *, kind: TaxKind, percent: Decimal) -> int:
    """The tax on a net amount in the minor unit, half-up by magnitude: that on −10.00 mirrors that on 10.00."""
    if kind != "rate":
        return 0
    return half_up(net_minor * int(percent * _PARTS_OF_A_PERCENT), 100 * _PARTS_OF_A_PERCENT)


def tax_taken_back(now_minor: int, *, before_minor: int, kind: TaxKind, percent: Decimal) -> int:
    """The tax on what is credited now, so that the notes of an invoice together take back that on their sum.

    Each rounded by itself would leave a cent of tax behind, or take back more than was charged.
    """
    whole = tax_on(before_minor + now_minor, kind=kind, percent=percent)
    return whole - tax_on(before_minor, kind=kind, percent=percent)


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number to the fraction; a half goes away from zero."""
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded
