"""What logs and records may say of people: enough to recognise, too little to use."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Words in the name of a field whose value is never written down.
_SECRET = ("code", "password", "passwd", "secret", "token", "body", "text", "html", "seed", "cookie", "authorization")
_LONGEST = 200

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+\d[\d() .-]{5,18}\d")
# User name and password of an address: smtp://user:password@host.
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# A part of an address that nobody could type: the token of an invitation, a recovery, a receipt.
_TOKEN = re.compile(r"(?<=/)(?=[^/\s]*\d)[\w:=.-]{20,}(?=[/\s?'\"]|$)(?<!\.js)(?<!\.css)(?<!\.svg)(?<!\.py)")
# What PostgreSQL keeps in no text: NUL and halves of characters.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Codes are six digits or more; longer runs are phone numbers without their plus.
_DIGITS = re.compile(r"(?<!\w)(?<!\d[.:-])\d{6,}(?!\w)(?![.:-]\d)")


def mask_email(email: str) -> str:
    """The first letter and the domain: `a…@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def mask_phone(phone: str) -> str:
    """The beginning, by which the country is known, and the last two digits: `+49…67`."""
    return f"{phone[:3]}…{phone[-2:]}"


def mask_text(text: str) -> str:
    """Storable free text without addresses, numbers, codes, credentials and line breaks, of a sensible length."""
    plain = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(text[: 20 * _LONGEST].split()))
    return _DIGITS.sub("…", mask_people(plain))[:_LONGEST]


def mask_people(text: str) -> str:
    """The text as long as it was, without emails, phone numbers, credentials and the long secrets of addresses."""
    plain = _CREDENTIALS.sub("…@", text)
    plain = _EMAIL.sub(lambda found: mask_email(found[0]), plain)
    plain = _PHONE.sub(lambda found: mask_phone(found[0]), plain)
    return _TOKEN.sub("…", plain)


def mask_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Named values as they may be kept: secrets left out, texts masked, numbers and truth as they are."""
    return {name: _masked(value) for name, value in fields.items() if not is_secret(name)}


def is_secret(name: str) -> bool:
    """Whether the name of a field says that its value is nobody's business."""
    return any(word in name.lower() for word in _SECRET)


def _masked(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return mask_fields({str(name): each for name, each in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    return mask_text(str(value))
