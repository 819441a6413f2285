"""Cursors: the place where a page ended, as a text that means nothing to who sends it back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.period import instant_text, parse_instant

_LARGEST: Final = 2**31 - 1


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= _LARGEST):
        raise ValueError
    return int(text)


def _key(text: str) -> UUID:
    return UUID(hex=text)


def _digest(text: str) -> str:
    return bytes.fromhex(text).hex()


# How each part of a place is read.
CONFLICTS: Final = (parse_instant, _number, _number, _key, _digest)
UNRATED: Final = (_number,) * 4


def cursor_of(place: Sequence[datetime | int | UUID | str] | None) -> str | None:
    """The cursor of a place; none at the end."""
    if place is None:
        return None
    text = "~".join(_written(part) for part in place)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_place(cursor: str | None, parts: Sequence[Callable[[str], Any]]) -> Any:
    """The place of a cursor that `cursor_of` wrote, None without one; any other text is `Invalid`."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode() + b"=" * (-len(cursor) % 4)
        given = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split("~")
        return tuple(read(part) for read, part in zip(parts, given, strict=True))
    except (ValueError, binascii.Error, Invalid):
        raise invalid_field("This `cursor` is not one that this list gave out.", "cursor") from None


def _written(part: datetime | int | UUID | str) -> str:
    if isinstance(part, datetime):
        return instant_text(part)
    return part.hex if isinstance(part, UUID) else str(part)
