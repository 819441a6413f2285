"""The folder of files that wait to be fetched: names nobody can guess, gone after a week."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

LIFETIME: Final = timedelta(days=7)
# Longer than any file takes to be made.
_ABANDONED: Final = timedelta(days=1)
_NAME: Final = re.compile(r"[0-9a-f]{32}\.[a-z]{3,4}(\.part)?", re.ASCII)


def folder() -> Path:
    """Made when first needed, for this account's eyes only."""
    place = Path(settings.DATA_DIR) / "exports"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def new_name(form: str) -> str:
    return f"{secrets.token_hex(16)}.{form}"


def path_of(name: str) -> Path:
    """Where the file of that name lies; raises `ValueError` for what was never given out as a name."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file.")
    return folder() / name


def growing_path_of(name: str) -> Path:
    """Where the file is written until it is whole."""
    return path_of(f"{name}.part")


def remove(name: str) -> None:
    """The file goes, whole or not; it may be gone already."""
    if name:
        path_of(name).unlink(missing_ok=True)
        growing_path_of(name).unlink(missing_ok=True)


def sweep(now: datetime) -> int:
    """Remove files whose time is over and halves of files that nobody finished; how many went."""
    removed = 0
    for file in folder().iterdir():
        limit = _ABANDONED if file.suffix == ".part" else LIFETIME
        if _NAME.fullmatch(file.name) and file.stat().st_mtime < (now - limit).timestamp():
            file.unlink(missing_ok=True)
            removed += 1
    return removed
