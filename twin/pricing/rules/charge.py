"""From a quantity to an exact amount; whole numbers throughout."""

from __future__ import annotations

from twin.pricing.types import Terms


def billed_quantity(quantity: int, minimum: int, increment: int) -> int:
    """The quantity that is paid for: nothing, the minimum, or whole increments above it.

    The increments start at the minimum, not at zero: 61 at 60/7 is 67, never 63.
    """
    if quantity <= 0:
        return 0
    if quantity <= minimum:
        return minimum
    steps = -((minimum - quantity) // increment)
    return minimum + steps * increment


def charge_nano(terms: Terms, quantity: int) -> int:
    """What the quantity costs, in nano-units; 0 when nothing is billed.

    Rounded once, half-even, on the whole sum: an odd fee turns a tie the other way,
    so it is brought over the same denominator before the division. The result may be
    larger than the database can hold; who stores it refuses it.
    """
    billed = billed_quantity(quantity, terms.minimum, terms.increment)
    if billed == 0:
        return 0
    numerator = terms.unit_price_nano * billed + terms.setup_fee_nano * terms.per
    whole, rest = divmod(numerator, terms.per)
    doubled = 2 * rest
    if doubled > terms.per or (doubled == terms.per and whole % 2 == 1):
        return whole + 1
    return whole
