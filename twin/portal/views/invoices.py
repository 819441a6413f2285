"""Invoices: what was received and what was issued, one document, its PDF, the list as a file."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.billing.errors import InvoiceNotFound
from twin.billing.queries.invoices import (
    InvoiceSide,
    credit_notes_of,
    invoice,
    invoices,
    invoices_with_lines,
)
from twin.billing.queries.papers import document_pdf
from twin.billing.queries.waiting import waiting
from twin.billing.types import Invoice
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.portal.invoice_page import OneInvoicePage
from twin.portal.invoices_page import InvoicesPage, ListAddress
from twin.portal.report_files import TYPES
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of
from twin.reports.invoice_exports import invoices_csv, invoices_xlsx

_SIDES: Final[dict[str, tuple[InvoiceSide, ...]]] = {
    "platform": ("issued",),
    "reseller": ("received", "issued"),
    "company": ("received",),
}


@require_safe
@never_cache
@login_required
def list_invoices(request: HttpRequest) -> HttpResponse:
    """The list; its whole state stands in the address. A page beyond the last leads to the last."""
    scope = money_scope(request)
    page = _page(request, scope)
    if page.address.page > page.last_page:
        return HttpResponseRedirect(page.last_href)
    return render(request, "portal/invoices/list.html", {"page": page}, status=422 if page.address.problems else 200)


@require_safe
@never_cache
@login_required
def invoices_file(request: HttpRequest) -> HttpResponse:
    """All that the list shows on all its pages, for an accountant: CSV, or a workbook with the lines too."""
    scope = money_scope(request)
    address = ListAddress.read(request.GET.dict(), zone_of(request.user), _SIDES[scope.kind])
    form = request.GET.get("format")
    if address.problems or form not in ("csv", "xlsx"):
        return HttpResponseRedirect(address.href)
    found = invoices_with_lines(scope, address.asked)
    response = HttpResponse(_rendered(found, form), content_type=TYPES[form])
    name = f"invoices-{scope.organisation_id}-{address.side}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
@never_cache
@login_required
def one_invoice(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """One document, for its two parties; for everybody else it is not there."""
    scope = money_scope(request)
    found = known_invoice(scope, invoice_id)
    corrects = invoice(scope, found.corrects_id) if found.corrects_id is not None else None
    page = OneInvoicePage(found, scope, clock.now().date(), corrects, tuple(credit_notes_of(scope, found.id)))
    return render(request, "portal/invoices/invoice.html", {"page": page})


@require_safe
@never_cache
@login_required
def invoice_pdf(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """The document as it was issued, always the same bytes."""
    scope = money_scope(request)
    known_invoice(scope, invoice_id)
    name, body = document_pdf(scope, invoice_id)
    response = HttpResponse(body, content_type=TYPES["pdf"])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def money_scope(request: HttpRequest) -> Scope:
    """Administrators and finance; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or BILLING_READ not in visitor.scope.permissions:
        raise Http404
    return visitor.scope


def known_invoice(scope: Scope, invoice_id: int) -> Invoice:
    try:
        return invoice(scope, invoice_id)
    except InvoiceNotFound:
        raise Http404 from None


def _page(request: HttpRequest, scope: Scope) -> InvoicesPage:
    zone, sides = zone_of(request.user), _SIDES[scope.kind]
    address = ListAddress.read(request.GET.dict(), zone, sides)
    return InvoicesPage(
        address=address,
        found=invoices(scope, address.asked),
        waiting=tuple(waiting(scope, address.side)),
        scope=scope,
        zone=zone,
        sides=sides,
        today=clock.now().date(),
    )


def _rendered(found: list[Invoice], form: str) -> bytes:
    if form == "csv":
        return invoices_csv(found).encode()
    book = BytesIO()
    invoices_xlsx(found, book)
    return book.getvalue()
