"""What is open and what money is there, between a seller and one buyer: the two sides of an allocation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from twin.billing.rules.allocating import Part, Share
from twin.billing.types import OpenInvoice
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped

_OPEN: Final = """
    select i.buyer_id, i.id, i.gross_minor + coalesce(c.credited, 0) - coalesce(a.paid, 0) as open
    from billing_invoice i
    left join lateral (select sum(gross_minor)::bigint as credited from billing_invoice n
                       where n.corrects_id = i.id and n.kind = 'credit_note') c on true
    left join lateral (select sum(amount_minor)::bigint as paid from billing_allocation x
                       where x.invoice_id = i.id) a on true
    where i.seller_id = %s and i.buyer_id = any(%s) and i.kind = 'invoice'
      and i.gross_minor + coalesce(c.credited, 0) - coalesce(a.paid, 0) > 0
    order by i.buyer_id, i.due_on nulls first, i.issued_at, i.id
"""
_MONEY: Final = """
    select t.buyer_id, t.id, billing_given(t.id) - coalesce(a.used, 0) as rest
    from billing_transaction t
    left join lateral (select sum(amount_minor)::bigint as used from billing_allocation x
                       where x.transaction_id = t.id) a on true
    where t.seller_id = %s and t.buyer_id = any(%s) and t.kind in ('payment', 'credit_note', 'invoice')
      and billing_given(t.id) - coalesce(a.used, 0) > 0
    order by t.buyer_id, t.at, t.id
"""
_TO_PAY: Final = """
    select id, code, open, currency from (
        select i.id, i.kind, i.due_on, i.currency,
            i.series || '-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0') as code,
            i.gross_minor + coalesce((select sum(gross_minor)::bigint from billing_invoice n
                                      where n.corrects_id = i.id and n.kind = 'credit_note'), 0)
            - coalesce((select sum(amount_minor)::bigint from billing_allocation x where x.invoice_id = i.id), 0)
                as open,
            exists (select 1 from billing_transaction t where t.invoice_id = i.id and t.kind = 'payment' and not exists
                (select 1 from billing_transaction r where r.reverses_id = t.id)) as is_paid
        from billing_invoice i
        where i.seller_id = %(seller)s and i.buyer_id = %(buyer)s and i.kind in ('invoice', 'top_up')
    ) d
    where open > 0 and not (kind = 'top_up' and is_paid)
    order by kind, due_on nulls first, id limit 200
"""


@scoped
def open_invoices(scope: Scope, buyer_ids: Sequence[int]) -> dict[int, list[Part]]:
    """The invoices to these buyers that are not settled, the first due first; who has none is left out."""
    return _parts(_OPEN, scope.organisation_id, buyer_ids)


@scoped
def money_on_account(scope: Scope, buyer_ids: Sequence[int]) -> dict[int, list[Part]]:
    """Payments and credits of these buyers that settle nothing yet, oldest first; who has none is left out."""
    return _parts(_MONEY, scope.organisation_id, buyer_ids)


@scoped
def documents_to_pay(scope: Scope, buyer_id: int) -> list[OpenInvoice]:
    """What a payment of this buyer may name: its open invoices, then requests for a top-up that nobody paid yet."""
    with connection.cursor() as cursor:
        cursor.execute(_TO_PAY, {"seller": scope.organisation_id, "buyer": buyer_id})
        return [OpenInvoice(*row) for row in cursor.fetchall()]


@scoped
def settled_by(scope: Scope, transaction_id: int) -> list[Share]:
    """Which invoices this money settles, oldest share first."""
    return _shares(scope, "transaction_id = %s and invoice_id is not null", transaction_id)


@scoped
def settling(scope: Scope, invoice_id: int) -> list[Share]:
    """Which money settles this invoice, oldest share first."""
    return _shares(scope, "invoice_id = %s", invoice_id)


@scoped
def refunded_from(scope: Scope, refund_id: int) -> list[Share]:
    """Which money was given back by this refund; the target is the refund."""
    return _shares(scope, "refund_id = %s", refund_id)


@scoped
def asked_by(scope: Scope, invoice_id: int) -> int:
    """What the invoice asks for after its credit notes, whether paid or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select billing_asked(id, null) from billing_invoice where id = %s and seller_id = %s",
            [invoice_id, scope.organisation_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _parts(question: str, seller_id: int, buyer_ids: Sequence[int]) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = {}
    with connection.cursor() as cursor:
        cursor.execute(question, [seller_id, list(buyer_ids)])
        for buyer_id, *part in cursor.fetchall():
            found.setdefault(buyer_id, []).append(Part(*part))
    return found


def _shares(scope: Scope, condition: str, wanted: int) -> list[Share]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select transaction_id, coalesce(invoice_id, refund_id), sum(amount_minor)::bigint"  # noqa: S608 - constants only
            f" from billing_allocation where seller_id = %s and {condition} group by 1, 2"
            " having sum(amount_minor) <> 0 order by max(id)",
            [scope.organisation_id, wanted],
        )
        return [Share(*row) for row in cursor.fetchall()]
