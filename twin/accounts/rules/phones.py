"""Which phone numbers can be confirmed by SMS: valid, mobile, of a country that is sent to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from twin.accounts.errors import PhoneReason, PhoneUnusable
from twin.kernel.errors import FieldError

# Premium, shared-cost, VoIP, pager and personal numbers are how SMS pumping earns its money.
_MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LONGEST: Final = 40
_PREFIX_DIGITS: Final = 3

_MESSAGES: Final[dict[PhoneReason, str]] = {
    "unreadable": "This is not a phone number; give the country and the number, for example +49 1512 3456789.",
    "country": "Numbers of this country cannot be confirmed by SMS here.",
    "not_mobile": "Codes go to mobile numbers only; this one is of another kind.",
}


@dataclass(frozen=True, slots=True)
class Country:
    """A country as the phone field knows it: its code, calling code and an example of a mobile number."""

    code: str
    calling_code: int
    example: str


def checked_phone(text: str, *, countries: Collection[str], region: str | None = None) -> str:
    """The number in E.164; raises `PhoneUnusable`.

    `region` is the country of a number typed without `+`; `countries` are those sent to.
    """
    number = _parsed(text, region)
    if number is None or not phonenumbers.is_valid_number(number):
        raise _unusable("unreadable")
    if country_of(number) not in countries:
        raise _unusable("country")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise _unusable("not_mobile")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def country_of(number: PhoneNumber) -> str:
    return phonenumbers.region_code_for_number(number) or ""


def budget_key(e164: str) -> tuple[str, str]:
    """Country and prefix a number's budget is counted under: calling code and three digits more."""
    number = phonenumbers.parse(e164)
    digits = str(number.national_number)[:_PREFIX_DIGITS]
    return country_of(number), f"+{number.country_code}{digits}"[:8]


def shown_phone(e164: str) -> str:
    """`+49 1512 3454417`, as people write it; the text itself where it is no number."""
    number = _parsed(e164, None)
    return e164 if number is None else phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def split_phone(e164: str) -> tuple[str, str]:
    """Country and the rest as the phone field shows them; empty texts where it is no number."""
    number = _parsed(e164, None)
    if number is None:
        return "", ""
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return country_of(number), international.removeprefix(f"+{number.country_code}").strip()


def phone_countries(codes: Sequence[str]) -> list[Country]:
    """What the phone field offers for these countries, each with a mobile number as an example."""
    found = []
    for code in codes:
        calling_code = phonenumbers.country_code_for_region(code)
        sample = phonenumbers.example_number_for_type(code, PhoneNumberType.MOBILE)
        if calling_code and sample is not None:
            shown = phonenumbers.format_number(sample, PhoneNumberFormat.INTERNATIONAL)
            found.append(Country(code, calling_code, shown.removeprefix(f"+{calling_code}").strip()))
    return found


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    if not 0 < len(text) <= _LONGEST:
        return None
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _unusable(reason: PhoneReason) -> PhoneUnusable:
    message = _MESSAGES[reason]
    return PhoneUnusable(message, [FieldError(("phone",), message)], reason=reason)
