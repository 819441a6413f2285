"""Times and names of the tree, as pure functions."""

from __future__ import annotations

import unicodedata
from datetime import datetime


def folded(text: str) -> str:
    """The text as it is compared in a search: without regard to case or to forms of the same letter."""
    return unicodedata.normalize("NFKC", text).casefold()


def is_searchable(text: str) -> bool:
    """Whether a name could hold the text at all: half characters and NUL never reach the database."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def reference_instant(existed_from: datetime | None, now: datetime) -> datetime:
    """The instant whose chain says who holds a company now: its first, while it has not begun."""
    return now if existed_from is None else max(now, existed_from)
