"""Requests for a top-up: a buyer asks for a document by which it pays in advance."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from twin.billing.actions.recording import Document, record_documents
from twin.billing.errors import BillingInvalid, DetailsMissing
from twin.billing.queries.settings import settings_of
from twin.billing.queries.waiting import Party, parties
from twin.billing.rules.details import frozen
from twin.billing.rules.rounding import minor_text
from twin.billing.types import Invoice, InvoiceLine
from twin.companies.access import billing_scope, platform_scope
from twin.companies.errors import CompanyNotFound
from twin.companies.queries import get_company
from twin.companies.recording import record_deed
from twin.companies.types import BILLING_READ, Scope
from twin.kernel.errors import FieldError
from twin.kernel.tenancy import tenant_transaction

# Of the minor unit: more than anybody pays in advance, far less than can be stored.
MOST_MINOR: Final = 10**15


def request_top_up(scope: Scope, *, amount_minor: int, tell: bool = True) -> Invoice:
    """Issue a request over this amount in the series of the asking company's seller; it changes no balance.

    The payment does, when it comes. It bears no tax: that stands on the invoices of the months. Raises
    `DetailsMissing` while details of either party are missing, and `BillingInvalid` for an amount that cannot be.
    """
    scope.require(BILLING_READ)
    if not 0 < amount_minor <= MOST_MINOR:
        message = "Name an amount greater than nothing that can be paid."
        raise BillingInvalid(message, [FieldError(("amount",), message)])
    buyer = get_company(scope, scope.organisation_id)
    if buyer.parent_id is None:
        raise CompanyNotFound("The platform buys from nobody.")
    with tenant_transaction(buyer.parent_id):
        request = _issue(billing_scope(buyer.parent_id), buyer.id, amount_minor, buyer.currency, tell)
        amount = f"{minor_text(amount_minor, request.currency)} {request.currency}"
        record_deed(scope, "top_up.requested", company_id=buyer.id, number=request.number, amount=amount)
    return request


def _issue(seller: Scope, buyer_id: int, amount_minor: int, currency: str, tell: bool) -> Invoice:
    known = parties(platform_scope(), (seller.organisation_id, buyer_id))
    issuer, asker = known[seller.organisation_id], known[buyer_id]
    if issuer.missing or asker.missing:
        raise DetailsMissing(_lacking(issuer, asker), issuer.missing, asker.missing)
    settings = settings_of(seller)
    document = Document(
        buyer_id=buyer_id,
        kind="top_up",
        currency=currency,
        lines=(_line(amount_minor),),
        net_minor=amount_minor,
        tax_minor=0,
        tax_kind="exempt",
        tax_percent=Decimal(0),
        tax_text="",
        language=settings.language,
        seller_details=frozen(issuer.values),
        buyer_details=frozen(asker.values),
        seller_zone=issuer.time_zone,
        payment_days=None,
    )
    [request] = record_documents(seller, [document], settings=settings, tell=tell)
    return request


def _lacking(issuer: Party, asker: Party) -> str:
    """What the asker may know: its own fields by name, of its seller's only that some are missing."""
    told = [f"Your company has still to give: {', '.join(asker.missing)}."] if asker.missing else []
    told += ["Your seller has still to complete its own details."] if issuer.missing else []
    return " ".join(("No document without the details of both parties.", *told))


def _line(amount_minor: int) -> InvoiceLine:
    return InvoiceLine(
        number=1,
        statement_line=None,
        credits_line=None,
        month=None,
        meter=None,
        terms=None,
        selector={},
        description="",
        count=None,
        quantity=None,
        billed=None,
        exact=0,
        net_minor=amount_minor,
    )
