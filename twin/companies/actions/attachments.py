"""Putting a company that depends directly on the platform under a reseller: invited by mail, decided by the company.

The reseller is answered the same whatever the address. The secret of the link is 256 random bits;
only its hash is kept. Whether usage stands in the way is metering's to say, which moves the company.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model

from twin.accounts.actions import checked_email
from twin.companies.access import attachment_behind, employment_of, platform_scope, scope_of_employment
from twin.companies.actions.employees import lock_company
from twin.companies.actions.mailed_links import refuse_too_often, renew_link
from twin.companies.actions.mails import tell_of_invitation
from twin.companies.errors import (
    AlreadyAttached,
    AttachmentDeclined,
    AttachmentForAnother,
    AttachmentNotFound,
    AttachmentUnusable,
    EmployeeInvalid,
    InvitedTooOften,
    NeedsAdministrator,
    NotWhileActing,
    NotYours,
    ResellersAreMoved,
)
from twin.companies.models import Attachment as AttachmentRow
from twin.companies.queries import get_company
from twin.companies.queries.attachments import get_attachment
from twin.companies.recording import record_deed
from twin.companies.rules.attachments import ATTACHMENT_LIFE, ATTACHMENTS_A_DAY, DECLINE_PAUSE, obstacle_of
from twin.companies.types import (
    COMPANIES_WRITE,
    Attaching,
    Attachment,
    AttachmentOffer,
    CatalogueChange,
    Employment,
    Scope,
)
from twin.kernel import clock, security_log
from twin.kernel.errors import FieldError, Invalid
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped, tenant_transaction

_DAY: Final = timedelta(days=1)


@scoped
def invite_company(scope: Scope, *, email: str, address: str | None = None) -> Attachment:
    """Invite the administrator behind an address to put their company under the scope's reseller.

    The same for every address, known or not; what applies to it is said behind the link. Invited
    again, the open invitation is renewed and its former link is dead. Raises `EmployeeInvalid`,
    `InvitedTooOften`, `AttachmentDeclined`, `NotYours`.
    """
    inviter = _inviter_of(scope)
    to = _checked_address(email)
    lock_company(scope.organisation_id)
    _refuse_declined(scope, to)
    row = _open_row(scope, email=to) or AttachmentRow(
        seller_id=scope.organisation_id, email=to, sendings=0, created_at=clock.now()
    )
    row.invited_by_id = inviter
    _send(row, scope)
    _note(scope, "attachment.sent", row, address)
    return get_attachment(scope, row.pk)


@scoped
def resend_attachment(scope: Scope, *, attachment_id: int, address: str | None = None) -> Attachment:
    """Send an open or expired invitation once more: a new link for another seven days, the former one is dead."""
    inviter = _inviter_of(scope)
    row = _waiting_row(scope, attachment_id)
    row.invited_by_id = inviter
    _send(row, scope)
    _note(scope, "attachment.sent", row, address)
    return get_attachment(scope, row.pk)


@scoped
def withdraw_attachment(scope: Scope, *, attachment_id: int, address: str | None = None) -> None:
    """Take an invitation back; its link is dead at once."""
    _inviter_of(scope)
    row = _waiting_row(scope, attachment_id)
    row.withdrawn_at = clock.now()
    row.save(update_fields=["withdrawn_at"])
    _note(scope, "attachment.withdrawn", row, address)


def decline_attachment(*, token: str, user_id: int, address: str | None = None) -> AttachmentOffer:
    """Say no in the name of the invited address; the reseller sees that, and may ask again after thirty days."""
    user = get_user_model().objects.get(pk=user_id)
    offer = _offer_to(user, token)
    with tenant_transaction(offer.seller_id):
        row = _locked_row(offer, token)
        row.declined_at = clock.now()
        row.save(update_fields=["declined_at"])
    # At the company of whoever declined: the reseller's record does not name them.
    security_log.record("attachment.declined", user_id=user_id, address=address, seller=offer.seller_name)
    return offer


def take_up_attachment(*, change: CatalogueChange, token: str, user_id: int) -> Attaching:
    """Use the invitation up for the company whose administrator accepts; the caller moves it in the same transaction.

    Raises `AttachmentUnusable`, `AttachmentForAnother`, `NeedsAdministrator`, `ResellersAreMoved`,
    `AlreadyAttached`, and `CompanyInactive` for a blocked company.
    """
    del change
    user = get_user_model().objects.get(pk=user_id)
    offer = _offer_to(user, token)
    company_id = company_to_attach(user, offer).company_id
    with tenant_transaction(company_id):
        lock_company(company_id)
    # Once more under the lock, which whoever takes the role away holds.
    employment = company_to_attach(user, offer)
    with tenant_transaction(offer.seller_id):
        row = _locked_row(offer, token)
        row.accepted_at, row.accepted_by_id, row.company_id = clock.now(), user_id, employment.company_id
        row.save(update_fields=["accepted_at", "accepted_by", "company"])
    return Attaching(
        attachment_id=offer.attachment_id,
        company_id=employment.company_id,
        company_name=employment.company_name,
        seller_id=offer.seller_id,
        seller_name=offer.seller_name,
        person_id=user_id,
    )


def company_to_attach(user: Any, offer: AttachmentOffer) -> Employment:
    """The company that the person may put under the reseller; raises what stands in the way."""
    employment = employment_of(user)
    if employment is None:
        raise NeedsAdministrator("Whoever works for no company has none to put under a reseller.")
    scope = scope_of_employment(employment)
    if employment.role != "administrator":
        raise NeedsAdministrator(f"An administrator of company {employment.company_id} decides this.")
    company = get_company(scope, employment.company_id)
    obstacle = obstacle_of(
        kind=company.kind,
        parent_id=company.parent_id,
        platform_id=platform_scope().organisation_id,
        seller_id=offer.seller_id,
    )
    if obstacle == "reseller":
        raise ResellersAreMoved(f"Company {company.id} is a {company.kind}.")
    if obstacle:
        raise AlreadyAttached(f"Company {company.id} buys from company {company.parent_id}.")
    return employment


def _offer_to(user: Any, token: str) -> AttachmentOffer:
    """What the link offers, to the person it was sent to."""
    offer = attachment_behind(token)
    if offer is None or not user.is_active:
        raise AttachmentUnusable("This invitation cannot be used.")
    if user.email != offer.email:
        raise AttachmentForAnother("This invitation is for another address.")
    if offer.state != "open":
        raise AttachmentUnusable(f"This invitation is {offer.state}.")
    return offer


def _locked_row(offer: AttachmentOffer, token: str) -> AttachmentRow:
    """Under its lock: the second of two who hold the link finds it used."""
    row = AttachmentRow.objects.select_for_update(no_key=True).get(pk=offer.attachment_id)
    now = attachment_behind(token)
    if now is None or now.state != "open":
        raise AttachmentUnusable("This invitation cannot be used.")
    return row


def _inviter_of(scope: Scope) -> int:
    """The person who invites for a reseller; the platform moves companies itself."""
    scope.require(COMPANIES_WRITE)
    if scope.acting_id is not None:
        raise NotWhileActing("Only the reseller's own people invite companies.")
    if scope.kind != "reseller" or scope.person_id is None:
        raise NotYours("Resellers invite companies, signed in as a person.")
    return scope.person_id


def _refuse_declined(scope: Scope, email: str) -> None:
    lately = clock.now() - DECLINE_PAUSE
    if AttachmentRow.objects.filter(seller_id=scope.organisation_id, email=email, declined_at__gt=lately).exists():
        raise AttachmentDeclined(f"{email} declined in the last {DECLINE_PAUSE.days} days.")


def _checked_address(email: str) -> str:
    try:
        return checked_email(email)
    except Invalid as refusal:
        raise EmployeeInvalid(str(refusal), [FieldError(("email",), str(refusal))]) from None


def _open_row(scope: Scope, **which: Any) -> AttachmentRow | None:
    return (
        AttachmentRow.objects.select_for_update(no_key=True)
        .filter(
            seller_id=scope.organisation_id,
            accepted_at__isnull=True,
            declined_at__isnull=True,
            withdrawn_at__isnull=True,
            **which,
        )
        .first()
    )


def _waiting_row(scope: Scope, attachment_id: int) -> AttachmentRow:
    found = get_attachment(scope, attachment_id)
    row = _open_row(scope, pk=found.id)
    if row is None:
        raise AttachmentNotFound(f"You have no invitation {attachment_id} that waits.")
    return row


def _send(row: AttachmentRow, scope: Scope) -> None:
    """A new secret, a new week, and the mail that carries it, in the caller's transaction."""
    refuse_too_often(row)
    _refuse_too_many(row)
    token = renew_link(row, life=ATTACHMENT_LIFE)
    seller = get_company(scope, scope.organisation_id)
    inviter = get_user_model().objects.get(pk=row.invited_by_id)
    tell_of_invitation(email=row.email, seller=seller.name, inviter=str(inviter), token=token)


def _refuse_too_many(row: AttachmentRow) -> None:
    lately = AttachmentRow.objects.filter(seller_id=row.seller_id, sent_at__gt=clock.now() - _DAY)
    if lately.count() >= ATTACHMENTS_A_DAY:
        raise InvitedTooOften(f"A reseller invites at most {ATTACHMENTS_A_DAY} companies a day.")


def _note(scope: Scope, event: Event, row: AttachmentRow, address: str | None) -> None:
    record_deed(scope, event, company_id=scope.organisation_id, address=address, attachment_id=row.pk, email=row.email)
