"""Roles and refusals about people in the words of the active language."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twin.companies import errors
from twin.kernel.errors import Invalid, TwinError

ROLES: Final[dict[str, Promise]] = {
    "administrator": _("Company administrator"),
    "finance": _("Finance"),
    "chat_operator": _("Chat operator"),
}
_REFUSALS: Final[dict[type[TwinError], Promise]] = {
    errors.LastAdministrator: _("A company keeps at least one administrator. Make somebody else administrator first."),
    errors.AlreadyEmployed: _(
        "Somebody with this address works here already. Find them in the list; who is blocked can be unblocked."
    ),
    errors.InvitedTooOften: _("Invitations were sent too often. Wait a while, then try again."),
    errors.NotYours: _("You invite the first administrator of a company; everybody else is invited by its own people."),
    errors.NotWhileActing: _("Administrators are managed by the company's own people alone."),
    errors.NotYourself: _("Nobody blocks themselves; another administrator can."),
    errors.EmployedElsewhere: _(
        "You work for another company in Twin already. Let an administrator there remove you first,"
        " or ask to be invited at another address."
    ),
    errors.InvitationForAnother: _("This invitation is for another address than the one you are signed in with."),
}
_FIELDS: Final[dict[str, Promise]] = {
    "name": _("Write 1 to 200 characters, without line breaks."),
    "email": _("This is not an email address. Check it for a typing error."),
    "role": _("Choose one of the roles."),
    "reason": _("Give a reason of 1 to 500 characters."),
    "max_dialogs": _("Write a whole number from 1 to 10,000, or leave it empty."),
    "company": _("This company is blocked or closed: nobody can be invited to it."),
}


def role_words(role: str) -> str:
    return str(ROLES.get(role, role))


def refusal_words(error: TwinError) -> str:
    """The refusal as a sentence that says what to do."""
    return str(_REFUSALS.get(type(error), error))


def field_problems(error: Invalid) -> dict[str, str]:
    """What is wrong with which field."""
    named = [str(problem.loc[-1]) for problem in error.errors if problem.loc]
    return {name: str(_FIELDS.get(name, error)) for name in named}
