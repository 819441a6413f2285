"""The invitation a browser came with, kept sealed in its session until it is taken up."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from twin.accounts.types import Person
from twin.companies.access import offer_behind
from twin.companies.actions import accept_invitation
from twin.companies.types import Offer
from twin.kernel.addresses import address_of
from twin.kernel.errors import TwinError
from twin.kernel.sealing import SealBroken, seal, unseal

_KEPT: Final = "twin_invitation"


def keep(request: HttpRequest, token: str) -> None:
    """From the link into the session, so that no page behind it carries the secret in its address."""
    request.session[_KEPT] = seal(token)


def kept_token(request: HttpRequest) -> str:
    """The secret this browser came with; empty when it came with none."""
    try:
        return unseal(request.session[_KEPT])
    except (KeyError, SealBroken):
        return ""


def kept_offer(request: HttpRequest) -> Offer | None:
    """The invitation this browser came with, while it can be taken up."""
    token = kept_token(request)
    return offer_behind(token) if token else None


def forget(request: HttpRequest) -> None:
    request.session.pop(_KEPT, None)


def join_if_invited(request: HttpRequest, person: Person, email: str) -> bool:
    """Let somebody who just registered work where they were invited to; False when a company of their own is due.

    An invitation that died meanwhile is said so: invited again, the person moves over.
    """
    token = kept_token(request)
    offer = kept_offer(request)
    forget(request)
    if not token or (offer is not None and offer.email != email):
        return False
    try:
        with transaction.atomic():
            accept_invitation(token=token, user_id=person.pk, address=address_of(request))
    except TwinError:
        messages.warning(request, _("Your invitation can no longer be used. Ask to be invited again."))
        return False
    return True
