"""The mail that says a document is there, to those at the buyer who deal with money, each in their language."""

from __future__ import annotations

from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from twin.billing.rules.rounding import minor_text
from twin.billing.types import Invoice
from twin.companies.access import billing_scope
from twin.companies.queries.recipients import money_people
from twin.companies.types import Recipient
from twin.kernel.delivery import RecipientUnusable, send_mail
from twin.kernel.links import absolute

PURPOSE: Final = "invoice"


def tell_of_document(issued: Invoice) -> None:
    """Queue the mails in the caller's transaction; who cannot be written to is left out."""
    for recipient in money_people(billing_scope(issued.buyer_id)):
        with translation.override(recipient.language):
            subject, text = _subject(issued), _text(issued, recipient)
        try:
            send_mail(to=recipient.email, subject=subject, text=text, purpose=PURPOSE)
        except RecipientUnusable:
            continue


def _subject(issued: Invoice) -> str:
    words = {
        "invoice": _("Invoice %(code)s"),
        "credit_note": _("Credit note %(code)s"),
        "top_up": _("Request for a top-up %(code)s"),
    }
    return words[issued.kind] % {"code": issued.code}


def _text(issued: Invoice, recipient: Recipient) -> str:
    amount = f"{minor_text(abs(issued.gross_minor), issued.currency)} {issued.currency}"
    paragraphs = [
        _("Hello %(name)s,") % {"name": recipient.name or recipient.email},
        _sentence(issued) % {"seller": issued.seller_name, "buyer": issued.buyer_name, "code": issued.code}
        + " "
        + _("Amount: %(amount)s.") % {"amount": amount},
    ]
    if issued.due_on is not None and issued.kind == "invoice":
        paragraphs.append(_("Payable until %(day)s.") % {"day": issued.due_on.isoformat()})
    paragraphs.append(_("You find it, as a PDF too, at %(address)s.") % {"address": absolute(f"/invoices/{issued.id}")})
    return "\n\n".join(paragraphs)


def _sentence(issued: Invoice) -> str:
    if issued.kind == "credit_note":
        return _("%(seller)s has issued credit note %(code)s to %(buyer)s.")
    if issued.kind == "top_up":
        return _("%(seller)s asks %(buyer)s to pay in advance, with the request %(code)s.")
    return _("%(seller)s has issued invoice %(code)s to %(buyer)s.")
