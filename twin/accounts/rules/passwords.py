"""Which passwords are good enough: long and hard to guess, no rules about kinds of characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zxcvbn import zxcvbn

from twin.accounts.errors import PasswordReason, PasswordTooWeak
from twin.kernel.errors import FieldError

SHORTEST: Final = 12
LONGEST: Final = 128
LOWEST_SCORE: Final = 3

# The meter refuses longer texts; what follows can only make a password stronger.
_METERED: Final = 72
# So many letters or digits must be the password's own; shorter words than three may be chance.
_OWN_LETTERS: Final = 6
_WORD: Final = 3


def check_password(password: str, context: Sequence[str] = ()) -> None:
    """Raise `PasswordTooWeak` unless the password has 12 characters and resists guessing.

    `context` are texts an attacker would try first: name, email, company; their words count
    as known.
    """
    if len(password) < SHORTEST:
        raise _too_weak("short", f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise _too_weak("long", f"The password may have at most {LONGEST} characters.")
    known = ["twin", *(word for text in context for word in (text, *re.split(r"\W+", text)) if word)]
    is_guessable = zxcvbn(password[:_METERED], user_inputs=known)["score"] < LOWEST_SCORE
    if is_guessable or len(_own_letters(password, known)) < _OWN_LETTERS:
        message = "The password is easy to guess; use a longer one, for example four unrelated words."
        raise _too_weak("guessable", message)


def _own_letters(password: str, known: Sequence[str]) -> str:
    """What is left when the words about the person and pieces of their numbers are taken out.

    The meter knows each word but thinks a row of them long enough.
    """
    rest = password.casefold()
    for word in sorted((word.casefold() for word in known if len(word) >= _WORD), key=len, reverse=True):
        rest = rest.replace(word, "")
    digits = re.sub(r"\D", "", " ".join(known))
    rest = re.sub(r"\d{6,}", lambda found: "" if found[0] in digits else found[0], rest)
    return re.sub(r"\s|[!-/:-@\[-`{-~]", "", rest)


def _too_weak(reason: PasswordReason, message: str) -> PasswordTooWeak:
    return PasswordTooWeak(message, [FieldError(("password",), message)], reason=reason)
