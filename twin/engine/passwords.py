"""The generated passwords of the database roles, kept in a file only its owner reads."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def read_passwords(path: Path) -> dict[str, str]:
    """By role name; empty when there is no file."""
    if not path.exists():
        return {}
    stored: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def store_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Put these beside the stored ones."""
    write_private(path, json.dumps(read_passwords(path) | passwords, indent=1))


def keep_passwords(path: Path, wanted: Iterable[str], *, length: int = 24) -> dict[str, str]:
    """The stored passwords, with new ones made and stored for the names that had none."""
    known = read_passwords(path)
    missing = [name for name in wanted if name not in known]
    if missing:
        known |= new_passwords(missing, length=length)
        store_passwords(path, known)
    return known


def new_passwords(names: Iterable[str], *, length: int = 24) -> dict[str, str]:
    return {name: secrets.token_urlsafe(length) for name in names}


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable to others in between."""
    growing = path.with_name(path.name + ".growing")
    growing.unlink(missing_ok=True)
    descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    growing.rename(path)
