"""The pages of the documentation lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT, SKIPPED

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs", ROOT / "twin")
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
    if not SKIPPED.intersection(path.parts)
)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def dead_links(page: str, text: str) -> list[str]:
    """The links to files of the repository that are not there."""
    targets = [target for target in LINK.findall(text) if "://" not in target]
    return [target for target in targets if not (ROOT / page).parent.joinpath(target).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    assert dead_links(page, (ROOT / page).read_text(encoding="utf-8")) == []


def test_a_dead_link_is_caught() -> None:
    text = "[a](docs/api.md) [b](docs/gone.md) [c](https://example.com) [d](#here)"
    assert dead_links("README.md", text) == ["docs/gone.md"]


def test_every_decision_ends_with_what_enforces_it() -> None:
    parts = ["**Context.**", "**Decision.**", "**Alternatives.**", "**Consequences.**", "**What enforces it.**"]
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        found = re.findall(r"^\*\*[A-Z][^*]*\.\*\*", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert found == parts, path.name
