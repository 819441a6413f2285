"""What the buyers of a seller owe it: the list, one account, payments and what undoes them."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment, record_refund
from twin.billing.actions.payments import reverse as reverse_movement
from twin.billing.errors import AccountNotFound, BillingInvalid, PaymentKnown, PaymentSpent, TransactionNotFound
from twin.billing.queries.balance import balance
from twin.billing.queries.balances import balances
from twin.billing.queries.settling import documents_to_pay
from twin.billing.queries.transactions import transaction_of, transactions
from twin.companies.queries import DirectBuyer, buyers_named, direct_buyers, get_company, names_of
from twin.companies.types import BILLING_READ, BILLING_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import NotFound
from twin.portal import reauthentication
from twin.portal.balance_form import AccountForm, PaymentForm, RefundForm, ReverseForm
from twin.portal.balance_page import (
    AccountPage,
    BalancesListAsked,
    BalancesPage,
    Facts,
    MoveRow,
    Moves,
    MovesAddress,
    PaymentPage,
)
from twin.portal.balances_files import balances_file
from twin.portal.moves_files import moves_file
from twin.portal.views.balance import UNPROCESSABLE
from twin.portal.visitor import visitor_of
from twin.portal.words import moment_words, zone_of

MOST_PARTIES: Final = 200


@require_safe
@never_cache
@login_required
def buyers(request: HttpRequest) -> HttpResponse:
    """The list of buyers; its whole state stands in the address."""
    scope = selling_scope(request)
    asked = BalancesListAsked.read(request.GET.dict())
    own = get_company(scope, scope.organisation_id)
    page = BalancesPage(
        asked=asked,
        found=balances(scope, asked.question),
        own=None if own.parent_id is None else Facts(balance(scope, own.parent_id, own.id)),
        own_seller="",
        may_write=BILLING_WRITE in scope.permissions,
    )
    if page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/balance/list.html", {"page": page})


@require_safe
@never_cache
@login_required
def buyers_file(request: HttpRequest) -> HttpResponseBase:
    """The same list to take away."""
    return balances_file(request, selling_scope(request), BalancesListAsked.read(request.GET.dict()))


@require_safe
@never_cache
@login_required
def account(request: HttpRequest, buyer_id: int) -> HttpResponse:
    """One buyer, present or former."""
    return _show(request, selling_scope(request), buyer_id)


@require_safe
@never_cache
@login_required
def account_file(request: HttpRequest, buyer_id: int) -> HttpResponse:
    scope = selling_scope(request)
    buyer, address = _buyer(scope, buyer_id), _address(request, buyer_id)
    asked = address.asked("sold", partner_id=buyer_id)
    return moves_file(request, scope, address, asked, {buyer_id: buyer.name}, buyer.currency)


@require_safe
@never_cache
@login_required
def payments(request: HttpRequest) -> HttpResponse:
    """What moved with all buyers."""
    scope = selling_scope(request)
    own = get_company(scope, scope.organisation_id)
    address = MovesAddress.read(request.GET.dict(), zone_of(request.user), base=reverse("portal:payments"))
    found = transactions(scope, address.asked("sold", parties=buyers_named(scope, address.search, limit=MOST_PARTIES)))
    named = names_of(scope, {one.buyer_id for one in found.items})
    zone = zone_of(request.user)
    moves = Moves(address, found, own.currency, zone, ZoneInfo(own.time_zone), named or {0: ""}, is_seller=True)
    if moves.pager.is_beyond:
        return HttpResponseRedirect(moves.pager.last_href)
    shown = {"moves": moves, "may_write": BILLING_WRITE in scope.permissions}
    return render(request, "portal/balance/payments.html", shown, status=UNPROCESSABLE if address.problems else 200)


@require_safe
@never_cache
@login_required
def payments_file(request: HttpRequest) -> HttpResponse:
    scope = selling_scope(request)
    own = get_company(scope, scope.organisation_id)
    address = MovesAddress.read(request.GET.dict(), zone_of(request.user), base=reverse("portal:payments"))
    named = {one.company_id: one.name for one in direct_buyers(scope)}
    asked = address.asked("sold", parties=buyers_named(scope, address.search, limit=MOST_PARTIES))
    return moves_file(request, scope, address, asked, named, own.currency)


@require_safe
@never_cache
@login_required
def payment(request: HttpRequest, transaction_id: int) -> HttpResponse:
    """One movement, what it settles, and undoing it."""
    return _show_payment(request, selling_scope(request), transaction_id)


@require_POST
@login_required
def add_payment(request: HttpRequest, buyer_id: int) -> HttpResponse:
    scope = writing_scope(request)
    form = _payment_form(request, scope, _buyer(scope, buyer_id))
    if not form.is_valid():
        return _show(request, scope, buyer_id, payment=form)
    given = form.cleaned_data
    try:
        with transaction.atomic():
            record_payment(
                scope,
                buyer_id=buyer_id,
                amount_minor=given["amount"],
                at=form.at,
                reference=given["reference"],
                note=given["note"],
                invoices=form.invoices,
                again=given["again"],
                by=_person(request),
            )
    except PaymentKnown as known:
        form.ask_again()
        form.add_error(None, _known_words(known, zone_of(request.user)))
        return _show(request, scope, buyer_id, payment=form)
    except BillingInvalid as error:
        _tell(form, error)
        return _show(request, scope, buyer_id, payment=form)
    messages.success(request, _("The payment is recorded."))
    return HttpResponseRedirect(reverse("portal:buyer", args=[buyer_id]))


@require_POST
@login_required
def add_refund(request: HttpRequest, buyer_id: int) -> HttpResponse:
    scope = writing_scope(request)
    form = RefundForm(request.POST, **_dated(request, scope, _buyer(scope, buyer_id)))
    if not form.is_valid():
        return _show(request, scope, buyer_id, refund=form)
    reauthentication.require(request)
    given = form.cleaned_data
    try:
        with transaction.atomic():
            record_refund(
                scope,
                buyer_id=buyer_id,
                amount_minor=given["amount"],
                at=form.at,
                reference=given["reference"],
                note=given["note"],
                by=_person(request),
            )
    except PaymentSpent:
        form.add_error("amount", _("There is not so much money on account: what settles invoices is not given back."))
        return _show(request, scope, buyer_id, refund=form)
    except BillingInvalid as error:
        _tell(form, error)
        return _show(request, scope, buyer_id, refund=form)
    messages.success(request, _("It is recorded that the money was given back."))
    return HttpResponseRedirect(reverse("portal:buyer", args=[buyer_id]))


@require_POST
@login_required
def change_terms(request: HttpRequest, buyer_id: int) -> HttpResponse:
    """How the company pays, up to which limit, when people are warned."""
    scope = writing_scope(request)
    buyer = _buyer(scope, buyer_id)
    found = balance(scope, scope.organisation_id, buyer_id)
    form = AccountForm(request.POST, account=found.account, currency=buyer.currency)
    if form.is_valid():
        reauthentication.require(request)
        given = form.cleaned_data
        try:
            set_account(
                scope,
                buyer_id=buyer_id,
                mode=given["mode"],
                credit_limit_minor=given["credit_limit"],
                warn_percents=given["warnings"],
            )
        except BillingInvalid:
            form.add_error("credit_limit", _("The limit is larger than can be stored."))
        else:
            messages.success(request, _("Saved."))
            return HttpResponseRedirect(reverse("portal:buyer", args=[buyer_id]))
    return _show(request, scope, buyer_id, terms=form)


@require_POST
@login_required
def undo(request: HttpRequest, transaction_id: int) -> HttpResponse:
    scope = writing_scope(request)
    form = ReverseForm(request.POST)
    if not form.is_valid():
        return _show_payment(request, scope, transaction_id, form=form)
    reauthentication.require(request)
    try:
        with transaction.atomic():
            reverse_movement(scope, transaction_id, reason=form.cleaned_data["reason"], by=_person(request))
    except TransactionNotFound:
        raise Http404 from None
    except PaymentSpent:
        form.add_error(None, _("It was undone already, or something of it was given back: undo that first."))
        return _show_payment(request, scope, transaction_id, form=form)
    except BillingInvalid:
        form.add_error("reason", _("Give a reason of 1 to 500 characters."))
        return _show_payment(request, scope, transaction_id, form=form)
    messages.success(request, _("It is undone; what it settled is open again."))
    return HttpResponseRedirect(reverse("portal:payment", args=[transaction_id]))


def selling_scope(request: HttpRequest) -> Scope:
    """Administrators and finance of whoever sells; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    scope = visitor.scope if visitor else None
    if scope is None or scope.kind == "company" or BILLING_READ not in scope.permissions:
        raise Http404
    return scope


def writing_scope(request: HttpRequest) -> Scope:
    """Administrators alone record money."""
    scope = selling_scope(request)
    if BILLING_WRITE not in scope.permissions:
        raise Http404
    return scope


def _show(request: HttpRequest, scope: Scope, buyer_id: int, **refused: Form) -> HttpResponse:
    buyer, zone = _buyer(scope, buyer_id), zone_of(request.user)
    try:
        found = balance(scope, scope.organisation_id, buyer_id)
    except AccountNotFound:
        raise Http404 from None
    address = _address(request, buyer_id)
    listed = transactions(scope, address.asked("sold", partner_id=buyer_id))
    moves = Moves(address, listed, found.currency, zone, _seller_zone(scope), {}, is_seller=True)
    if moves.pager.is_beyond:
        return HttpResponseRedirect(moves.pager.last_href)
    page = AccountPage(
        facts=Facts(found),
        moves=moves,
        buyer_id=buyer_id,
        buyer=buyer.name,
        may_write=BILLING_WRITE in scope.permissions,
        is_current=buyer.stays[-1].end is None,
        payment=refused.get("payment") or _payment_form(None, scope, buyer, today_of=request),
        refund=refused.get("refund") or RefundForm(auto_id="refund_%s", **_dated(request, scope, buyer)),
        terms=refused.get("terms") or AccountForm(auto_id="terms_%s", account=found.account, currency=found.currency),
    )
    status = UNPROCESSABLE if refused or address.problems else 200
    return render(request, "portal/balance/account.html", {"page": page}, status=status)


def _payment_form(
    request: HttpRequest | None, scope: Scope, buyer: DirectBuyer, *, today_of: HttpRequest | None = None
) -> PaymentForm:
    return PaymentForm(
        request.POST if request else None,
        wanting=documents_to_pay(scope, buyer.company_id),
        **_dated(request or today_of, scope, buyer),
    )


def _dated(_request: HttpRequest | None, scope: Scope, buyer: DirectBuyer) -> dict[str, Any]:
    zone = _seller_zone(scope)
    return {"currency": buyer.currency, "zone": zone, "today": clock.now().astimezone(zone).date()}


def _seller_zone(scope: Scope) -> ZoneInfo:
    return ZoneInfo(get_company(scope, scope.organisation_id).time_zone)


def _buyer(scope: Scope, buyer_id: int) -> DirectBuyer:
    found = direct_buyers(scope, only=[buyer_id]) if buyer_id < 2**31 else []
    if not found:
        raise Http404
    return found[0]


def _show_payment(
    request: HttpRequest, scope: Scope, transaction_id: int, *, form: ReverseForm | None = None
) -> HttpResponse:
    try:
        found = transaction_of(scope, transaction_id) if transaction_id < 2**63 else None
    except NotFound:
        raise Http404 from None
    if found is None or found.seller_id != scope.organisation_id:
        raise Http404
    buyer = _buyer(scope, found.buyer_id)
    page = PaymentPage(
        row=MoveRow(found, buyer.currency, zone_of(request.user), _seller_zone(scope), buyer.name),
        buyer_id=buyer.company_id,
        recorded=moment_words(found.recorded_at.replace(microsecond=0), zone_of(request.user)),
        may_undo=BILLING_WRITE in scope.permissions and found.kind in ("payment", "refund") and not found.is_reversed,
        form=form or ReverseForm(),
    )
    status = UNPROCESSABLE if form is not None else 200
    return render(request, "portal/balance/payment.html", {"page": page}, status=status)


def _address(request: HttpRequest, buyer_id: int) -> MovesAddress:
    given = request.GET.dict()
    return MovesAddress.read(given, zone_of(request.user), base=reverse("portal:buyer", args=[buyer_id]))


def _person(request: HttpRequest) -> str:
    visitor = visitor_of(request)
    return visitor.person if visitor else ""


def _known_words(known: PaymentKnown, zone: ZoneInfo) -> str:
    moment = moment_words(known.at.replace(microsecond=0), zone)
    if known.by:
        return _("%(who)s recorded the same payment at %(moment)s: same amount, day and reference.") % {
            "who": known.by,
            "moment": moment,
        }
    return _("The same payment was recorded at %(moment)s: same amount, day and reference.") % {"moment": moment}


def _tell(form: Form, error: BillingInvalid) -> None:
    words = {
        "amount": _("Name an amount greater than nothing that can be paid."),
        "at": _("The day lies in the future."),
    }
    for problem in error.errors:
        name = str(problem.loc[-1])
        field = {"at": "on"}.get(name, name)
        form.add_error(field if field in form.fields else None, words.get(name, str(problem.msg)))
