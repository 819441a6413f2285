"""Issuing documents: their numbers, rows, postings and the mails about them, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from twin.billing.actions.booking import lock_ledgers
from twin.billing.actions.posting import post_invoices
from twin.billing.actions.telling import tell_of_documents
from twin.billing.types import Invoice, InvoiceKind, InvoiceLine, Settings, TaxKind
from twin.companies.types import Scope
from twin.kernel import clock
from twin.pricing.meters import METER_BY_CODE

# As the columns of the two tables are called.
_OF_INVOICE: Final = (
    "seller_id int, buyer_id int, kind text, series text, number bigint, statement_id bigint, corrects_id bigint,"
    " reason text, issued_at timestamptz, issued_on date, due_on date, month date, currency text, language text,"
    " seller_details jsonb, buyer_details jsonb, tax_kind text, tax_percent numeric, tax_text text, footer text,"
    " logo_digest bytea, net_minor bigint, tax_minor bigint, gross_minor bigint"
)
_OF_LINE: Final = (
    "invoice_id bigint, seller_id int, buyer_id int, number int, statement_line int, credits_line int, month date,"
    " meter_id smallint, unit_price_nano bigint, per int, minimum bigint, increment bigint, setup_fee_nano bigint,"
    " selector jsonb, description text, count numeric, quantity numeric, billed numeric, exact numeric,"
    " net_minor bigint, share text"
)


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


def record_documents(
    scope: Scope,
    documents: Sequence[Document],
    *,
    settings: Settings,
    tell: bool,
    issued_at: datetime | None = None,
) -> list[Invoice]:
    """Issue them under the next numbers of their series; to be called inside a scoped transaction of the seller.

    The numbers are taken here, last of all: from then until the commit no other document of the series
    is issued, so that a transaction that dies leaves no gap. `issued_at` is read after them, unless it is given.
    """
    # The ledgers before the series, as everybody does: else two could wait for each other.
    lock_ledgers(scope, {one.buyer_id for one in documents})
    numbers = _next_numbers(scope, [series_of(settings, one.kind) for one in documents])
    moment = issued_at or clock.now()
    drafts = [_numbered(scope, one, settings, number, moment) for one, number in zip(documents, numbers, strict=True)]
    issued = _insert(drafts)
    _insert_lines(issued)
    post_invoices(scope, issued)
    if tell:
        tell_of_documents(issued)
    return issued


def series_of(settings: Settings, kind: InvoiceKind) -> str:
    return {"invoice": settings.series, "credit_note": settings.credit_series, "top_up": settings.top_up_series}[kind]


def _next_numbers(scope: Scope, series: Sequence[str]) -> list[tuple[str, int]]:
    """The next number of each series named, in the order named."""
    # Always in the same order, so that two that need the same series never wait for each other.
    last = {name: _take(scope.organisation_id, name, series.count(name)) for name in sorted(set(series))}
    found = []
    for at, name in enumerate(series):
        found.append((name, last[name] - series[at + 1 :].count(name)))
    return found


def _take(seller_id: int, series: str, count: int) -> int:
    """Take so many numbers; returns the last of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into billing_series as s (seller_id, series, last) values (%s, %s, %s)"
            " on conflict (seller_id, series) do update set last = s.last + excluded.last returning last",
            [seller_id, series, count],
        )
        return int(cursor.fetchone()[0])


def _numbered(
    scope: Scope, document: Document, settings: Settings, number: tuple[str, int], issued_at: datetime
) -> Invoice:
    issued_on = issued_at.astimezone(ZoneInfo(document.seller_zone)).date()
    due_on = None if document.payment_days is None else issued_on + timedelta(days=document.payment_days)
    return Invoice(
        id=0,
        seller_id=scope.organisation_id,
        buyer_id=document.buyer_id,
        kind=document.kind,
        series=number[0],
        number=number[1],
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


def _insert(drafts: Sequence[Invoice]) -> list[Invoice]:
    rows = [{name: _plain(getattr(one, name)) for name in _names(_OF_INVOICE)} for one in drafts]
    found = _insert_rows("billing_invoice", _OF_INVOICE, rows, "returning series, number, id")
    ids = {(series, number): invoice_id for series, number, invoice_id in found}
    return [replace(one, id=ids[one.series, one.number]) for one in drafts]


def _insert_lines(issued: Sequence[Invoice]) -> None:
    rows = [_line_row(one, line) for one in issued for line in one.lines]
    if rows:
        _insert_rows("billing_invoice_line", _OF_LINE, rows, "")


def _insert_rows(table: str, columns: str, rows: Iterable[Mapping[str, Any]], after: str) -> list[tuple[Any, ...]]:
    """All rows in one statement, as one value of JSON: numbers as texts stay exact."""
    names = ", ".join(_names(columns))
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {table} ({names}) select {names} from jsonb_to_recordset(%s) given({columns}) {after}",  # noqa: S608 - constants only
            [json.dumps(list(rows))],
        )
        return list(cursor.fetchall()) if after else []


def _names(columns: str) -> list[str]:
    return [column.split()[0] for column in columns.split(",")]


def _plain(value: Any) -> Any:
    """As JSON holds it for the database to read."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Mapping):
        return dict(value)
    return value if value is None or isinstance(value, int | str) else str(value)


def _line_row(issued: Invoice, line: InvoiceLine) -> dict[str, Any]:
    terms = line.terms
    return {
        "invoice_id": issued.id,
        "seller_id": issued.seller_id,
        "buyer_id": issued.buyer_id,
        "number": line.number,
        "statement_line": line.statement_line,
        "credits_line": line.credits_line,
        "month": _plain(line.month),
        "meter_id": None if line.meter is None else METER_BY_CODE[line.meter].id,
        "unit_price_nano": None if terms is None else terms.unit_price_nano,
        "per": None if terms is None else terms.per,
        "minimum": None if terms is None else terms.minimum,
        "increment": None if terms is None else terms.increment,
        "setup_fee_nano": None if terms is None else terms.setup_fee_nano,
        "selector": dict(line.selector),
        "description": line.description,
        "count": line.count,
        "quantity": line.quantity,
        "billed": line.billed,
        "exact": line.exact,
        "net_minor": line.net_minor,
        "share": line.share,
    }
