"""Invitations of companies to a reseller, in the words of the active language."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twin.companies import errors
from twin.kernel.errors import TwinError
from twin.portal.company_words import clash_words

# To whoever holds the link: what became of it, and what to do.
STATES: Final[dict[str, Promise]] = {
    "accepted": _("This invitation was accepted already. An invitation works once."),
    "declined": _("This invitation was declined. If that was a mistake, ask %(seller)s to invite you again."),
    "withdrawn": _("%(seller)s has withdrawn this invitation."),
    "expired": _("This invitation has expired. Ask %(seller)s to send it again."),
    "suspended": _("%(seller)s cannot take companies in at present. Ask there."),
}
_REFUSALS: Final[dict[type[TwinError], Promise]] = {
    errors.NeedsAdministrator: _(
        "Only an administrator of your company can answer this. Ask one of them to be invited at their address."
    ),
    errors.ResellersAreMoved: _("A reseller cannot be attached by invitation: the platform moves it. Ask there."),
    errors.AlreadyAttached: _("Your company buys from a reseller already. To change to another one, ask the platform."),
    errors.CompanyInactive: _("Your company is blocked or closed. Ask your seller what is to be done."),
    errors.AttachmentForAnother: _("This invitation is for another address than the one you are signed in with."),
    errors.MembershipTooEarly: _("A change of seller is planned for your company already. Ask the platform."),
    errors.CompanyInvalid: _("The reseller uses your company's number for another one already. Ask there."),
}
# To the reseller.
_TO_SELLER: Final[dict[type[TwinError], Promise]] = {
    errors.EmployeeInvalid: _("This is not an email address. Check it for a typing error."),
    errors.InvitedTooOften: _("Invitations were sent too often. Wait a while, then try again."),
    errors.AttachmentDeclined: _("This address declined your invitation less than 30 days ago. Ask there first."),
}


def obstacle_words(error: TwinError, zone: ZoneInfo) -> str:
    """Why the company cannot be attached, and what its administrator can do."""
    known = _REFUSALS.get(type(error))
    return str(known) if known is not None else clash_words(error, zone)


def seller_words(error: TwinError) -> str:
    """Why an invitation did not go out; never whether an address is known."""
    return str(_TO_SELLER.get(type(error), error))
