"""A document on paper: what the template is given, every figure already text, in the document's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext

from twin.billing.rules.figures import count_words, minor_words, percent_words
from twin.billing.types import Invoice, InvoiceLine, name_in
from twin.billing.words import (
    BANK_TITLES,
    KIND_TITLES,
    NUMBER_TITLES,
    TAX_TEXTS,
    address_lines,
    day_words,
    increment_words,
    month_words,
    selector_words,
    terms_words,
    unit_words,
)
from twin.companies.rules.information import readable
from twin.companies.types import Address
from twin.kernel.typesetting import typeset
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES, SERVICE_TITLES

TEMPLATE: Final = Path(__file__).parent / "typst" / "invoice.typ"
# Tags make a longer file too large to send.
MOST_TAGGED_LINES: Final = 1_000
_FORMATS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
_ADDRESS: Final = ("street", "city", "region", "postal_code")
_ADVANCE: Final = gettext_noop("Payment in advance for services")


@dataclass(frozen=True, slots=True)
class Printing:
    """A document and what it shows of others: the code and day of the invoice it corrects, the seller's logo."""

    document: Invoice
    corrects: Invoice | None = None
    logo: tuple[str, bytes] | None = None


def pdf_of(printing: Printing) -> bytes:
    """The document as a PDF, tagged unless it is long; always the same bytes."""
    document = printing.document
    with translation.override(document.language):
        data = printed(printing)
    return typeset(TEMPLATE, data, tagged=len(document.lines) <= MOST_TAGGED_LINES, moment=document.issued_at)


def printed(printing: Printing) -> dict[str, Any]:
    """What the template is given: texts only."""
    document = printing.document
    return {
        "language": document.language,
        "title": f"{KIND_TITLES[document.kind]} {document.code}",
        "kind": str(KIND_TITLES[document.kind]),
        "code": document.code,
        "author": document.seller_name,
        "logo": _logo(printing),
        "facts": list(_facts(printing)),
        "from_word": _("Seller"),
        "to_word": _("Buyer"),
        "seller": _party(document.seller_details),
        "buyer": _party(document.buyer_details),
        "heads": _heads(document),
        "groups": list(_groups(document)),
        "sums": list(_sums(document)),
        "payment": _payment(document),
        "notes": list(_notes(printing)),
        "foot": f"{document.seller_name} · {KIND_TITLES[document.kind]} {document.code}",
        "page_word": _("Page"),
    }


def _logo(printing: Printing) -> dict[str, Any] | None:
    if printing.logo is None or printing.logo[0] not in _FORMATS:
        return None
    media_type, body = printing.logo
    return {"format": _FORMATS[media_type], "bytes": list(body), "alt": printing.document.seller_name}


def _facts(printing: Printing) -> Iterator[tuple[str, str]]:
    document = printing.document
    yield _("Issued on"), day_words(document.issued_on)
    if document.month is not None and document.kind != "top_up":
        yield _("Month"), month_words(document.month)
    if printing.corrects is not None:
        yield (
            _("Corrects"),
            _("%(code)s of %(day)s")
            % {
                "code": printing.corrects.code,
                "day": day_words(printing.corrects.issued_on),
            },
        )
    if document.reason:
        yield _("Reason"), document.reason
    if document.due_on is not None:
        yield _("Payable until"), day_words(document.due_on)


def _party(details: Mapping[str, str]) -> dict[str, Any]:
    numbers = [(str(title), details[name]) for name, title in NUMBER_TITLES.items() if details.get(name)]
    return {"name": name_in(details), "address": address_lines(address_in(details)), "numbers": numbers}


def address_in(details: Mapping[str, str]) -> Address:
    street, city, region, code = (details.get(f"legal_{part}", "") for part in _ADDRESS)
    return Address(street, city, region, code, details.get("country", ""))


def _heads(document: Invoice) -> list[str]:
    amount = _("Amount, %(currency)s") % {"currency": document.currency}
    if document.kind == "top_up":
        return [_("Service"), amount]
    if document.kind == "credit_note" and document.corrects_id is not None:
        return [_("Service"), _("Unit price"), amount]
    return [_("Service"), _("Events"), _("Billed"), _("Unit price"), amount]


def _groups(document: Invoice) -> Iterator[dict[str, Any]]:
    """The lines of each service together, in the order of the document, with their sum where there are several."""

    def service(line: InvoiceLine) -> str:
        return METER_BY_CODE[line.meter].service if line.meter else ""

    several = len({service(line) for line in document.lines}) > 1
    for code, lines in groupby(document.lines, key=service):
        held = list(lines)
        total = minor_words(sum(line.net_minor for line in held), document.currency, document.language)
        yield {
            "title": str(SERVICE_TITLES[code]) if code else "",
            "total": total if several else "",
            "rows": [_row(document, line) for line in held],
        }


def _row(document: Invoice, line: InvoiceLine) -> dict[str, Any]:
    language = document.language
    meter = line.meter
    return {
        "number": str(line.number) if meter else "",
        "title": str(METER_TITLES[meter]) if meter else line.description or _(_ADVANCE),
        "details": list(_details(document, line)),
        "figures": [*_figures(document, line), minor_words(line.net_minor, document.currency, language)],
    }


def _figures(document: Invoice, line: InvoiceLine) -> Iterator[str]:
    """Beside the amount: how much and at which price, where the kind of document has these columns."""
    meter = line.meter
    if meter is None or line.terms is None:
        return
    if line.count is not None and line.billed is not None:
        yield count_words(line.count, document.language)
        yield unit_words(line.billed, meter)
    yield terms_words(line.terms, meter, document.currency)


def _details(document: Invoice, line: InvoiceLine) -> Iterator[str]:
    if line.selector:
        yield selector_words(line.selector)
    if line.credits_line is not None:
        yield _("line %(number)s of the invoice") % {"number": line.credits_line}
    if line.month is not None and line.month != document.month:
        yield _("for %(month)s, arrived later") % {"month": month_words(line.month)}
    if line.terms is not None and line.meter is not None and line.quantity is not None:
        blocks = increment_words(line.terms)
        if blocks:
            used = unit_words(line.quantity, line.meter)
            yield _("used %(quantity)s, billed by %(blocks)s") % {"quantity": used, "blocks": blocks}


def _sums(document: Invoice) -> Iterator[tuple[str, str]]:
    def words(amount: int) -> str:
        return f"{minor_words(amount, document.currency, document.language)} {document.currency}"

    if document.kind != "top_up" and document.tax_kind == "rate":
        yield _("Net"), words(document.net_minor)
        percent = percent_words(document.tax_percent, document.language)
        yield _("VAT %(percent)s") % {"percent": percent}, words(document.tax_minor)
    yield _("To be paid") if document.kind != "credit_note" else _("Credited"), words(document.gross_minor)


def _payment(document: Invoice) -> list[tuple[str, str]]:
    """Where the money goes; nowhere for a credit note."""
    if document.kind == "credit_note" or document.gross_minor <= 0:
        return []
    details = readable(document.seller_details)
    lines = [(_("Receiver"), details.get("receiver_name") or name_in(details))]
    lines += [(str(title), details[name]) for name, title in BANK_TITLES.items() if details.get(name)]
    return [*lines, (pgettext("of a payment", "Reference"), document.code)]


def _notes(printing: Printing) -> Iterator[str]:
    document = printing.document
    if document.kind == "top_up":
        yield _("This is no tax invoice: what is paid in advance is settled with the invoices of the months.")
    elif document.tax_text:
        yield document.tax_text
    elif document.tax_kind in TAX_TEXTS:
        yield str(TAX_TEXTS[document.tax_kind])
    if document.footer:
        yield document.footer


def file_name(document: Invoice) -> str:
    """A name every system can keep."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else "_" for letter in document.code
    )
    return f"{kept}.pdf"
