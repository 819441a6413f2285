"""The browser that `make setup` found or unpacked."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_NOTE = Path(__file__).resolve().parent.parent / ".venv" / "chromium-path"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """TWIN_CHROMIUM, else the one that set-up noted, else one of this machine."""
    noted = _NOTE.read_text(encoding="utf-8").strip() if _NOTE.exists() else ""
    for name in (os.environ.get("TWIN_CHROMIUM", ""), noted, *_NAMES):
        found = shutil.which(name) if name else None
        if found:
            return found
    return None
