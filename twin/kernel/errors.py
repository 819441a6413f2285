"""The few kinds of refusal every floor speaks; each app derives its own from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with the input: where it stands and what to do about it."""

    loc: tuple[str | int, ...]
    msg: str


class TwinError(Exception):
    """Twin could not do what was asked; the message says what to do next."""


class NotFound(TwinError):
    """It does not exist, or the asker may not know that it does."""


class Forbidden(TwinError):
    """The asker is known and lacks the right."""


class Clash(TwinError):
    """What was asked contradicts what is already recorded."""


class Invalid(TwinError):
    """The input cannot be used as it is; `errors` names each field."""

    def __init__(self, message: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


def invalid_field(message: str, *loc: str | int) -> Invalid:
    """One wrong field as a whole refusal."""
    return Invalid(message, [FieldError(loc, message)])
