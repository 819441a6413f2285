"""Exact money: integer nano-units (10⁻⁹) inside, `Decimal` or text at every border."""

from __future__ import annotations

from decimal import Decimal, localcontext

from twin.kernel.errors import Invalid

NANO = 10**9
MAX_NANO = 2**63 - 1


class AmountUnreadable(Invalid):
    """The amount is not a decimal number of at most 9 decimals that can be stored."""


def to_nano(amount: Decimal | str) -> int:
    """The amount in nano-units; raises `AmountUnreadable` rather than round or overflow."""
    try:
        value = amount if isinstance(amount, Decimal) else Decimal(amount)
    except ArithmeticError:
        raise AmountUnreadable(f"{amount!r} is not a decimal number.") from None
    if not value.is_finite():
        raise AmountUnreadable(f"{amount} is not a finite number.")
    if value and value.adjusted() > 10:
        raise AmountUnreadable("The amount is larger than can be stored (9 223 372 036.854775807).")
    with localcontext() as exact:
        exact.prec = 60
        scaled = value.scaleb(9)
        whole = int(scaled)
        if scaled != whole:
            raise AmountUnreadable(f"{amount} has more than 9 decimals.")
    if abs(whole) > MAX_NANO:
        raise AmountUnreadable("The amount is larger than can be stored (9 223 372 036.854775807).")
    return whole


def from_nano(nano: int) -> Decimal:
    """The exact decimal value of nano-units, however many digits they have."""
    return Decimal(amount_text(nano))


def amount_text(nano: int) -> str:
    """The exact decimal text: no exponent, no trailing zeros, "0" for nothing."""
    whole, rest = divmod(abs(nano), NANO)
    sign = "-" if nano < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:09d}".rstrip("0")
