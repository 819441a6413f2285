"""Documents without their making, and the ledger as the database holds it: for tests of postings and payments."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django.db import connections

from tests.world import Party
from twin.billing.actions.posting import post_invoice
from twin.billing.types import Invoice, InvoiceKind
from twin.kernel.tenancy import tenant_transaction

ISSUED_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def issue(
    seller: Party,
    buyer_id: int,
    net: int,
    *,
    tax: int = 0,
    kind: InvoiceKind = "invoice",
    corrects: Invoice | None = None,
    due_on: date | None = None,
    posted: bool = True,
) -> Invoice:
    """An issued document of these amounts, posted like a real one."""
    with tenant_transaction(seller.id):
        number = int(owner("select count(*) + 1 from billing_invoice where seller_id = %s", seller.id)[0][0])
        with connections["default"].cursor() as cursor:
            cursor.execute(
                """
                insert into billing_invoice (seller_id, buyer_id, kind, series, number, corrects_id, issued_at,
                    issued_on, due_on, currency, language, seller_details, buyer_details, tax_kind, tax_percent,
                    tax_text, footer, net_minor, tax_minor, gross_minor)
                values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'EUR', 'en', '{}', '{}', 'exempt', 0, '', '', %s, %s, %s)
                returning id, number
                """,
                [seller.id, buyer_id, kind, kind.upper(), number, corrects.id if corrects else None, ISSUED_AT,
                 ISSUED_AT.date(), due_on, net, tax, net + tax],
            )  # fmt: skip
            invoice_id, _ = cursor.fetchone()
        invoice = _invoice(seller.id, buyer_id, invoice_id, kind, number, corrects, net, tax, due_on)
        if posted:
            post_invoice(seller.scope, invoice)
    return invoice


def _invoice(
    seller_id: int,
    buyer_id: int,
    invoice_id: int,
    kind: InvoiceKind,
    number: int,
    corrects: Invoice | None,
    net: int,
    tax: int,
    due_on: date | None,
) -> Invoice:
    return Invoice(
        id=invoice_id,
        seller_id=seller_id,
        buyer_id=buyer_id,
        kind=kind,
        series=kind.upper(),
        number=number,
        statement_id=None,
        corrects_id=corrects.id if corrects else None,
        reason="",
        issued_at=ISSUED_AT,
        issued_on=ISSUED_AT.date(),
        due_on=due_on,
        month=None,
        currency="EUR",
        language="en",
        seller_details={},
        buyer_details={},
        tax_kind="exempt",
        tax_percent=0,  # type: ignore[arg-type]  # no tax is computed here
        tax_text="",
        footer="",
        logo_digest=None,
        net_minor=net,
        tax_minor=tax,
        gross_minor=net + tax,
    )


def owner(question: str, *parameters: Any) -> list[Any]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(question, parameters)
        return list(cursor.fetchall())


def balance_of(seller: Party, buyer: Party) -> int:
    """Payments − invoices, added up by the database's owner."""
    rows = owner(
        "select coalesce(-sum(amount_minor), 0)::bigint from billing_posting"
        " where seller_id = %s and buyer_id = %s and account = 'receivable'",
        seller.id,
        buyer.id,
    )
    return int(rows[0][0])


def state_of(invoice: Invoice) -> tuple[int, int, int]:
    """What was invoiced, credited and paid of it."""
    rows = owner(
        """
        select gross_minor,
               -coalesce((select sum(gross_minor) from billing_invoice c where c.corrects_id = i.id), 0)::bigint,
               coalesce((select sum(amount_minor) from billing_allocation a where a.invoice_id = i.id), 0)::bigint
        from billing_invoice i where id = %s
        """,
        invoice.id,
    )
    return rows[0]  # type: ignore[no-any-return]  # three numbers
