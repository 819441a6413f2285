"""Issuing a document: its number, its rows, its posting and the mail about it, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from twin.billing.actions.posting import post_invoice
from twin.billing.actions.telling import tell_of_document
from twin.billing.types import Invoice, InvoiceKind, InvoiceLine, Settings, TaxKind
from twin.companies.types import Scope
from twin.kernel import clock
from twin.pricing.meters import METER_BY_CODE


@dataclass(frozen=True, slots=True)
class Document:
    """A document but for its number and its moment."""

    buyer_id: int
    kind: InvoiceKind
    currency: str
    lines: tuple[InvoiceLine, ...]
    net_minor: int
    tax_minor: int
    tax_kind: TaxKind
    tax_percent: Decimal
    tax_text: str
    language: str
    seller_details: Mapping[str, str]
    buyer_details: Mapping[str, str]
    seller_zone: str
    payment_days: int | None
    statement_id: int | None = None
    corrects_id: int | None = None
    month: date | None = None
    reason: str = ""


def record_document(scope: Scope, document: Document, *, settings: Settings, tell: bool) -> Invoice:
    """Issue it under the next number of its series; to be called inside a scoped transaction of the seller.

    The number is taken here, last of all: from then until the commit no other document of the series
    is issued, so that a transaction that dies leaves no gap. `issued_at` is read after it.
    """
    series = series_of(settings, document.kind)
    number = _next_number(scope.organisation_id, series)
    issued = _insert(scope, document, settings, series, number)
    _insert_lines(issued)
    post_invoice(scope, issued)
    if tell:
        tell_of_document(issued)
    return issued


def series_of(settings: Settings, kind: InvoiceKind) -> str:
    return {"invoice": settings.series, "credit_note": settings.credit_series, "top_up": settings.top_up_series}[kind]


def _next_number(seller_id: int, series: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into billing_series as s (seller_id, series, last) values (%s, %s, 1)"
            " on conflict (seller_id, series) do update set last = s.last + 1 returning last",
            [seller_id, series],
        )
        return int(cursor.fetchone()[0])


def _insert(scope: Scope, document: Document, settings: Settings, series: str, number: int) -> Invoice:
    issued_at = clock.now()
    issued_on = issued_at.astimezone(ZoneInfo(document.seller_zone)).date()
    due_on = None if document.payment_days is None else issued_on + timedelta(days=document.payment_days)
    issued = Invoice(
        id=0,
        seller_id=scope.organisation_id,
        buyer_id=document.buyer_id,
        kind=document.kind,
        series=series,
        number=number,
        statement_id=document.statement_id,
        corrects_id=document.corrects_id,
        reason=document.reason,
        issued_at=issued_at,
        issued_on=issued_on,
        due_on=due_on,
        month=document.month,
        currency=document.currency,
        language=document.language,
        seller_details=document.seller_details,
        buyer_details=document.buyer_details,
        tax_kind=document.tax_kind,
        tax_percent=document.tax_percent,
        tax_text=document.tax_text,
        footer=settings.footer,
        logo_digest=settings.logo_digest,
        net_minor=document.net_minor,
        tax_minor=document.tax_minor,
        gross_minor=document.net_minor + document.tax_minor,
        lines=document.lines,
    )
    return replace(issued, id=_insert_row(issued))


def _insert_row(issued: Invoice) -> int:
    values = {
        "seller_id": issued.seller_id,
        "buyer_id": issued.buyer_id,
        "kind": issued.kind,
        "series": issued.series,
        "number": issued.number,
        "statement_id": issued.statement_id,
        "corrects_id": issued.corrects_id,
        "reason": issued.reason,
        "issued_at": issued.issued_at,
        "issued_on": issued.issued_on,
        "due_on": issued.due_on,
        "month": issued.month,
        "currency": issued.currency,
        "language": issued.language,
        "seller_details": json.dumps(dict(issued.seller_details)),
        "buyer_details": json.dumps(dict(issued.buyer_details)),
        "tax_kind": issued.tax_kind,
        "tax_percent": issued.tax_percent,
        "tax_text": issued.tax_text,
        "footer": issued.footer,
        "logo_digest": issued.logo_digest,
        "net_minor": issued.net_minor,
        "tax_minor": issued.tax_minor,
        "gross_minor": issued.gross_minor,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into billing_invoice ({', '.join(values)})"  # noqa: S608 - names from here
            f" values ({', '.join(['%s'] * len(values))}) returning id",
            list(values.values()),
        )
        return int(cursor.fetchone()[0])


def _insert_lines(issued: Invoice) -> None:
    if not issued.lines:
        return
    rows = [_line_row(issued, line) for line in issued.lines]
    places = ", ".join(["%s"] * len(rows[0]))
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into billing_invoice_line (invoice_id, seller_id, buyer_id, number, statement_line, credits_line,"  # noqa: S608 - places only
            " month, meter_id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector, description, count,"
            f" quantity, billed, exact, net_minor, share) values ({places})",
            rows,
        )


def _line_row(issued: Invoice, line: InvoiceLine) -> Sequence[Any]:
    terms = line.terms
    priced = (
        (terms.unit_price_nano, terms.per, terms.minimum, terms.increment, terms.setup_fee_nano)
        if terms is not None
        else (None,) * 5
    )
    return (
        issued.id,
        issued.seller_id,
        issued.buyer_id,
        line.number,
        line.statement_line,
        line.credits_line,
        line.month,
        None if line.meter is None else METER_BY_CODE[line.meter].id,
        *priced,
        json.dumps(dict(line.selector)),
        line.description,
        line.count,
        line.quantity,
        line.billed,
        line.exact,
        line.net_minor,
        line.share,
    )
