"""Amounts of a whole batch at once; equal, unit for unit, to `pricing.rules.charge`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernel.money import MAX_NANO
from twin.pricing.rules.charge import charge_nano
from twin.pricing.types import Terms

Ints = NDArray[np.int64]

TERM_FIELDS = 5
_SAFE = float(2**62)


def terms_row(terms: Terms | None) -> tuple[int, int, int, int, int]:
    """Terms as a row of the batch table; an edge without a price charges nothing."""
    if terms is None:
        return (0, 1, 0, 1, 0)
    return (terms.unit_price_nano, terms.per, terms.minimum, terms.increment, terms.setup_fee_nano)


def billed_quantities(quantity: Ints, minimum: Ints, increment: Ints) -> Ints:
    """m/i increments: 0 if 0; m if q ≤ m; else m + ⌈(q − m)/i⌉ · i."""
    above = quantity - minimum
    stepped = minimum + -(-above // increment) * increment
    billed = np.where(above <= 0, minimum, stepped)
    return np.where(quantity == 0, 0, billed)


def amounts_of(rows: Ints, quantity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Nano amounts for `rows` (n × 5 terms) and quantities; the mask marks amounts too large to store.

    Half-even on the whole: (unit × billed) ÷ per + fee, rounded once.
    """
    unit, per, minimum, increment, fee = (rows[:, field] for field in range(TERM_FIELDS))
    billed = billed_quantities(quantity, minimum, increment)
    large = (unit.astype(np.float64) * billed.astype(np.float64) + fee.astype(np.float64)) >= _SAFE
    safe_billed = np.where(large, 0, billed)
    floor, rest = np.divmod(unit * safe_billed, per)
    floor += fee
    floor += (2 * rest > per) | ((2 * rest == per) & (floor & 1 == 1))
    amounts = np.where(safe_billed == 0, 0, floor)
    return _with_large(amounts, large, rows, quantity)


def _with_large(amounts: Ints, large: NDArray[np.bool_], rows: Ints, quantity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """The few products beyond 62 bits, one by one in unbounded integers."""
    beyond = np.zeros(len(amounts), dtype=bool)
    for place in np.flatnonzero(large):
        amount = charge_nano(Terms(*(int(value) for value in rows[place])), int(quantity[place]))
        if amount > MAX_NANO:
            beyond[place] = True
        else:
            amounts[place] = amount
    return amounts, beyond
