"""Programs of others that some tests need; where one is missing, its tests are skipped aloud, never in CI."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from tests.chromium import find_chromium

CHROMIUM = find_chromium()
FAKE_SMSC = "/usr/lib/kannel/test/fakesmsc"


@dataclass(frozen=True)
class Peer:
    """What a marker asks for."""

    marker: str
    name: str
    is_here: bool
    advice: str
    script: str


def _is_kannel_here() -> bool:
    return os.access(FAKE_SMSC, os.X_OK) and all(
        shutil.which(name) or os.access(f"/usr/sbin/{name}", os.X_OK) for name in ("bearerbox", "smsbox")
    )


PEERS = (
    Peer("browser", "Chromium", CHROMIUM is not None, "install one, or set TWIN_CHROMIUM", "scripts/browser"),
    Peer("kannel", "Kannel", _is_kannel_here(), "Debian: kannel, kannel-extras", "scripts/kannel"),
)
