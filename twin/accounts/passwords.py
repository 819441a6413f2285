"""Whether a password may be chosen: by the rule, by the list of common ones, by a list of breached ones if given."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

import structlog
from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator

from twin.accounts.errors import PasswordTooWeak
from twin.accounts.rules.passwords import check_password
from twin.kernel.errors import FieldError

_log = structlog.stdlib.get_logger("twin.security")

_DIGEST: Final = 40


def refuse_weak_password(password: str, context: Sequence[str] = ()) -> None:
    """Raise `PasswordTooWeak` for what `check_password` refuses and for what is on a list of attackers."""
    check_password(password, context)
    if password.lower().strip() in _common() or _is_breached(password):
        message = "The password is on lists that attackers try first; choose another one."
        raise PasswordTooWeak(message, [FieldError(("password",), message)], reason="known")


@cache
def _common() -> frozenset[str]:
    """The meter knows fewer: of Django's list some fifty with twelve characters or more pass it."""
    return frozenset(CommonPasswordValidator().passwords)


def _is_breached(password: str) -> bool:
    """Whether the list of TWIN_BREACHED_PASSWORDS holds it; without a readable list nothing is breached."""
    path: str = settings.BREACHED_PASSWORDS
    if not path:
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with Path(path).open("rb") as lines:
            return _holds(lines, digest)
    except OSError as error:
        _log.error("breached_passwords_unreadable", reason=error.strerror)
        return False


def _holds(lines: BinaryIO, digest: bytes) -> bool:
    """Binary search in lines sorted by their SHA-1 in hexadecimal, whatever stands behind it in a line."""
    low, high = 0, lines.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        lines.seek(middle)
        if middle:
            lines.readline()
        line = lines.readline()[:_DIGEST].upper()
        if line == digest:
            return True
        if line and line < digest:
            low = middle + 1
        else:
            high = middle
    lines.seek(0)
    return lines.readline()[:_DIGEST].upper() == digest
