"""Issued documents enter the ledger."""

from __future__ import annotations

from twin.billing.actions.booking import Entry, allocate, book, lock_ledger, settle
from twin.billing.queries.settling import asked_by, settling
from twin.billing.rules.allocating import take_back
from twin.billing.rules.postings import of_document
from twin.billing.types import Invoice
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped


@scoped
def post_invoice(scope: Scope, invoice: Invoice) -> int | None:
    """The document changes what the buyer owes; money on account settles it at once. Returns the transaction.

    To be called once, in the transaction that issues it: the database refuses a second posting. Amounts
    of credit notes are negative. A credit note that names an invoice lowers what is open of it; what was paid beyond
    becomes money on account. Requests for a top-up and documents of nothing are not posted.
    """
    postings = of_document(net=invoice.net_minor, tax=invoice.tax_minor)
    if invoice.kind == "top_up" or not postings:
        return None
    if invoice.kind == "credit_note" and invoice.gross_minor > 0:
        raise ValueError("The amounts of a credit note are negative.")
    lock_ledger(invoice.buyer_id)
    if invoice.kind == "credit_note" and invoice.corrects_id is not None:
        _free_overpaid(scope, invoice.buyer_id, invoice.corrects_id)
    entry = Entry(invoice.buyer_id, invoice.kind, invoice.issued_at, postings, invoice_id=invoice.id)
    transaction_id = book(scope, entry)
    settle(scope, invoice.buyer_id)
    return transaction_id


def _free_overpaid(scope: Scope, buyer_id: int, invoice_id: int) -> None:
    """What settles more of the invoice than is left of it settles it no more, the last payment first."""
    shares = settling(scope, invoice_id)
    excess = sum(share.minor for share in shares) - asked_by(scope, invoice_id)
    allocate(scope, buyer_id, take_back(shares, excess))
