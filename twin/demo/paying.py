"""What the companies of the demonstration have paid: most in time, some late, some in part, a few nothing."""

from __future__ import annotations

from datetime import datetime

from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment
from twin.billing.errors import PaymentKnown
from twin.billing.queries.invoices import InvoicesAsked, invoices
from twin.billing.queries.sellers import billing_sellers
from twin.companies.access import billing_scope, platform_scope
from twin.companies.types import Scope

_AT_ONCE = 1_000
# Of five invoices: paid, paid, paid, half of it, nothing.
_SHARES = (1, 1, 1, 2, 0)


def pay_invoices(present: datetime) -> None:
    """Payments for what was invoiced, by the number of the buyer; and terms for some of them. Safe to repeat."""
    for seller in billing_sellers(platform_scope()):
        scope = billing_scope(seller)
        issued = invoices(scope, InvoicesAsked(side="issued", sort="issued", limit=_AT_ONCE)).items
        for one in issued:
            part = _SHARES[one.buyer_id % len(_SHARES)]
            if one.kind == "invoice" and part and one.gross_minor > 0 and not one.paid_minor:
                _pay(scope, one.buyer_id, max(1, one.gross_minor // part), one.id, present, f"SEPA {one.code}")
        for buyer in sorted({one.buyer_id for one in issued})[:4]:
            limit = 1_000_00 if buyer % 2 else 3_000_00
            set_account(scope, buyer_id=buyer, mode="postpaid", credit_limit_minor=limit)


def _pay(scope: Scope, buyer_id: int, amount: int, invoice_id: int, present: datetime, reference: str) -> None:
    try:
        record_payment(
            scope, buyer_id=buyer_id, amount_minor=amount, at=present, reference=reference, invoices=[invoice_id]
        )
    except PaymentKnown:
        return
