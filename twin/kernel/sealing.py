"""Texts that lie in the database unreadable without the installation's secret key."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from twin.kernel.errors import TwinError

_PURPOSE = b"twin.kernel.sealing"


class SealBroken(TwinError):
    """What was sealed was changed, or sealed under another secret key."""


def seal(text: str) -> str:
    """The text encrypted and authenticated; the same text never gives the same seal twice."""
    return _fernet(settings.SECRET_KEY).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """The text again; raises `SealBroken`."""
    try:
        return _fernet(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken("A sealed text cannot be opened: was TWIN_SECRET_KEY changed?") from None


@lru_cache(maxsize=2)
def _fernet(secret: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
