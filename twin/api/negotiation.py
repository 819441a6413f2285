"""Which of the media types an address can answer with the asker wants (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twin.api.errors import NothingAcceptable

_QUALITY = re.compile(r"(0(\.[0-9]{0,3})?|1(\.0{0,3})?)", re.ASCII)


def chosen_type(accept: str, offered: Sequence[str]) -> str:
    """The offered type with the highest quality; of equals the one offered first.

    A missing or empty header accepts everything. Parameters of a type other than `q` are ignored.
    """
    if not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()]
    qualities = [_quality(media_type, ranges) for media_type in offered]
    best = max(qualities)
    if best <= 0:
        raise NothingAcceptable(f"This address answers with {', '.join(offered)}; accept one of them.")
    return offered[qualities.index(best)]


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return name, float(value) if _QUALITY.fullmatch(value.strip()) else 0.0
    return name, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality the most specific fitting range gives; 0 where none fits."""
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        fitting = [quality for given, quality in ranges if given == name]
        if fitting:
            return max(fitting)
    return 0.0
