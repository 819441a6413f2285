"""docs/security.md speaks of every item of the checklist and names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs" / "security.md").read_text()
ITEMS, TRAPS = TEXT.split("## Traps of the account library")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))


def numbers(text: str) -> set[int]:
    return {int(number) for number in re.findall(r"^- \*\*(\d+)\.\*\*", text, re.MULTILINE)}


def test_every_item_about_people_and_every_trap_is_answered() -> None:
    assert {*range(1, 66), *range(72, 81)} <= numbers(ITEMS)
    assert set(range(1, 21)) <= numbers(TRAPS)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_is_named_exists(file: str, name: str) -> None:
    source = ROOT / file
    assert source.is_file()
    assert not name or f"def {name}(" in source.read_text()
