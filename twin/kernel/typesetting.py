"""PDF files from data: a fixed template of ours, and texts that stay texts, whatever stands in them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from twin.kernel.clock import now
from twin.kernel.errors import TwinError

_PROGRAM: Final = Path(__file__).with_name("typesetter.py")
_LONGEST: Final = timedelta(minutes=3)


class TypesettingFailed(TwinError):
    """The PDF could not be made."""


def typeset(template: Path, data: Mapping[str, Any], *, tagged: bool = True, moment: datetime | None = None) -> bytes:
    """The PDF that the template makes of the data, always in the same typeface.

    `moment` is when the file says it was made, now when left out: with it the same data give the same bytes.

    The template reads the data as JSON from `sys.inputs.data`: texts in it are never markup. It
    sees no file but those of its own folder. `tagged` (PDF/UA-1) tells screen readers what each
    part is and makes long tables some twenty times larger. Raises `TypesettingFailed`.
    """
    arguments = [str(template), str(int((moment or now()).timestamp())), "tagged" if tagged else "plain"]
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(_PROGRAM), *arguments],
            input=json.dumps(data, ensure_ascii=False).encode(),
            capture_output=True,
            timeout=_LONGEST.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TypesettingFailed(f"Typesetting took longer than {_LONGEST}.") from None
    if done.returncode:
        raise TypesettingFailed(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout
