"""The own balance: what is owed to the seller, what moved it, and paying in advance."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from twin.billing.actions.top_ups import request_top_up
from twin.billing.errors import BillingInvalid, DetailsMissing
from twin.billing.queries.balance import balance, sellers_of
from twin.billing.queries.transactions import transactions
from twin.companies.access import platform_scope
from twin.companies.queries import get_company
from twin.companies.types import BILLING_READ, Scope
from twin.portal.balance_form import TopUpForm
from twin.portal.balance_page import Facts, Moves, MovesAddress, OwnBalancePage, SellerChoice
from twin.portal.moves_files import moves_file
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of

UNPROCESSABLE: Final = 422


@require_safe
@never_cache
@login_required
def own_balance(request: HttpRequest) -> HttpResponse:
    """With the present seller, or a former one named in the address."""
    return _show(request, buying_scope(request))


@require_safe
@never_cache
@login_required
def own_moves_file(request: HttpRequest) -> HttpResponse:
    """All that the list shows on all its pages: CSV or XLSX."""
    scope = buying_scope(request)
    seller_id = _seller(request, sellers_of(scope))
    address = _address(request, seller_id)
    currency = get_company(scope, scope.organisation_id).currency
    names = {seller_id: _name(seller_id)}
    return moves_file(request, scope, address, address.asked("bought", partner_id=seller_id), names, currency)


@require_POST
@login_required
def top_up(request: HttpRequest) -> HttpResponse:
    """A document to pay by; the page of it opens."""
    scope = buying_scope(request)
    form = TopUpForm(request.POST, currency=get_company(scope, scope.organisation_id).currency)
    if form.is_valid():
        try:
            made = request_top_up(scope, amount_minor=form.cleaned_data["amount"])
        except DetailsMissing as missing:
            form.add_error(None, _missing_words(missing))
        except BillingInvalid:
            form.add_error("amount", _("Name an amount greater than nothing that can be paid."))
        else:
            messages.success(request, _("The document is ready. Your balance grows when the payment has come."))
            return HttpResponseRedirect(reverse("portal:invoice", args=[made.id]))
    return _show(request, scope, form=form)


def _missing_words(missing: DetailsMissing) -> str:
    if missing.buyer:
        return _("Your company information lacks details that a document needs. Complete it and try again.")
    return _("Your seller has not given all details that a document needs. Ask it to complete them.")


def buying_scope(request: HttpRequest) -> Scope:
    """Administrators and finance of whoever has a seller; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    scope = visitor.scope if visitor else None
    if scope is None or scope.kind == "platform" or BILLING_READ not in scope.permissions:
        raise Http404
    return scope


def _show(request: HttpRequest, scope: Scope, *, form: TopUpForm | None = None) -> HttpResponse:
    own = get_company(scope, scope.organisation_id)
    sellers = sellers_of(scope)
    seller_id = _seller(request, sellers)
    address = _address(request, seller_id)
    found = transactions(scope, address.asked("bought", partner_id=seller_id))
    seller = get_company(platform_scope(), seller_id)
    zone = zone_of(request.user)
    moves = Moves(address, found, own.currency, zone, ZoneInfo(seller.time_zone), {}, is_seller=False)
    if moves.pager.is_beyond:
        return HttpResponseRedirect(moves.pager.last_href)
    page = OwnBalancePage(
        facts=Facts(balance(scope, seller_id, own.id)),
        moves=moves,
        seller=seller.name,
        sellers=_choices(sellers, seller_id),
        top_up=(form or TopUpForm(currency=own.currency)) if seller_id == own.parent_id else None,
    )
    is_wrong = bool(address.problems) or (form is not None and bool(form.errors))
    return render(request, "portal/balance/own.html", {"page": page}, status=UNPROCESSABLE if is_wrong else 200)


def _seller(request: HttpRequest, sellers: list[int]) -> int:
    named = request.GET.get("seller", "")
    if not sellers:
        raise Http404
    return next((seller for seller in sellers if str(seller) == named), sellers[0])


def _address(request: HttpRequest, seller_id: int) -> MovesAddress:
    kept = (("seller", str(seller_id)),) if "seller" in request.GET else ()
    return MovesAddress.read(request.GET.dict(), zone_of(request.user), base=reverse("portal:balance"), kept=kept)


def _choices(sellers: list[int], chosen: int) -> tuple[SellerChoice, ...]:
    if len(sellers) < 2:
        return ()
    base = reverse("portal:balance")
    return tuple(
        SellerChoice(_name(one), f"{base}?{urlencode({'seller': one})}", is_current=one == chosen) for one in sellers
    )


def _name(seller_id: int) -> str:
    """A company knows the name of who it bought from, also of a former seller."""
    return get_company(platform_scope(), seller_id).name
