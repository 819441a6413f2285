"""Kinds, states and refusals about companies and prices in the words of the active language."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from twin.companies import errors as companies
from twin.kernel.errors import Invalid, TwinError
from twin.metering.errors import AlreadyCharged
from twin.portal.people_words import refusal_words
from twin.portal.words import moment_words

KINDS: Final[dict[str, Promise]] = {
    "company": gettext_lazy("Company"),
    "reseller": gettext_lazy("Reseller"),
    "platform": gettext_lazy("Platform"),
}
STATES: Final[dict[str, Promise]] = {
    "active": pgettext_lazy("state of a company", "Active"),
    "blocked": pgettext_lazy("state of a company", "Blocked"),
    "closed": pgettext_lazy("state of a company", "Closed"),
}
_FIELDS: Final[dict[str, Promise]] = {
    "name": gettext_lazy("Write 1 to 200 characters, without line breaks."),
    "external_id": gettext_lazy("Another company under the same seller has this external id, or it is too long."),
    "reason": gettext_lazy("Give a reason of 1 to 500 characters."),
    "email": gettext_lazy("This is not an email address. Check it for a typing error."),
    "parent_id": gettext_lazy("Nothing can be put under this company: choose an active reseller, not the present one."),
    "effective_from": gettext_lazy("The companies did not belong together then. Choose a later time."),
}
_REFUSALS: Final[dict[type[TwinError], Promise]] = {
    companies.MembershipLoop: gettext_lazy("A company cannot lie beneath itself."),
    companies.CompanyNotFound: gettext_lazy("The company did not lie beneath you at that time."),
}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def kind_words(kind: str) -> str:
    return str(KINDS.get(kind, kind))


def state_words(state: str) -> str:
    return str(STATES.get(state, state))


def clash_words(error: TwinError, zone: ZoneInfo) -> str:
    """The refusal as a sentence that says what to do; the instants it names in local time."""
    named = [datetime.fromisoformat(text) for text in _INSTANT.findall(str(error))]
    if isinstance(error, AlreadyCharged | companies.MembershipTooEarly) and named:
        last = moment_words(named[-1], zone)
        if isinstance(error, companies.MembershipTooEarly) or "free instant" in str(error):
            return _("The earliest possible time is %(moment)s: usage before it stands as it is.") % {"moment": last}
        return _(
            "Usage up to %(moment)s is already charged at the present prices, and what is charged never changes."
            " Choose a later time."
        ) % {"moment": last}
    known = _REFUSALS.get(type(error))
    return str(known) if known is not None else refusal_words(error)


def problems_in(error: Invalid) -> dict[str, str]:
    """What is wrong with which field; the empty name stands for the whole."""
    named = [str(problem.loc[-1]) for problem in error.errors if problem.loc] or [""]
    return {name: str(_FIELDS.get(name, error)) for name in named}
