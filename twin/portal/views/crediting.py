"""A credit note on an invoice: how much of which line, a look at what would be issued, then the deed."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from twin.billing.actions.crediting import LONGEST_REASON, credit, preview_credit
from twin.billing.errors import CreditTooLarge
from twin.billing.queries.invoices import creditable
from twin.billing.rules.crediting import MOST_LINES
from twin.billing.types import CreditAsked, Invoice
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import Invalid
from twin.portal import reauthentication
from twin.portal.credit_form import asked_in, typed_in
from twin.portal.invoice_page import CreditPage
from twin.portal.views.invoices import known_invoice, money_scope

UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def credit_invoice(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """First a preview of the note, with its tax; with `issue` it is issued."""
    scope = money_scope(request)
    found = known_invoice(scope, invoice_id)
    if BILLING_WRITE not in scope.permissions or found.kind != "invoice" or found.seller_id != scope.organisation_id:
        raise Http404
    if request.method != "POST":
        return _show(request, scope, found)
    reauthentication.require(request)
    return _answer(request, scope, found)


def _answer(request: HttpRequest, scope: Scope, found: Invoice) -> HttpResponse:
    given = {name: str(value) for name, value in request.POST.items()}
    typed = typed_in(given, creditable(scope, found.id))
    reason = given.get("reason", "").strip()
    asked, problems = asked_in(typed, currency=found.currency)
    if not 0 < len(reason) <= LONGEST_REASON:
        problems["reason"] = _("Give a reason of at most %(longest)s characters.") % {"longest": LONGEST_REASON}
    if problems or len(asked) > MOST_LINES:
        return _show(request, scope, found, typed=typed, reason=reason, problems=problems)
    try:
        return _carried_out(request, scope, found, asked, typed, reason)
    except CreditTooLarge:
        problems = {"": _("More would be taken back than remains of a line. What remains stands beside each.")}
    except Invalid:
        problems = {"": _("This takes nothing back. A credit note lowers its invoice, in readable words.")}
    return _show(request, scope, found, typed=typed, reason=reason, problems=problems)


def _carried_out(
    request: HttpRequest, scope: Scope, found: Invoice, asked: list[CreditAsked], typed: dict[int, str], reason: str
) -> HttpResponse:
    if "issue" not in request.POST:
        preview = preview_credit(scope, found.id, lines=asked)
        return _show(request, scope, found, typed=typed, reason=reason, preview=preview)
    note = credit(scope, found.id, lines=asked, reason=reason)
    messages.success(request, _("Credit note %(code)s is issued.") % {"code": note.code})
    return HttpResponseRedirect(reverse("portal:invoice", args=[note.id]))


def _show(
    request: HttpRequest,
    scope: Scope,
    found: Invoice,
    *,
    typed: dict[int, str] | None = None,
    reason: str = "",
    problems: dict[int | str, str] | None = None,
    preview: Invoice | None = None,
) -> HttpResponse:
    page = CreditPage(found, creditable(scope, found.id), scope, typed or {}, reason, problems or {}, preview)
    return render(request, "portal/invoices/credit.html", {"page": page}, status=UNPROCESSABLE if problems else 200)
