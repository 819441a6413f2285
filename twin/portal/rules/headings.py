"""How wide a column heading must be to stand in two lines."""

from __future__ import annotations


def two_line_width(title: str) -> int:
    """Letters in the longer line when the title is broken at the best of its blanks."""
    words = title.split()
    breaks = range(1, len(words))
    widths = (max(len(" ".join(words[:at])), len(" ".join(words[at:]))) for at in breaks)
    return min(widths, default=len(title))
