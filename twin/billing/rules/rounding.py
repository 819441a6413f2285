"""From exact amounts to the money that is paid: the only place of Twin that rounds."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from twin.billing.errors import BillingInvalid

_DIGITS: Final = 9
_TYPED: Final = re.compile(r"[+-]?\d{1,15}(?:\.(\d+))?", re.ASCII)
_USUAL: Final = 2
# ISO 4217: the currencies whose minor unit is not a hundredth.
_OTHERS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_EXPONENTS: Final = {code: exponent for exponent, codes in _OTHERS.items() for code in codes.split()}


def exponent_of(currency: str) -> int:
    """How many decimals the currency has."""
    return _EXPONENTS.get(currency, _USUAL)


def minor(exact_nano: int, currency: str) -> int:
    """The exact amount in minor units, half-up by magnitude: what is taken back mirrors what was charged."""
    unit: int = 10 ** (_DIGITS - exponent_of(currency))
    whole, rest = divmod(abs(exact_nano), unit)
    rounded = whole + (2 * rest >= unit)
    return -rounded if exact_nano < 0 else rounded


def minor_up(exact_nano: int, currency: str) -> int:
    """The least number of minor units that covers the exact amount."""
    unit: int = 10 ** (_DIGITS - exponent_of(currency))
    return -(-exact_nano // unit)


def minor_nano(amount_minor: int, currency: str) -> int:
    """Minor units as exact nano-units."""
    unit: int = 10 ** (_DIGITS - exponent_of(currency))
    return amount_minor * unit


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """Minor units as an amount with all decimals of the currency."""
    return Decimal(minor_text(amount_minor, currency))


def minor_text(amount_minor: int, currency: str) -> str:
    """The amount as text with all decimals of the currency and no separators."""
    exponent = exponent_of(currency)
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}" if exponent else f"{sign}{digits}"


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount somebody named, in minor units; raises `BillingInvalid` rather than round."""
    exponent = exponent_of(currency)
    if not amount.is_finite() or (amount and amount.adjusted() > 15):
        raise BillingInvalid("The amount is larger than can be stored.")
    sign, digits, places = amount.as_tuple()
    assert isinstance(places, int)  # finite
    shift = places + exponent
    whole, rest = divmod(int("".join(map(str, digits))), 10 ** max(-shift, 0))
    if rest:
        raise BillingInvalid(f"{amount} has more decimals than {currency} has: {exponent}.")
    scaled: int = whole * 10 ** max(shift, 0)
    return -scaled if sign else scaled


def typed_minor(text: str, currency: str) -> int:
    """An amount as people write it, with a point or a comma before its decimals, spaces between thousands.

    Raises `BillingInvalid`, also where there are more decimals than the currency has: 1,000 is a thousand to one
    reader and one to another.
    """
    exponent = exponent_of(currency)
    plain = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("\u2212", "-").replace(",", ".")
    match = _TYPED.fullmatch(plain)
    if match is None or len(match[1] or "") > exponent:
        raise BillingInvalid("Write an amount such as 1250 or 1250.50, thousands not parted by a point or a comma.")
    return to_minor(Decimal(plain), currency)
