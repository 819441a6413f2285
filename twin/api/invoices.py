"""`/invoices` and `/top-ups`: issued documents of both sides, their PDF, credit notes."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from twin.api.auth import ApiKey, asked_of, reads_json, scope_of
from twin.api.balances import Money
from twin.api.fields import (
    LARGEST_ID,
    IdCursor,
    IdempotencyKey,
    Input,
    Instant,
    PathId,
    QueryId,
    QueryInput,
    Reason,
    Search,
    known_id,
)
from twin.api.negotiation import chosen_type
from twin.api.reports import CSV, JSON, XLSX
from twin.api.schemas import Output, Text
from twin.billing.actions.crediting import credit, preview_credit
from twin.billing.actions.repeating import done_once
from twin.billing.actions.top_ups import request_top_up
from twin.billing.queries.invoices import InvoicesAsked, credit_notes_of, invoice, invoices, invoices_with_lines
from twin.billing.queries.papers import document_pdf
from twin.billing.queries.waiting import waiting
from twin.billing.rules.crediting import share_in
from twin.billing.rules.rounding import minor_text, to_minor
from twin.billing.types import CreditAsked, Invoice, InvoiceLine, InvoicePage, Waiting
from twin.companies.queries import get_company
from twin.companies.types import BILLING_READ, BILLING_WRITE, Scope
from twin.kernel.errors import Invalid, invalid_field
from twin.kernel.money import amount_text, from_nano
from twin.kernel.period import Period, instant_text
from twin.reports.invoice_exports import invoices_csv, invoices_xlsx

PDF = "application/pdf"
LARGEST_PAGE = 1_000
Kind = Literal["invoice", "credit_note", "top_up"]
router = Router(tags=["Invoices"])


class InvoiceLineOut(Output):
    """`exact` is the plain sum of the charges, `net` the same rounded once, half-up."""

    number: int
    meter: str | None
    selector: dict[str, str]
    month: str | None
    unit_price: str | None
    per: int | None
    setup_fee: str | None
    count: int | None
    quantity: int | None
    billed: int | None
    exact: str
    net: str
    credits_line: int | None


class InvoiceOut(Output):
    """An issued document; only `paid`, `credited` and `open` change. Amounts of credit notes are negative."""

    id: int
    number: str
    kind: Kind
    seller_id: int
    buyer_id: int
    statement_id: int | None
    corrects_id: int | None
    reason: str
    issued_at: Text
    issued_on: str
    due_on: str | None
    month: str | None
    currency: str
    tax_kind: str
    tax_percent: str
    net: str
    tax: str
    gross: str
    paid: str
    credited: str
    open: str


class WholeInvoiceOut(InvoiceOut):
    """With its lines, and both parties as they were when it was issued."""

    seller: dict[str, str]
    buyer: dict[str, str]
    lines: list[InvoiceLineOut]
    credit_note_ids: list[int]


class InvoicePageOut(Output):
    """`open` is what is still to be paid of all that was asked for, `overdue` what is late of that."""

    items: list[InvoiceOut]
    total: int
    open: str
    overdue: str
    next_cursor: str | None


class WaitingOut(Output):
    """A closed month whose invoice waits for details: which fields each party has still to give.

    Of its seller's details the buyer is told only whether something is missing.
    """

    statement_id: int
    seller_id: int
    buyer_id: int
    month: str
    seller_is_complete: bool
    seller_missing: list[str]
    buyer_missing: list[str]


class WaitingPageOut(Output):
    items: list[WaitingOut]


class CreditLineIn(Input):
    """What to take back of a line: an amount without tax, or a part of it; with neither all that remains."""

    line: Annotated[int, Field(ge=1, le=10_000)]
    amount: Money | None = None
    share: Annotated[str | None, Field(pattern=r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,8}$", examples=["1/3"])] = None


class CreditIn(Input):
    lines: Annotated[list[CreditLineIn], Field(min_length=1, max_length=10_000)]
    reason: Reason


class CreditPreviewIn(Input):
    lines: Annotated[list[CreditLineIn], Field(min_length=1, max_length=10_000)]


class CreditPreviewOut(Output):
    """What a credit note would say; it has no number, as it is not issued."""

    corrects_id: int
    currency: str
    net: str
    tax: str
    gross: str
    lines: list[InvoiceLineOut]


class TopUpIn(Input):
    amount: Money


class InvoiceQuery(QueryInput):
    """`side=received`: from the key's sellers; `side=issued`: to its buyers."""

    side: Literal["received", "issued"] = "received"
    state: Literal["all", "open", "overdue", "paid", "credit_note", "top_up"] = "all"
    search: Annotated[Search, Field(description="Part of the number or of the other party's name, or its id.")] = ""
    from_: Annotated[Instant | None, Field(alias="from", description="Issued at or after this instant.")] = None
    to: Annotated[Instant | None, Field(description="Issued before this instant.")] = None
    company: Annotated[QueryId | None, Field(description="The other party.")] = None
    sort: Literal["issued", "-issued", "number", "-number", "due", "-due", "amount", "-amount"] = "-issued"
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100
    cursor: IdCursor | None = None


class WaitingQuery(QueryInput):
    side: Literal["received", "issued"] = "received"


_FILES = {
    "responses": {
        200: {
            "content": {CSV: {"schema": {"type": "string"}}, XLSX: {"schema": {"type": "string", "format": "binary"}}}
        }
    }
}
_PDF = {"responses": {200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}}}


@router.get(
    "/invoices",
    auth=ApiKey(BILLING_READ, query=InvoiceQuery),
    response=InvoicePageOut,
    by_alias=True,
    openapi_extra=_FILES,
)
def list_invoices(request: HttpRequest, query: Query[InvoiceQuery]) -> HttpResponse | InvoicePageOut:
    """Documents received or issued, without their lines.

    `Accept: text/csv` answers all that was asked for as a table for an accountant, the spreadsheet type a workbook
    with a sheet of the lines too; both without paging.
    """
    scope = scope_of(request)
    media_type = chosen_type(request.META.get("HTTP_ACCEPT", ""), (JSON, CSV, XLSX))
    asked = _asked(query)
    if media_type == JSON:
        return _page(scope, asked, invoices(scope, asked))
    content = _file(invoices_with_lines(scope, asked), media_type)
    response = HttpResponse(content, content_type=media_type)
    suffix = "csv" if media_type == CSV else "xlsx"
    response["Content-Disposition"] = f'attachment; filename="invoices-{query.side}.{suffix}"'
    response["Vary"] = "Accept"
    return response


@router.get("/invoices/waiting", auth=ApiKey(BILLING_READ, query=WaitingQuery), response=WaitingPageOut)
def list_waiting(request: HttpRequest, query: Query[WaitingQuery]) -> WaitingPageOut:
    """Closed months whose invoice waits for details of a party, oldest first, at most 200."""
    scope = scope_of(request)
    return WaitingPageOut(items=[_waiting(one) for one in waiting(scope, query.side)])


@router.get("/invoices/{int:invoice_id}", auth=ApiKey(BILLING_READ), response=WholeInvoiceOut)
def get_invoice(request: HttpRequest, invoice_id: PathId) -> WholeInvoiceOut:
    """One document with its lines, for its two parties."""
    scope = scope_of(request)
    return _whole(scope, invoice(scope, known_id(invoice_id)))


@router.get("/invoices/{int:invoice_id}/pdf", auth=ApiKey(BILLING_READ), response={200: None}, openapi_extra=_PDF)
def get_invoice_pdf(request: HttpRequest, invoice_id: PathId) -> HttpResponse:
    """The document as a PDF, always the same bytes."""
    name, body = document_pdf(scope_of(request), known_id(invoice_id))
    response = HttpResponse(body, content_type=PDF)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.post("/invoices/{int:invoice_id}/credit-notes", auth=reads_json(BILLING_WRITE), response={201: WholeInvoiceOut})
def create_credit_note(
    request: HttpRequest, invoice_id: PathId, body: CreditIn, idempotency_key: IdempotencyKey = None
) -> Status[WholeInvoiceOut]:
    """Take back something of an invoice issued by the key's company, at the tax of the invoice.

    Parts that make a whole take back the line exactly. 409 where more would be taken back than remains.
    """
    scope = scope_of(request)
    asked = _wishes(scope, invoice_id, body.lines)
    number = done_once(
        scope,
        key=idempotency_key,
        asked=asked_of(request),
        act=lambda: credit(scope, invoice_id, lines=asked, reason=body.reason).id,
    )
    return Status(201, _whole(scope, invoice(scope, number)))


@router.post(
    "/invoices/{int:invoice_id}/credit-notes/preview", auth=reads_json(BILLING_WRITE), response=CreditPreviewOut
)
def preview_credit_note(request: HttpRequest, invoice_id: PathId, body: CreditPreviewIn) -> CreditPreviewOut:
    """The credit note that these lines would give, with its tax; nothing is issued. 409 as when it is issued."""
    scope = scope_of(request)
    note = preview_credit(scope, known_id(invoice_id), lines=_wishes(scope, invoice_id, body.lines))
    return CreditPreviewOut(
        corrects_id=invoice_id,
        currency=note.currency,
        net=minor_text(note.net_minor, note.currency),
        tax=minor_text(note.tax_minor, note.currency),
        gross=minor_text(note.gross_minor, note.currency),
        lines=[_line(line, note.currency) for line in note.lines],
    )


@router.post("/top-ups", auth=reads_json(BILLING_WRITE), response={201: WholeInvoiceOut})
def create_top_up(
    request: HttpRequest, body: TopUpIn, idempotency_key: IdempotencyKey = None
) -> Status[WholeInvoiceOut]:
    """Ask the seller of the key's company for a document by which to pay in advance; the payment changes the balance.

    409 while details of either party are missing.
    """
    scope = scope_of(request)
    currency = get_company(scope, scope.organisation_id).currency
    amount = _minor(body.amount, currency, "amount")
    number = done_once(
        scope,
        key=idempotency_key,
        asked=asked_of(request),
        act=lambda: request_top_up(scope, amount_minor=amount).id,
    )
    return Status(201, _whole(scope, invoice(scope, number)))


def _asked(query: InvoiceQuery) -> InvoicesAsked:
    return InvoicesAsked(
        side=query.side,
        state=query.state,
        search=query.search.strip(),
        period=_period(query),
        partner_id=_partner(query.company),
        sort=query.sort,
        offset=int(query.cursor or 0),
        limit=query.limit,
    )


def _partner(company_id: int | None) -> int | None:
    if company_id is not None and not 1 <= company_id <= LARGEST_ID:
        raise invalid_field("This cannot be the id of a company.", "company")
    return company_id


def _period(query: InvoiceQuery) -> Period | None:
    if query.from_ is None and query.to is None:
        return None
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    start, end = query.from_ or first, query.to or last
    if start >= end:
        raise invalid_field("`from` must be earlier than `to`.", "to")
    return Period(start, end)


def _page(scope: Scope, asked: InvoicesAsked, found: InvoicePage) -> InvoicePageOut:
    after = asked.offset + len(found.items)
    currency = found.currency or get_company(scope, scope.organisation_id).currency
    return InvoicePageOut(
        items=[InvoiceOut(**_told(one)) for one in found.items],
        total=found.total,
        open=minor_text(found.open_minor, currency),
        overdue=minor_text(found.overdue_minor, currency),
        next_cursor=str(after) if found.items and after < found.total else None,
    )


def _file(found: list[Invoice], media_type: str) -> bytes:
    if media_type == CSV:
        return invoices_csv(found).encode()
    book = BytesIO()
    invoices_xlsx(found, book)
    return book.getvalue()


def _told(one: Invoice) -> dict[str, Any]:
    def money(amount: int) -> str:
        return minor_text(amount, one.currency)

    return {
        "id": one.id,
        "number": one.code,
        "kind": one.kind,
        "seller_id": one.seller_id,
        "buyer_id": one.buyer_id,
        "statement_id": one.statement_id,
        "corrects_id": one.corrects_id,
        "reason": one.reason,
        "issued_at": instant_text(one.issued_at),
        "issued_on": one.issued_on.isoformat(),
        "due_on": one.due_on.isoformat() if one.due_on else None,
        "month": f"{one.month:%Y-%m}" if one.month else None,
        "currency": one.currency,
        "tax_kind": one.tax_kind,
        "tax_percent": format(one.tax_percent.normalize(), "f"),
        "net": money(one.net_minor),
        "tax": money(one.tax_minor),
        "gross": money(one.gross_minor),
        "paid": money(one.paid_minor),
        "credited": money(one.credited_minor),
        "open": money(max(0, one.open_minor) if one.kind == "invoice" else 0),
    }


def _whole(scope: Scope, one: Invoice) -> WholeInvoiceOut:
    return WholeInvoiceOut(
        **_told(one),
        seller=dict(one.seller_details),
        buyer=dict(one.buyer_details),
        lines=[_line(line, one.currency) for line in one.lines],
        credit_note_ids=[note.id for note in credit_notes_of(scope, one.id)],
    )


def _line(line: InvoiceLine, currency: str) -> InvoiceLineOut:
    terms = line.terms
    return InvoiceLineOut(
        number=line.number,
        meter=line.meter,
        selector=dict(line.selector),
        month=f"{line.month:%Y-%m}" if line.month else None,
        unit_price=amount_text(terms.unit_price_nano) if terms else None,
        per=terms.per if terms else None,
        setup_fee=amount_text(terms.setup_fee_nano) if terms else None,
        count=line.count,
        quantity=line.quantity,
        billed=line.billed,
        exact=amount_text(line.exact),
        net=minor_text(line.net_minor, currency),
        credits_line=line.credits_line,
    )


def _waiting(one: Waiting) -> WaitingOut:
    return WaitingOut(
        statement_id=one.statement_id,
        seller_id=one.seller_id,
        buyer_id=one.buyer_id,
        month=f"{one.month:%Y-%m}",
        seller_is_complete=not one.seller_missing,
        seller_missing=[name for name in one.seller_missing if name],
        buyer_missing=list(one.buyer_missing),
    )


def _wishes(scope: Scope, invoice_id: int, lines: list[CreditLineIn]) -> list[CreditAsked]:
    currency = invoice(scope, known_id(invoice_id)).currency
    return [_wish(line, at, currency) for at, line in enumerate(lines)]


def _wish(line: CreditLineIn, at: int, currency: str) -> CreditAsked:
    if line.amount is not None and line.share is not None:
        raise invalid_field("Name an amount or a share of a line, not both.", "lines", at)
    if line.amount is not None:
        return CreditAsked(line.line, amount_minor=_minor(line.amount, currency, "lines", at, "amount"))
    return CreditAsked(line.line, share=share_in(line.share) if line.share is not None else None)


def _minor(nano: int, currency: str, *loc: str | int) -> int:
    try:
        return to_minor(from_nano(nano), currency)
    except Invalid as error:
        raise invalid_field(str(error), *loc) from None
