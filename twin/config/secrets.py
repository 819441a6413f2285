"""Secrets given from outside are refused when anybody could guess them."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

_SHORTEST = 32
_FEWEST_LETTERS = 10
# Beginnings and words of keys that stand in tutorials and examples.
_WELL_KNOWN: tuple[str, ...] = (
    "django-insecure",
    "changeme",
    "change-me",
    "change_me",
    "secret-key",
    "secret_key",
    "your-secret",
)
_WELL_KNOWN += ("insecure", "example", "password", "test-key", "dev-key", "replace-me", "replaceme", "0123456789")


def given_key(text: str) -> str:
    """TWIN_SECRET_KEY as given; an empty one means that Twin makes its own."""
    if not text:
        return ""
    lowered = text.lower()
    is_weak = len(text) < _SHORTEST or len(set(text)) < _FEWEST_LETTERS
    if is_weak or any(word in lowered for word in _WELL_KNOWN):
        raise ImproperlyConfigured(
            f"TWIN_SECRET_KEY can be guessed: give at least {_SHORTEST} random characters"
            " (`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'`), or none: Twin then makes its own."
        )
    return text
