"""Rates from outside, checked field by field before anything is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from twin.kernel.errors import FieldError, Invalid
from twin.kernel.money import MAX_NANO, to_nano
from twin.pricing.errors import RatesUnusable
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.types import NewRate

LONGEST_TEXT = 128
MOST_SELECTOR_KEYS = 4
HIGHEST_PER = 10**6
HIGHEST_QUANTITY = 10**12
PRICE_PATTERN = r"[0-9]{1,10}(\.[0-9]{1,9})?"
_PRICE = re.compile(PRICE_PATTERN)
Loc = tuple[str | int, ...]


def price_nano(text: object) -> int:
    """A price as nano-units; only plain decimal strings from 0, at most 9 decimals.

    Numbers are refused: a JSON number has passed through binary fractions somewhere.
    """
    if not isinstance(text, str):
        raise Invalid('A price is written as a string, such as "0.0745".')
    if not _PRICE.fullmatch(text):
        raise Invalid('A price is a plain decimal number from 0 with at most 9 decimals, such as "0.0745".')
    return to_nano(text)


def check_rates(rates: Sequence[NewRate], *, loc: Loc = ("rates",)) -> None:
    """Refuse rates that could not be recorded or would mean nothing; raises `RatesUnusable`."""
    errors = [] if rates else [FieldError(loc, "At least one rate is needed.")]
    for index, rate in enumerate(rates):
        errors += [FieldError((*loc, index, *error.loc), error.msg) for error in _wrong(rate)]
    if errors:
        raise RatesUnusable(_summary(errors), errors)


def _summary(errors: Sequence[FieldError]) -> str:
    first = ".".join(str(part) for part in errors[0].loc)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"No rate was recorded. {first}: {errors[0].msg}{more}"


def _wrong(rate: NewRate) -> Iterator[FieldError]:
    if rate.meter not in METER_BY_CODE:
        yield FieldError(("meter",), _unknown_meter(rate.meter))
    yield from _wrong_selector(rate.selector)
    yield from _wrong_number("unit_price", rate.unit_price_nano, 0, MAX_NANO)
    yield from _wrong_number("setup_fee", rate.setup_fee_nano, 0, MAX_NANO)
    yield from _wrong_number("per", rate.per, 1, HIGHEST_PER)
    yield from _wrong_number("minimum", rate.minimum, 0, HIGHEST_QUANTITY)
    yield from _wrong_number("increment", rate.increment, 1, HIGHEST_QUANTITY)
    if rate.effective_from.tzinfo is None:
        yield FieldError(("effective_from",), "The time has no offset; add Z or an offset such as +02:00.")


def _unknown_meter(code: object) -> str:
    return f"{str(code)[:64]!r} is not a known meter; the known ones are {', '.join(METER_BY_CODE)}."


def _wrong_number(field: str, value: object, lowest: int, highest: int) -> Iterator[FieldError]:
    # True is an int to Python and nothing of the kind to a price list.
    if isinstance(value, bool) or not isinstance(value, int):
        yield FieldError((field,), "A whole number is needed.")
    elif not lowest <= value <= highest:
        yield FieldError((field,), f"The number must lie between {lowest} and {highest}.")


def _wrong_selector(selector: object) -> Iterator[FieldError]:
    if not isinstance(selector, Mapping):
        yield FieldError(("selector",), 'A selector is an object of strings, such as {"country": "DE"}.')
        return
    if len(selector) > MOST_SELECTOR_KEYS:
        yield FieldError(("selector",), f"A selector has at most {MOST_SELECTOR_KEYS} attributes.")
    for key, value in selector.items():
        if not isinstance(key, str) or not 1 <= len(key) <= LONGEST_TEXT or not _storable(key):
            yield FieldError(("selector",), f"The name of an attribute has 1 to {LONGEST_TEXT} usable characters.")
        elif not isinstance(value, str) or len(value) > LONGEST_TEXT or not _storable(value):
            yield FieldError(("selector", key), f"A string of at most {LONGEST_TEXT} usable characters is needed.")


def _storable(text: str) -> bool:
    """NUL and half of a surrogate pair cannot be stored; everything else is compared as it is."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)
