"""The files of the repository as the checks read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKIPPED = frozenset(("node_modules", "__pycache__", "static-build", "var", ".venv"))


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the repository, with forward slashes."""

    path: str
    text: str

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


def python_files(*folders: str) -> Iterator[Source]:
    """Every Python file beneath the folders, in a fixed order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not SKIPPED.intersection(path.parts):
                yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def app_folders() -> list[Path]:
    """The folders of the Django apps."""
    return sorted(path.parent for path in (ROOT / "twin").glob("*/apps.py"))
