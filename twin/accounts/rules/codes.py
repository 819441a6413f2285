"""Codes of six digits that are sent and typed in: how long they live, how often they may be tried."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

DIGITS: Final = 6
LIFETIME: Final = timedelta(minutes=10)
TRIES: Final = 3
RESENDS: Final = 3
RESEND_AFTER: Final = timedelta(seconds=30)

_DASHES: Final = re.compile(r"[\s\u2010-\u2015-]+")


def new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def typed_code(text: str) -> str:
    """The code without the blanks and dashes that mail programs and people put in."""
    return _DASHES.sub("", text)


def hash_of_code(code: str, *, key: bytes, bound_to: str) -> bytes:
    """What is kept of a code. It answers only what it is bound to: this challenge, this address."""
    return hmac.new(key, f"{bound_to}\n{code}".encode(), hashlib.sha256).digest()


def is_same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)


def is_open(*, attempts: int, expires_at: datetime, answered_at: datetime | None, now: datetime) -> bool:
    """Whether a code may still be tried."""
    return answered_at is None and attempts < TRIES and now < expires_at
