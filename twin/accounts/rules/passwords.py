"""Which passwords are good enough: long and hard to guess, no rules about kinds of characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zxcvbn import zxcvbn

from twin.accounts.errors import PasswordTooWeak
from twin.kernel.errors import FieldError

SHORTEST: Final = 12
LONGEST: Final = 1000
LOWEST_SCORE: Final = 3

# The meter refuses longer texts; what follows can only make a password stronger.
_METERED: Final = 72


def check_password(password: str, context: Sequence[str] = ()) -> None:
    """Raise `PasswordTooWeak` unless the password has 12 characters and resists guessing.

    `context` are texts an attacker would try first: name, email, company; their words count
    as known.
    """
    if len(password) < SHORTEST:
        raise _too_weak(f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise _too_weak(f"The password may have at most {LONGEST} characters.")
    known = ["twin", *(word for text in context for word in (text, *re.split(r"\W+", text)) if word)]
    if zxcvbn(password[:_METERED], user_inputs=known)["score"] < LOWEST_SCORE:
        raise _too_weak("The password is easy to guess; use a longer one, for example four unrelated words.")


def _too_weak(message: str) -> PasswordTooWeak:
    return PasswordTooWeak(message, [FieldError(("password",), message)])
