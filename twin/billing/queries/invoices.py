"""Issued documents: one of them, or a list to look through, for the seller and the buyer alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from django.db import connection

from twin.billing.errors import InvoiceNotFound
from twin.billing.queries.reading import COLUMNS, LINES, SINCE
from twin.billing.rules.crediting import creditable_lines
from twin.billing.rules.rows import invoice_in, invoice_line_in
from twin.billing.types import Creditable, Invoice, InvoiceLine, InvoicePage
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

InvoiceSide = Literal["received", "issued"]
INVOICES_A_PAGE: Final = 50
MOST_IN_A_FILE: Final = 20_000
INVOICE_STATES: Final = ("all", "open", "overdue", "paid", "credit_note", "top_up")
MAX_ID: Final = 2**63 - 1

_NAME: Final = "coalesce(nullif({0}->>'invoice_name', ''), {0}->>'name')"
_PARTNER: Final = {"received": _NAME.format("i.seller_details"), "issued": _NAME.format("i.buyer_details")}
_CODE: Final = "i.series || '-' || lpad(i.number::text, greatest(6, length(i.number::text)), '0')"
_OPEN: Final = "(i.gross_minor - p.paid - p.credited)"
_IN_STATE: Final = {
    "all": "true",
    "open": f"i.kind = 'invoice' and {_OPEN} > 0",
    "overdue": f"i.kind = 'invoice' and {_OPEN} > 0 and i.due_on < %(today)s",
    "paid": f"i.kind = 'invoice' and {_OPEN} <= 0",
    "credit_note": "i.kind = 'credit_note'",
    "top_up": "i.kind = 'top_up'",
}
_ORDERS: Final = {
    "issued": ("i.issued_at", "i.id"),
    "number": ("i.series", "i.number", "i.id"),
    "partner": ("lower({partner})", "i.issued_at", "i.id"),
    "due": ("i.due_on", "i.id"),
    "amount": ("i.gross_minor", "i.id"),
    "open": (_OPEN, "i.id"),
}
INVOICE_ORDERS: Final = tuple(_ORDERS)


@dataclass(frozen=True, slots=True)
class InvoicesAsked:
    """Which documents are looked for; `search` is part of a number or of the other party's name, or its whole id."""

    side: InvoiceSide = "received"
    state: str = "all"
    search: str = ""
    period: Period | None = None
    partner_id: int | None = None
    sort: str = "-issued"
    offset: int = 0
    limit: int = INVOICES_A_PAGE


@scoped
def invoices(scope: Scope, asked: InvoicesAsked) -> InvoicePage:
    """The documents received from or issued to others, without their lines; an unknown order or state is refused.

    An invoice is overdue from the day after `due_on`, counted in UTC: both parties see the same.
    """
    scope.require(BILLING_READ)
    parameters = _parameters(scope, asked)
    counted = ", ".join(f"count(*) filter (where {condition})" for condition in _IN_STATE.values())
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {counted}, coalesce(sum({_OPEN}) filter (where {_IN_STATE['open']}), 0)::bigint,"
            f" coalesce(sum({_OPEN}) filter (where {_IN_STATE['overdue']}), 0)::bigint, coalesce(max(i.currency), '')"
            f" {_found(asked)}",
            parameters,
        )
        *numbers, open_minor, overdue_minor, currency = cursor.fetchone()
        cursor.execute(
            f"select {COLUMNS} {_found(asked)} and {_IN_STATE[asked.state]}"
            f" order by {_order(asked)} offset %(offset)s limit %(limit)s",
            parameters,
        )
        items = tuple(invoice_in(row) for row in cursor.fetchall())
    counts = dict(zip(_IN_STATE, numbers, strict=True))
    return InvoicePage(items, counts[asked.state], counts, open_minor, overdue_minor, currency)


@scoped
def invoices_with_lines(scope: Scope, asked: InvoicesAsked) -> list[Invoice]:
    """The first 20,000 of the documents looked for, with their lines: for the books of an accountant."""
    return _with_lines(invoices(scope, replace(asked, offset=0, limit=MOST_IN_A_FILE)).items)


@scoped
def invoice(scope: Scope, invoice_id: int) -> Invoice:
    """One document with its lines; raises `InvoiceNotFound` for everybody but its two parties."""
    scope.require(BILLING_READ)
    found = _by(scope, "i.id = %(wanted)s", invoice_id) if 0 < invoice_id <= MAX_ID else []
    if not found:
        raise InvoiceNotFound(f"There is no invoice {invoice_id}.")
    return _with_lines(found)[0]


@scoped
def invoices_of_statements(scope: Scope, statement_ids: Sequence[int]) -> list[Invoice]:
    """The documents made of these statements, of each the invoice first, without their lines."""
    found = _by(scope, "i.statement_id = any(%(wanted)s) and i.corrects_id is null", list(statement_ids))
    return sorted(found, key=lambda one: (one.statement_id or 0, one.kind != "invoice"))


@scoped
def credit_notes_of(scope: Scope, invoice_id: int) -> list[Invoice]:
    """The credit notes that take something back of an invoice, in their order, with their lines."""
    return _with_lines(_by(scope, "i.corrects_id = %(wanted)s", invoice_id))


@scoped
def creditable(scope: Scope, invoice_id: int) -> list[Creditable]:
    """The lines of an invoice with what may still be taken back of each; none for other documents."""
    found = invoice(scope, invoice_id)
    if found.kind != "invoice":
        return []
    notes = [line for note in credit_notes_of(scope, invoice_id) for line in note.lines]
    return creditable_lines(found.lines, notes)


@scoped
def logo_on(scope: Scope, seller_id: int, digest: bytes) -> tuple[str, bytes] | None:
    """Media type and body of the logo a document bears, for whoever may read the document."""
    scope.require(BILLING_READ)
    with connection.cursor() as cursor:
        cursor.execute(
            "select media_type, body from billing_logo where seller_id = %s and digest = %s", [seller_id, digest]
        )
        row = cursor.fetchone()
    return (row[0], bytes(row[1])) if row else None


def _by(scope: Scope, condition: str, wanted: int | list[int]) -> list[Invoice]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {COLUMNS} from billing_invoice i {SINCE}"  # noqa: S608 - constants only
            f" where %(organisation)s in (i.seller_id, i.buyer_id) and {condition} order by i.id",
            {"organisation": scope.organisation_id, "wanted": wanted},
        )
        return [invoice_in(row) for row in cursor.fetchall()]


def _with_lines(found: Sequence[Invoice]) -> list[Invoice]:
    lines: dict[int, list[InvoiceLine]] = {}
    with connection.cursor() as cursor:
        cursor.execute(LINES, [[one.id for one in found]])
        for row in cursor.fetchall():
            lines.setdefault(row[0], []).append(invoice_line_in(row))
    return [replace(one, lines=tuple(lines.get(one.id, ()))) for one in found]


def _found(asked: InvoicesAsked) -> str:
    own, other = ("buyer_id", "seller_id") if asked.side == "received" else ("seller_id", "buyer_id")
    conditions = [f"i.{own} = %(organisation)s"]
    if asked.search:
        conditions.append(
            f"({_CODE} ilike %(part)s or {_PARTNER[asked.side]} ilike %(part)s or i.{other}::text = %(whole)s)"
        )
    if asked.period is not None:
        conditions.append("i.issued_at >= %(start)s and i.issued_at < %(end)s")
    if asked.partner_id is not None:
        conditions.append(f"i.{other} = %(partner)s")
    return f"from billing_invoice i {SINCE} where {' and '.join(conditions)}"


def _parameters(scope: Scope, asked: InvoicesAsked) -> dict[str, Any]:
    text = asked.search.replace("\0", "")
    return {
        "organisation": scope.organisation_id,
        "whole": text,
        "part": containing(text),
        "start": asked.period.start if asked.period else None,
        "end": asked.period.end if asked.period else None,
        "partner": asked.partner_id,
        "today": clock.now().date(),
        "offset": asked.offset,
        "limit": asked.limit,
    }


def _order(asked: InvoicesAsked) -> str:
    way = " desc" if asked.sort.startswith("-") else ""
    first, *rest = _ORDERS[asked.sort.removeprefix("-")]
    first = first.format(partner=_PARTNER[asked.side])
    return ", ".join([f"{first}{way} nulls last", *(f"{column}{way}" for column in rest)])
