"""Issued documents enter the ledger."""

from __future__ import annotations

from collections.abc import Sequence

from twin.billing.actions.booking import Entry, allocate, book, lock_ledgers, settle
from twin.billing.queries.settling import asked_by, settling
from twin.billing.rules.allocating import take_back
from twin.billing.rules.postings import of_document
from twin.billing.types import Invoice, TransactionKind
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped


def post_invoice(scope: Scope, invoice: Invoice) -> int | None:
    """`post_invoices` of one; returns its transaction, None when there is nothing to post."""
    return next(iter(post_invoices(scope, [invoice])), None)


@scoped
def post_invoices(scope: Scope, invoices: Sequence[Invoice]) -> list[int]:
    """The documents change what the buyers owe; money on account settles them at once. Returns the transactions.

    To be called once, in the transaction that issues them: the database refuses a second posting. Amounts
    of credit notes are negative. A credit note that names an invoice lowers what is open of it; what was paid beyond
    becomes money on account. Requests for a top-up and documents of nothing are not posted.
    """
    entries = [_entry(one) for one in invoices if one.kind != "top_up" and (one.net_minor or one.tax_minor)]
    if not entries:
        return []
    buyers = {entry.buyer_id for entry in entries}
    lock_ledgers(scope, buyers)
    for one in invoices:
        if one.kind == "credit_note" and one.corrects_id is not None:
            _free_overpaid(scope, one.buyer_id, one.corrects_id)
    numbers = book(scope, entries)
    settle(scope, buyers)
    return numbers


def _entry(invoice: Invoice) -> Entry:
    if invoice.kind == "credit_note" and invoice.gross_minor > 0:
        raise ValueError("The amounts of a credit note are negative.")
    postings = of_document(net=invoice.net_minor, tax=invoice.tax_minor)
    kind: TransactionKind = "credit_note" if invoice.kind == "credit_note" else "invoice"
    return Entry(invoice.buyer_id, kind, invoice.issued_at, postings, invoice_id=invoice.id)


def _free_overpaid(scope: Scope, buyer_id: int, invoice_id: int) -> None:
    """What settles more of the invoice than is left of it settles it no more, the last payment first."""
    shares = settling(scope, invoice_id)
    excess = sum(share.minor for share in shares) - asked_by(scope, invoice_id)
    allocate(scope, take_back(shares, excess), buyer_id=buyer_id)
