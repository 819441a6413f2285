"""Credit notes on issued invoices."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from twin.billing.actions.recording import Document, record_documents
from twin.billing.errors import InvoiceNotFound
from twin.billing.queries.invoices import credit_notes_of, creditable, invoice
from twin.billing.queries.settings import settings_of
from twin.billing.rules.crediting import credit_lines
from twin.billing.rules.rounding import minor_text
from twin.billing.rules.tax import tax_taken_back
from twin.billing.types import CreditAsked, Invoice, InvoiceLine
from twin.companies.queries import get_company
from twin.companies.recording import record_deed
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.kernel.text import clean_text

LONGEST_REASON = 500


@scoped
def credit(scope: Scope, invoice_id: int, *, lines: Sequence[CreditAsked], reason: str, tell: bool = True) -> Invoice:
    """Take back something of an invoice with a credit note, at the tax of the invoice.

    Never more than remains of each line: two at once wait for each other. Both parties stand on it as
    they stood on the invoice. Raises `InvoiceNotFound` for everybody but the seller, `CreditTooLarge`, `Invalid`.
    """
    found, wished = _prepared(scope, invoice_id, lines)
    reason = clean_text(reason, field="Reason", longest=LONGEST_REASON)
    net = sum(line.net_minor for line in wished)
    document = _document(scope, found, wished, net, reason)
    [note] = record_documents(scope, [document], settings=settings_of(scope), tell=tell)
    record_deed(
        scope,
        "credit_note.issued",
        company_id=note.buyer_id,
        # Numbers apart from their series: six digits in a text would be hidden like a code.
        series=note.series,
        number=note.number,
        corrects=found.number,
        amount=f"{minor_text(note.gross_minor, note.currency)} {note.currency}",
        reason=reason,
    )
    return note


@scoped
def preview_credit(scope: Scope, invoice_id: int, *, lines: Sequence[CreditAsked]) -> Invoice:
    """The credit note that `credit` would issue, without number and reason; nothing is written."""
    found, wished = _prepared(scope, invoice_id, lines)
    net = sum(line.net_minor for line in wished)
    document = _document(scope, found, wished, net, "")
    moment = clock.now()
    return Invoice(
        id=0,
        seller_id=found.seller_id,
        buyer_id=found.buyer_id,
        kind="credit_note",
        series=settings_of(scope).credit_series,
        number=0,
        statement_id=found.statement_id,
        corrects_id=found.id,
        reason="",
        issued_at=moment,
        issued_on=moment.date(),
        due_on=None,
        month=found.month,
        currency=found.currency,
        language=found.language,
        seller_details=found.seller_details,
        buyer_details=found.buyer_details,
        tax_kind=found.tax_kind,
        tax_percent=found.tax_percent,
        tax_text=found.tax_text,
        footer="",
        logo_digest=None,
        net_minor=net,
        tax_minor=document.tax_minor,
        gross_minor=net + document.tax_minor,
        lines=wished,
    )


def _prepared(scope: Scope, invoice_id: int, lines: Sequence[CreditAsked]) -> tuple[Invoice, tuple[InvoiceLine, ...]]:
    scope.require(BILLING_WRITE)
    _hold(scope, invoice_id)
    found = invoice(scope, invoice_id)
    wished = credit_lines(creditable(scope, invoice_id), lines, currency=found.currency)
    return found, wished


def _hold(scope: Scope, invoice_id: int) -> None:
    """Two credit notes on one invoice wait for each other; only the seller's own invoices can be held."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_xact_lock(hashtextextended('billing_credit', id)) from billing_invoice"
            " where id = %s and seller_id = %s and kind = 'invoice'",
            [invoice_id, scope.organisation_id],
        )
        if cursor.fetchone() is None:
            raise InvoiceNotFound(f"There is no invoice {invoice_id} of yours that could be credited.")


def _document(scope: Scope, found: Invoice, lines: tuple[InvoiceLine, ...], net: int, reason: str) -> Document:
    before = sum(note.net_minor for note in credit_notes_of(scope, found.id))
    tax = tax_taken_back(net, before_minor=before, kind=found.tax_kind, percent=found.tax_percent)
    return Document(
        buyer_id=found.buyer_id,
        kind="credit_note",
        currency=found.currency,
        lines=lines,
        net_minor=net,
        tax_minor=tax,
        tax_kind=found.tax_kind,
        tax_percent=found.tax_percent,
        tax_text=found.tax_text,
        language=found.language,
        seller_details=found.seller_details,
        buyer_details=found.buyer_details,
        seller_zone=get_company(scope, found.seller_id).time_zone,
        payment_days=None,
        statement_id=found.statement_id,
        corrects_id=found.id,
        month=found.month,
        reason=reason,
    )
