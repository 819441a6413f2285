"""Text from outside, checked before it is stored."""

from __future__ import annotations

import unicodedata

from twin.kernel.errors import Invalid


def gettext_noop(text: str) -> str:
    """Marks a text that the pages translate; for rules, which know no framework."""
    return text


class TextUnusable(Invalid):
    """The text holds characters that cannot be stored or shown, or has the wrong length."""


def clean_text(value: str, *, field: str, longest: int, shortest: int = 1) -> str:
    """The text without surrounding blanks; refuses control characters, NUL and lone surrogates."""
    stripped = value.strip()
    if not shortest <= len(stripped) <= longest:
        raise TextUnusable(f"{field} must have {shortest} to {longest} characters.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in stripped):
        raise TextUnusable(f"{field} holds characters that cannot be used (control characters or half a character).")
    return stripped


def containing(part: str) -> str:
    """The pattern by which `like` finds the part anywhere; what means something to `like` is meant literally."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
