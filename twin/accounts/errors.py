"""What accounts refuse, each by its own name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from twin.kernel.errors import Clash, FieldError, Invalid, NotFound, TwinError

PhoneReason = Literal["unreadable", "country", "not_mobile"]
PasswordReason = Literal["short", "long", "guessable", "known"]
# What was sent too often: to one address or number, from one place, to one prefix, or in all.
LimitKind = Literal["target", "place", "prefix", "all"]


class EmailTaken(Clash):
    """Somebody already signs in with this email."""


class EmailUnusable(Invalid):
    """The text is not an email address."""


class PasswordTooWeak(Invalid):
    """The password is too short, too long or too easy to guess; `reason` says which."""

    def __init__(self, message: str, errors: Sequence[FieldError] = (), *, reason: PasswordReason) -> None:
        super().__init__(message, errors)
        self.reason = reason


class PhoneUnusable(Invalid):
    """The text is no mobile number that can be sent to; `reason` says why."""

    def __init__(self, message: str, errors: Sequence[FieldError] = (), *, reason: PhoneReason) -> None:
        super().__init__(message, errors)
        self.reason = reason


class TooMany(TwinError):
    """A limit is reached: pages answer 429. `limit` says which, `wait` when it is worth trying again."""

    def __init__(self, message: str, *, limit: LimitKind, wait: timedelta) -> None:
        super().__init__(message)
        self.limit = limit
        self.wait = wait


class ChallengeNotFound(NotFound):
    """There is no such code to be typed in: unknown, of another purpose, or of somebody else."""


class ResendsUsedUp(Clash):
    """The code was sent as often as it may be; a new one needs a new beginning."""


class PasswordWrong(Invalid):
    """What was given as the current password is not it."""


class PasswordUnchanged(Invalid):
    """The new password is the current one."""


class CodeWrong(Invalid):
    """The code of the authenticator app does not fit, or was used before."""


class FactorTaken(Clash):
    """There is an authenticator app already."""


class FactorUnknown(NotFound):
    """The person has no such second factor."""


class FactorNeeded(Clash):
    """The person's role demands a second factor, and this is the last one."""


class ContactUnchanged(Invalid):
    """The new email or number is the one the person has."""


class RegistrationNotFound(NotFound):
    """There is no such registration under way, or not at this step."""


class PhoneChangesUsedUp(Clash):
    """The number of one registration was changed as often as it may be."""


class RecoveryLinkDead(NotFound):
    """The link was used, is too old, or was never sent."""
