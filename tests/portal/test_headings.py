from __future__ import annotations

import pytest

from twin.portal.rules.headings import two_line_width


@pytest.mark.parametrize(
    ("title", "width"),
    [("Id", 2), ("Delivered SMS", 9), ("Bot messages (with first)", 12), ("Total duration (seconds)", 14), ("", 0)],
)
def test_a_heading_is_broken_at_its_best_blank(title: str, width: int) -> None:
    assert two_line_width(title) == width
