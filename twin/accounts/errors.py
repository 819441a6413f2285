"""What accounts refuse, each by its own name."""

from __future__ import annotations

from twin.kernel.errors import Clash, Invalid


class EmailTaken(Clash):
    """Somebody already signs in with this email."""


class EmailUnusable(Invalid):
    """The text is not an email address."""


class PasswordTooWeak(Invalid):
    """The password is too short or too easy to guess."""
