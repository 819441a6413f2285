"""What employees and invitations may be, as pure functions; refusals name the field."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Final, get_args

from twin.companies.errors import EmployeeInvalid
from twin.companies.types import Role
from twin.kernel.errors import FieldError, Invalid
from twin.kernel.text import clean_text

INVITATION_LIFE: Final = timedelta(days=7)
FEWEST_DIALOGS: Final = 1
MOST_DIALOGS: Final = 10_000
DEFAULT_MAX_DIALOGS: Final = 300
ROLES: Final[tuple[Role, ...]] = get_args(Role)

# A company writes at most this many invitations in 24 hours; one invitation is sent again at most so
# often, and not before a pause. Mail to strangers is what an open form is abused for.
INVITATIONS_A_DAY: Final = 200
SENDINGS: Final = 6
SENDING_PAUSE: Final = timedelta(seconds=60)


def invalid(message: str, *loc: str) -> EmployeeInvalid:
    return EmployeeInvalid(message, [FieldError(loc, message)])


def checked_role(role: str) -> Role:
    if role not in ROLES:
        raise invalid(f"role must be one of {', '.join(ROLES)}.", "role")
    return role


def checked_max_dialogs(number: int | None) -> int | None:
    """The operator's own limit; None leaves it to the company's default."""
    if number is not None and not FEWEST_DIALOGS <= number <= MOST_DIALOGS:
        raise invalid(f"max_dialogs must be between {FEWEST_DIALOGS} and {MOST_DIALOGS}.", "max_dialogs")
    return number


def effective_max_dialogs(own: int | None, default: int) -> int:
    """How many dialogs an operator may hold at once: the own number, else the company's."""
    return default if own is None else own


def checked_text(text: str, *, field: str, longest: int) -> str:
    try:
        return clean_text(text, field=field, longest=longest)
    except Invalid as refusal:
        raise invalid(str(refusal), field) from None


def may_give(own: Role, role: Role) -> bool:
    """Whether somebody in a role may let another person in with that role: never above the own."""
    return own == "administrator" or own == role


def is_open(
    *, now: datetime, expires_at: datetime, accepted_at: datetime | None, withdrawn_at: datetime | None
) -> bool:
    """Whether an invitation can still be taken up."""
    return accepted_at is None and withdrawn_at is None and now < expires_at


def letters_folding_into(text: str) -> tuple[str, str]:
    """Every letter that folds into one of a folded text, and what it folds into, in the same order.

    For PostgreSQL's `translate`: with it a search ignores case whatever the server's locale is,
    and only the few letters of the search have to be replaced.
    """
    wanted = set(text)
    pairs = [(letter, small) for letter, small in _foldings().items() if small in wanted]
    return "".join(letter for letter, _ in pairs), "".join(small for _, small in pairs)


@cache
def _foldings() -> dict[str, str]:
    letters = (chr(code) for code in range(0x41, 0x1FFFF) if not 0xD800 <= code <= 0xDFFF)
    folded = ((letter, letter.casefold()) for letter in letters)
    return {letter: small for letter, small in folded if small != letter and len(small) == 1}
