"""The mail that says a document is there, to those at the buyer who deal with money, each in their language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from twin.billing.rules.figures import minor_words
from twin.billing.types import Invoice
from twin.billing.words import day_words, words_language
from twin.companies.access import platform_scope
from twin.companies.queries.recipients import money_people
from twin.companies.types import Recipient
from twin.kernel.delivery import Letter, send_mails
from twin.kernel.links import absolute

PURPOSE: Final = "invoice"


def tell_of_documents(issued: Sequence[Invoice]) -> None:
    """Queue the mails in the caller's transaction; who cannot be written to is left out."""
    people = money_people(platform_scope(), {one.buyer_id for one in issued})
    letters = [_letter(one, recipient) for one in issued for recipient in people.get(one.buyer_id, ())]
    send_mails(letters, purpose=PURPOSE)


def _letter(issued: Invoice, recipient: Recipient) -> Letter:
    with translation.override(recipient.language):
        return Letter(recipient.email, _subject(issued), _text(issued, recipient))


def _subject(issued: Invoice) -> str:
    words = {
        "invoice": _("Invoice %(code)s"),
        "credit_note": _("Credit note %(code)s"),
        "top_up": _("Request for a top-up %(code)s"),
    }
    return words[issued.kind] % {"code": issued.code}


def _text(issued: Invoice, recipient: Recipient) -> str:
    amount = f"{minor_words(abs(issued.gross_minor), issued.currency, words_language())} {issued.currency}"
    names = {"seller": issued.seller_name, "buyer": issued.buyer_name, "code": issued.code}
    paragraphs = [
        _("Hello %(name)s,") % {"name": recipient.name or recipient.email},
        " ".join((_sentence(issued) % names, _("Amount: %(amount)s.") % {"amount": amount})),
    ]
    if issued.due_on is not None and issued.kind == "invoice":
        paragraphs.append(_("Payable until %(day)s.") % {"day": day_words(issued.due_on)})
    address = absolute(f"/invoices/{issued.id}")
    paragraphs.append(_("You find it, as a PDF too, at %(address)s.") % {"address": address})
    return "\n\n".join(paragraphs)


def _sentence(issued: Invoice) -> str:
    if issued.kind == "credit_note":
        return _("%(seller)s has issued credit note %(code)s to %(buyer)s.")
    if issued.kind == "top_up":
        return _("%(seller)s asks %(buyer)s to pay in advance, with the request %(code)s.")
    return _("%(seller)s has issued invoice %(code)s to %(buyer)s.")
