"""Addresses of this installation for mails and callbacks."""

from __future__ import annotations

from django.conf import settings


def absolute(path: str) -> str:
    """The path under TWIN_URL; never under the host that a request names, which its sender chooses."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"{path!r} is no path of this installation.")
    return f"{settings.URL}{path}"
