"""The kinds of value the API reads: strict, checked once, described exactly in the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Annotated, TypeVar

from ninja import Header, Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from twin.kernel.errors import Invalid, NotFound
from twin.kernel.period import parse_instant, parse_zone, zone_names
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.rules.new_rates import price_nano

LARGEST_ID = 2**31 - 1
LARGEST_QUANTITY = 10**12
T = TypeVar("T")
# No control characters, and at least one letter that is not blank: what can be stored and seen.
_NO_CONTROL = r"[^\u0000-\u001f\u007f-\u009f]"
_SEEN = r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
VISIBLE = f"^{_NO_CONTROL}*{_SEEN}{_NO_CONTROL}*$"
PRINTABLE = f"^{_NO_CONTROL}*$"
_VISIBLE = re.compile(VISIBLE)
_PRINTABLE = re.compile(PRINTABLE)
# Attributes are compared as they are; PostgreSQL cannot store NUL.
NO_NUL = r"^[^\u0000]*$"
_ATTRIBUTE_SCHEMA = {"type": "string", "maxLength": 128, "pattern": NO_NUL}


class Input(BaseModel):
    """Base of everything read: no conversion between types, no field that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True)


def one_of(words: Iterable[str], before: str = "") -> str:
    """A pattern of the document for a long list of words; an enumeration of them would drown it."""
    escaped = (word.replace(".", r"\.").replace("+", r"\+") for word in words)
    return f"^{before}({'|'.join(escaped)})$"


def _checked(read: Callable[[str], T]) -> Callable[[object], T]:
    """Turns a kernel reading into a pydantic one, keeping the kernel's sentence."""

    def check(value: object) -> T:
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "Input should be a string")
        try:
            return read(value)
        except Invalid as error:
            raise PydanticCustomError("invalid", "{reason}", {"reason": str(error)}) from None

    return check


def _visible(longest: int, text: str) -> str:
    if not 1 <= len(text) <= longest or not _VISIBLE.fullmatch(text) or _has_half_character(text):
        raise Invalid(f"Needs 1 to {longest} characters, not only blanks and no control characters.")
    return text


def _visible_schema(longest: int) -> dict[str, object]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": VISIBLE}


def _storable(shortest: int, text: str) -> str:
    if not shortest <= len(text) <= 128 or "\0" in text or _has_half_character(text):
        raise Invalid(f"Needs {shortest} to 128 characters, without NUL and half characters.")
    return text


def _has_half_character(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def attributes_schema(most: int) -> dict[str, object]:
    """The schema of an object of free strings."""
    return {
        "type": "object",
        "maxProperties": most,
        "propertyNames": {"minLength": 1, **_ATTRIBUTE_SCHEMA},
        "additionalProperties": _ATTRIBUTE_SCHEMA,
    }


def _printable(text: str) -> str:
    if len(text) > 200 or not _PRINTABLE.fullmatch(text) or _has_half_character(text):
        raise Invalid("Needs at most 200 characters, none of them a control character.")
    return text


def _zone(text: str) -> str:
    return parse_zone(text).key


def _meter(text: str) -> str:
    if text not in METER_BY_CODE:
        raise Invalid(f"{text[:64]!r} is not a known meter; the known ones are {', '.join(METER_BY_CODE)}.")
    return text


def _whole_number(value: object) -> object:
    """The number in a query, written in plain digits; what came as JSON is left to the strict check."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
        raise PydanticCustomError("int_parsing", "Input should be a whole number")
    return int(value)


def _flag(value: object) -> object:
    if value in ("true", "false"):
        return value == "true"
    raise PydanticCustomError("bool_parsing", "Input should be true or false")


Instant = Annotated[
    datetime,
    BeforeValidator(_checked(parse_instant)),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339 with offset; one without is refused.",
            "examples": ["2026-10-01T00:00:00Z"],
        }
    ),
]
Zone = Annotated[
    str,
    BeforeValidator(_checked(_zone)),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": one_of(sorted(zone_names())),
            "description": "An IANA time zone name.",
            "examples": ["Europe/Berlin"],
        }
    ),
]
Price = Annotated[
    int,
    BeforeValidator(_checked(price_nano)),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$",
            "description": "Exact decimal, not negative, at most 9 decimals.",
            "examples": ["0.0745"],
        }
    ),
]
MeterCode = Annotated[
    str,
    BeforeValidator(_checked(_meter)),
    WithJsonSchema({"type": "string", "enum": list(METER_BY_CODE)}),
]
Name = Annotated[str, BeforeValidator(_checked(partial(_visible, 200))), WithJsonSchema(_visible_schema(200))]
Code = Annotated[str, BeforeValidator(_checked(partial(_visible, 64))), WithJsonSchema(_visible_schema(64))]
Reason = Annotated[str, BeforeValidator(_checked(partial(_visible, 500))), WithJsonSchema(_visible_schema(500))]
Attribute = Annotated[str, BeforeValidator(_checked(partial(_storable, 0)))]
AttributeName = Annotated[str, BeforeValidator(_checked(partial(_storable, 1)))]
Id = Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID)]
Limit = Annotated[
    int,
    BeforeValidator(_whole_number),
    Field(ge=1, le=10_000),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 10_000}),
]
QueryId = Annotated[
    int, BeforeValidator(_whole_number), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})
]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Search = Annotated[
    str,
    BeforeValidator(_checked(_printable)),
    WithJsonSchema({"type": "string", "maxLength": 200, "pattern": PRINTABLE}),
]
Cursor = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[A-Za-z0-9_.=-]+$")]

IdCursor = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
# What a program sends with a request that it may have to send again.
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Sent again with the same key and body, the request is answered as before and not done again.",
    ),
]
PathId = Annotated[int, Path(), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})]


class QueryInput(BaseModel):
    """Base of everything read from a query."""

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """The names it is asked by."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def known_id(number: int) -> int:
    """The id from an address; one that no object can have is not found rather than invalid."""
    if not 1 <= number <= LARGEST_ID:
        raise NotFound(f"There is nothing with the id {str(number)[:20]}.")
    return number
