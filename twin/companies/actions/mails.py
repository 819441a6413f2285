"""Mails to the administrators of a company: somebody acts for it, it was invited, it changed its seller."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from twin.companies.models import Employment as EmploymentRow
from twin.companies.rules.attachments import ATTACHMENT_LIFE
from twin.companies.types import Acting, Attaching
from twin.kernel.delivery import send_mail
from twin.kernel.links import absolute
from twin.kernel.tenancy import tenant_transaction

ATTACHMENT_PATH: Final = "/attachment/"
_AUDIT_PATH: Final = "/audit"


def tell_of_acting(acting: Acting) -> None:
    """To the administrators of the company that somebody acts for, in the transaction that begins it."""
    person = str(get_user_model().objects.get(pk=acting.person_id))
    for administrator in _administrators(acting.company_id):
        with override(administrator.language):
            _send(administrator.email, "acting", *_acting_words(acting, person, administrator))


def tell_of_invitation(*, email: str, seller: str, inviter: str, token: str) -> None:
    """To an address that may administer a company; in its own language where it has an account."""
    recipient = get_user_model().objects.filter(email=email).first()
    with override(recipient.language if recipient is not None else get_language()):
        subject, text = _invitation_words(email, seller, inviter, token)
        send_mail(to=email, subject=subject, text=text, purpose="attachment", expires_in=ATTACHMENT_LIFE)


def tell_of_attaching(attaching: Attaching) -> None:
    """To the administrators of the company that has a new seller, and to the seller's."""
    person = str(get_user_model().objects.get(pk=attaching.person_id))
    for company_id, is_buyer in ((attaching.company_id, True), (attaching.seller_id, False)):
        for administrator in _administrators(company_id):
            with override(administrator.language):
                words = _attaching_words(attaching, administrator, person, is_buyer=is_buyer)
                _send(administrator.email, "attached", *words)


def _administrators(company_id: int) -> list[Any]:
    with tenant_transaction(company_id):
        rows = EmploymentRow.objects.filter(
            company_id=company_id,
            role="administrator",
            blocked_at__isnull=True,
            removed_at__isnull=True,
            user__is_active=True,
        )
        return [row.user for row in rows.select_related("user").order_by("user_id")]


def _send(to: str, purpose: str, subject: str, text: str) -> None:
    # Names may hold any kind of line break; a subject holds none.
    send_mail(to=to, subject=" ".join(subject.split()), text=text, purpose=purpose)


def _acting_words(acting: Acting, person: str, administrator: Any) -> tuple[str, str]:
    until = acting.expires_at.astimezone(ZoneInfo(administrator.time_zone or "UTC"))
    values = {
        "name": administrator.name or administrator.email,
        "person": person,
        "organisation": acting.organisation_name,
        "company": acting.company_name,
        "reason": acting.reason,
        "until": f"{until:%H:%M} ({until.tzinfo})",
        "audit": absolute(_AUDIT_PATH),
    }
    looks = _("They may look, but change nothing, until %(until)s at the latest.")
    changes = _("They may look and also change things until %(until)s at the latest.")
    parts = [
        _("Hello %(name)s,"),
        _("%(person)s of %(organisation)s has signed in to Twin as administrator of %(company)s."),
        _("Reason: %(reason)s"),
        changes if acting.may_write else looks,
        _("Everything they do stands in your audit: %(audit)s. If you do not know why, ask %(organisation)s."),
    ]
    return _("%(organisation)s signed in for %(company)s") % values, _text(parts, values)


def _invitation_words(email: str, seller: str, inviter: str, token: str) -> tuple[str, str]:
    values = {
        "seller": seller,
        "inviter": inviter,
        "link": absolute(f"{ATTACHMENT_PATH}{token}"),
        "days": ATTACHMENT_LIFE.days,
        "email": email,
    }
    parts = [
        _("Hello,"),
        _("%(inviter)s of %(seller)s invites your company to buy Twin's services from %(seller)s."),
        _(
            "If you accept, %(seller)s sells to your company from that moment on: at its prices, with its invoices."
            " It sees what your company uses and who works there. What was used before stays as it is."
        ),
        _("To read more and to answer, sign in as administrator of your company within %(days)s days:"),
        "%(link)s",
        _("If you have no account yet, register with %(email)s first, then open the link."),
        _("The link works once, and only for %(email)s. If you do nothing, nothing changes."),
    ]
    subject = " ".join((_("%(seller)s invites your company in Twin") % values).split())
    return subject, _text(parts, values)


def _attaching_words(attaching: Attaching, to: Any, person: str, *, is_buyer: bool) -> tuple[str, str]:
    values = {
        "name": to.name or to.email,
        "person": person,
        "company": attaching.company_name,
        "seller": attaching.seller_name,
    }
    bought = _(
        "%(person)s has accepted the invitation of %(seller)s: from now on %(seller)s sells to %(company)s, at its"
        " prices, and sees what %(company)s uses and who works there."
    )
    sold = _(
        "%(company)s has accepted your invitation and buys from %(seller)s from now on. Look whether it has the"
        " right rate card."
    )
    parts = [_("Hello %(name)s,"), bought if is_buyer else sold]
    return _("%(company)s buys from %(seller)s now") % values, _text(parts, values)


def _text(parts: list[str], values: dict[str, object]) -> str:
    return "\n\n".join(part % values for part in parts) + "\n"
