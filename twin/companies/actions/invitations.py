"""Inviting people by mail, and taking an invitation up.

The secret of the link is 256 random bits; only its hash is kept. An invitation is used once,
expires, is bound to its address, and falls with its inviter's right to invite.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from twin.accounts.actions import checked_email
from twin.companies.access import employment_of, offer_behind
from twin.companies.actions.employees import (
    active_administrators,
    company_to_manage,
    employ,
    lock_company,
    refuse_while_acting,
)
from twin.companies.actions.mailed_links import refuse_too_often, renew_link
from twin.companies.catalogue import catalogue_change
from twin.companies.errors import (
    AlreadyEmployed,
    EmployedElsewhere,
    InvitationForAnother,
    InvitationNotFound,
    InvitationUnusable,
    InvitedTooOften,
    NotYours,
    PermissionMissing,
)
from twin.companies.models import Company as CompanyRow
from twin.companies.models import Employment as EmploymentRow
from twin.companies.models import Invitation as InvitationRow
from twin.companies.queries import get_company
from twin.companies.queries.employees import get_invitation
from twin.companies.recording import record_deed
from twin.companies.rules.employees import (
    INVITATION_LIFE,
    INVITATIONS_A_DAY,
    checked_role,
    checked_text,
    invalid,
    may_give,
)
from twin.companies.types import COMPANIES_WRITE, Company, Employment, Invitation, Offer, Role, Scope
from twin.kernel import clock, security_log
from twin.kernel.delivery import send_mail
from twin.kernel.errors import Invalid
from twin.kernel.links import absolute
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped, tenant_transaction

INVITATION_PATH: Final = "/invitation/"
_DAY: Final = timedelta(days=1)
# The registration makes the person first and the company with them; whoever is invited comes later than it.
_IS_SHELL: Final = """
    select exists (
        select 1 from companies_company c join accounts_user u on u.id = %(person)s
        where c.id = %(company)s and c.external_id is null and c.created_at >= u.date_joined
        and exists (select 1 from companies_ancestry a where a.company_id = c.id and a.distance = 1
            and a.end_at is null and a.ancestor_id = (select id from companies_platform()))
        and not exists (select 1 from companies_employment e where e.company_id = c.id and e.user_id <> u.id)
        and not exists (select 1 from companies_apikey k where k.company_id = c.id)
        and not exists (select 1 from companies_invitation v where v.company_id = c.id and v.withdrawn_at is null)
        and not exists (select 1 from companies_information i where i.company_id = c.id and i.name_given))
"""
_LEFT_FOR: Final = "Its only person joined another company."


@scoped
def invite_person(
    scope: Scope,
    *,
    company_id: int | None = None,
    name: str,
    email: str,
    role: str = "administrator",
    address: str | None = None,
) -> Invitation:
    """Invite an address by mail to work for the scope's own company, or for one it may invite to.

    Invited again, the open invitation is renewed and its former link is dead. Whether the
    address belongs to somebody at another company stays unsaid: only its owner's mail tells.
    A reseller invites the first administrator of a company beneath it. Raises
    `EmployeeInvalid`, `AlreadyEmployed`, `InvitedTooOften`, `NotYours`.
    """
    wanted = checked_role(role)
    called = checked_text(name, field="name", longest=200)
    to = _checked_address(email)
    company = _company_to_invite_to(scope, company_id, wanted)
    _refuse_above_own(scope, wanted)
    with tenant_transaction(company.id):
        lock_company(company.id)
        if EmploymentRow.objects.filter(company_id=company.id, user__email=to, removed_at__isnull=True).exists():
            raise AlreadyEmployed(f"Somebody with the address {to} works for company {company.id} already.")
        row = _open_row(company.id, email=to) or InvitationRow(
            company_id=company.id, email=to, sendings=0, created_at=clock.now()
        )
        row.name, row.role, row.invited_by_id = called, wanted, scope.person_id
        _send(row, company, scope)
        _note(scope, "invitation.sent", row, address)
    return get_invitation(scope, company_id=company.id, invitation_id=row.pk)


@scoped
def resend_invitation(scope: Scope, *, company_id: int, invitation_id: int, address: str | None = None) -> Invitation:
    """Send an open or expired invitation once more: a new link for another seven days, the former one is dead."""
    company = _company_of_invitation(scope, company_id, invitation_id)
    with tenant_transaction(company.id):
        lock_company(company.id)
        row = _open_row(company.id, pk=invitation_id)
        if row is None:
            raise InvitationNotFound(f"Company {company.id} has no open invitation {invitation_id}.")
        row.invited_by_id = scope.person_id
        _send(row, company, scope)
        _note(scope, "invitation.sent", row, address)
    return get_invitation(scope, company_id=company.id, invitation_id=row.pk)


@scoped
def withdraw_invitation(scope: Scope, *, company_id: int, invitation_id: int, address: str | None = None) -> None:
    """Take an open invitation back; its link is dead at once."""
    company = _company_of_invitation(scope, company_id, invitation_id)
    with tenant_transaction(company.id):
        lock_company(company.id)
        row = _open_row(company.id, pk=invitation_id)
        if row is None:
            raise InvitationNotFound(f"Company {company.id} has no open invitation {invitation_id}.")
        row.withdrawn_at = clock.now()
        row.save(update_fields=["withdrawn_at"])
        _note(scope, "invitation.withdrawn", row, address)


def accept_invitation(*, token: str, user_id: int, address: str | None = None) -> Employment:
    """Let the person with the invited address work for the company; the link is used up.

    Whoever works for another company is refused, unless it is the one their registration made
    and nothing was done with it yet: that one is closed. Raises `InvitationUnusable`,
    `InvitationForAnother`, `EmployedElsewhere`.
    """
    with transaction.atomic():
        user = get_user_model().objects.select_for_update(no_key=True).get(pk=user_id)
        offer = offer_behind(token)
        if offer is None or not user.is_active:
            raise InvitationUnusable("This invitation cannot be used.")
        if user.email != offer.email:
            raise InvitationForAnother("This invitation is for another address.")
        before = employment_of(user)
        if before is not None and before.company_id != offer.company_id:
            _leave_empty_company(before)
        with tenant_transaction(offer.company_id):
            _take_up(offer, token, user_id, address)
    employment = employment_of(user)
    if employment is None:
        raise InvitationUnusable("This invitation cannot be used.")
    return employment


def may_move_over(employment: Employment) -> bool:
    """Whether the company is only the shell that the person's registration made: nothing was done with it.

    It was made when the person was, lies directly under the platform, has nobody else, no keys,
    no invitations, and its window was never saved. What somebody above created is no shell.
    """
    if employment.company_kind != "company" or employment.role != "administrator" or employment.is_informed:
        return False
    with tenant_transaction(employment.company_id), connections["default"].cursor() as cursor:
        cursor.execute(_IS_SHELL, {"company": employment.company_id, "person": employment.person_id})
        return bool(cursor.fetchone()[0])


def _leave_empty_company(before: Employment) -> None:
    """The shell is closed, as nobody is left in it; the record of it stays."""
    if not may_move_over(before):
        raise EmployedElsewhere(f"The person works for company {before.company_id}.")
    with catalogue_change(), tenant_transaction(before.company_id):
        lock_company(before.company_id)
        if not may_move_over(before):
            raise EmployedElsewhere(f"The person works for company {before.company_id}.")
        now = clock.now()
        EmploymentRow.objects.filter(company_id=before.company_id, user_id=before.person_id).update(removed_at=now)
        CompanyRow.objects.filter(pk=before.company_id).update(state="closed", state_reason=_LEFT_FOR, closed_at=now)
    security_log.record("company.left", user_id=before.person_id, company_id=before.company_id)


def _take_up(offer: Offer, token: str, user_id: int, address: str | None) -> None:
    """Once, under the company's lock: the second of two who hold the link finds it used."""
    lock_company(offer.company_id)
    row = InvitationRow.objects.select_for_update().get(pk=offer.invitation_id)
    if offer_behind(token) is None:
        raise InvitationUnusable("This invitation cannot be used.")
    here = EmploymentRow.objects.filter(company_id=offer.company_id, user_id=user_id, removed_at__isnull=True).first()
    if here is not None and here.blocked_at is not None:
        raise InvitationUnusable("This invitation cannot be used.")
    if here is None:
        employ(offer.company_id, user_id, offer.role)
    row.accepted_at, row.accepted_by_id = clock.now(), user_id
    row.save(update_fields=["accepted_at", "accepted_by"])
    security_log.record(
        "invitation.accepted",
        user_id=user_id,
        company_id=offer.company_id,
        address=address,
        invitation_id=row.pk,
        role=offer.role,
    )


def _company_to_invite_to(scope: Scope, company_id: int | None, role: Role) -> Company:
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, scope.organisation_id if company_id is None else company_id)
    if company.state != "active":
        raise invalid(f"Company {company.id} is {company.state}: nobody can be invited to it.", "company")
    if company.id == scope.organisation_id or scope.kind == "platform":
        return company
    with tenant_transaction(company.id):
        has_one = active_administrators(company.id) > 0
    if has_one or role != "administrator":
        raise NotYours("You invite the first administrator of a company; it invites everybody else itself.")
    return company


def _company_of_invitation(scope: Scope, company_id: int, invitation_id: int) -> Company:
    """Own invitations, for platform staff all, for a reseller those of first administrators."""
    invitation = get_invitation(scope, company_id=company_id, invitation_id=invitation_id)
    refuse_while_acting(scope, invitation.role)
    if scope.kind == "reseller" and company_id != scope.organisation_id:
        return _company_to_invite_to(scope, company_id, invitation.role)
    return company_to_manage(scope, company_id)


def _refuse_above_own(scope: Scope, role: Role) -> None:
    """The permission to write companies comes with the administrator's role alone, or from the console."""
    refuse_while_acting(scope, role)
    own: Role = "administrator" if COMPANIES_WRITE in scope.permissions else "finance"
    if not may_give(own, role):
        raise PermissionMissing("Nobody gives a role above their own.")


def _checked_address(email: str) -> str:
    try:
        return checked_email(email)
    except Invalid as refusal:
        raise invalid(str(refusal), "email") from None


def _open_row(company_id: int, **which: Any) -> InvitationRow | None:
    return InvitationRow.objects.filter(
        company_id=company_id, accepted_at__isnull=True, withdrawn_at__isnull=True, **which
    ).first()


def _send(row: InvitationRow, company: Company, scope: Scope) -> None:
    """A new secret, a new week, and the mail that carries it, in the caller's transaction."""
    refuse_too_often(row)
    _refuse_too_many(row)
    token = renew_link(row, life=INVITATION_LIFE)
    person = get_user_model().objects.filter(email=row.email).first()
    with override(person.language if person is not None else get_language()):
        subject, text = _words(row, company, token, _inviter(scope), _works_for(person, company))
        send_mail(to=row.email, subject=subject, text=text, purpose="invitation", expires_in=INVITATION_LIFE)


def _refuse_too_many(row: InvitationRow) -> None:
    lately = InvitationRow.objects.filter(company_id=row.company_id, sent_at__gt=clock.now() - _DAY)
    if lately.count() >= INVITATIONS_A_DAY:
        raise InvitedTooOften(f"A company sends at most {INVITATIONS_A_DAY} invitations a day.")


def _works_for(person: Any, company: Company) -> str:
    """The company that stands in the way of joining, for the owner's eyes only; empty when none does."""
    employment = employment_of(person) if person is not None else None
    if employment is None or employment.company_id == company.id or may_move_over(employment):
        return ""
    return employment.company_name


def _inviter(scope: Scope) -> str:
    if scope.person_id is None:
        return "Twin"
    return str(get_user_model().objects.get(pk=scope.person_id))


def _words(row: InvitationRow, company: Company, token: str, inviter: str, elsewhere: str) -> tuple[str, str]:
    values = {
        "name": row.name,
        "company": company.name,
        "inviter": inviter,
        "role": _role_words(row.role),
        "link": absolute(f"{INVITATION_PATH}{token}"),
        "days": INVITATION_LIFE.days,
        "email": row.email,
        "elsewhere": elsewhere,
    }
    parts = [
        _("Hello %(name)s,"),
        _("%(inviter)s invites you to work for %(company)s in Twin. Your role: %(role)s."),
        _("To accept, open this link within %(days)s days:"),
        "%(link)s",
        _("The link works once, and only for %(email)s. If you did not expect this mail, do nothing."),
    ]
    if elsewhere:
        parts.append(
            _(
                "You work for %(elsewhere)s in Twin. A person works for one company at a time: first let an"
                " administrator of %(elsewhere)s remove you, or ask to be invited at another address."
            )
        )
    # Names may hold any kind of line break; a subject holds none.
    subject = " ".join((_("Invitation to %(company)s in Twin") % values).split())
    return subject, "\n\n".join(part % values for part in parts) + "\n"


def _role_words(role: str) -> str:
    return {
        "administrator": _("company administrator"),
        "finance": _("finance"),
        "chat_operator": _("chat operator"),
    }[role]


def _note(scope: Scope, event: Event, row: InvitationRow, address: str | None) -> None:
    record_deed(
        scope,
        event,
        company_id=row.company_id,
        address=address,
        invitation_id=row.pk,
        email=row.email,
        role=row.role,
    )
