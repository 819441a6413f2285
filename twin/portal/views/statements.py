"""Statements: what buyers owe and what is owed, closed and running, down to the single charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from twin.billing.actions.closing import Closing
from twin.billing.actions.deciding import decide_late, sign_off
from twin.billing.queries.drilling import charges_of
from twin.billing.queries.invoices import invoices_of_statements
from twin.billing.queries.listing import StatementPage, open_months, statements
from twin.billing.queries.statements import open_statements, statement, unrated_of
from twin.billing.queries.waiting import waiting_statement
from twin.billing.rules.statements import line_of
from twin.billing.types import Statement
from twin.companies.access import platform_scope
from twin.companies.queries import direct_sellers, names_of
from twin.companies.types import BILLING_READ, BILLING_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import Clash, Invalid, NotFound
from twin.kernel.period import instant_text, parse_instant
from twin.metering.queries.billable_events import Place
from twin.portal.statement_page import ChargesPage, OneStatementPage, Sibling
from twin.portal.statements_form import LateForm, SignOffForm
from twin.portal.statements_page import (
    StatementRow,
    StatementsListAsked,
    StatementsPage,
    month_asked,
    open_href,
    open_row,
    running_row,
)
from twin.portal.visitor import visitor_of
from twin.portal.words import month_words, zone_of

UNPROCESSABLE: Final = 422
_LONGEST_PLACE: Final = 120


@require_safe
@never_cache
@login_required
def statement_list(request: HttpRequest) -> HttpResponse:
    """Of each side what is open, what waits and what is closed; its whole state stands in the address."""
    scope = billing_scope_of(request)
    sells, buys = scope.kind != "company", scope.kind != "platform"
    asked = StatementsListAsked.read(request.GET.dict())
    asked = replace(asked, side="received" if not sells else "issued" if not buys else asked.side)
    running, running_total = _running(scope, asked)
    found = statements(scope, replace(asked.question, state="all" if asked.segment == "open" else asked.segment))
    page = StatementsPage(
        asked=asked,
        found=found,
        running=tuple(running),
        running_total=running_total,
        names=_partners(asked, found),
        zone=zone_of(request.user),
        both_sides=sells and buys,
        sells=sells,
    )
    if page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/statements/list.html", {"page": page})


@require_safe
@never_cache
@login_required
def one_statement(request: HttpRequest, statement_id: int) -> HttpResponse:
    scope = billing_scope_of(request)
    return _show(request, scope, _statement(scope, statement_id))


@require_safe
@never_cache
@login_required
def open_statement(request: HttpRequest, seller_id: int, buyer_id: int) -> HttpResponse:
    """A month that no closed statement holds, as it stands now."""
    scope = billing_scope_of(request)
    every, found = _open(request, scope, seller_id, buyer_id)
    siblings = tuple(
        Sibling(month_words(one.month), open_href(seller_id, buyer_id, one.month), one is found) for one in every
    )
    return _show(request, scope, found, siblings=siblings if len(siblings) > 1 else ())


@require_safe
@never_cache
@login_required
def statement_line(request: HttpRequest, statement_id: int, number: int) -> HttpResponse:
    """The charges that a line adds up, as of the statement's cutoff."""
    scope = billing_scope_of(request)
    found = _statement(scope, statement_id)
    return _show_charges(request, scope, found, number, reverse("portal:statement", args=[statement_id]))


@require_safe
@never_cache
@login_required
def open_statement_line(request: HttpRequest, seller_id: int, buyer_id: int, number: int) -> HttpResponse:
    scope = billing_scope_of(request)
    _every, found = _open(request, scope, seller_id, buyer_id)
    return _show_charges(request, scope, found, number, open_href(seller_id, buyer_id, found.month))


@require_POST
@login_required
def sign_statement_off(request: HttpRequest, statement_id: int) -> HttpResponse:
    """Close it although usage lacks a price."""
    scope = billing_scope_of(request, BILLING_WRITE)
    form = SignOffForm(request.POST)
    visitor = visitor_of(request)

    def act() -> Closing:
        return sign_off(
            scope,
            statement_id,
            reason=form.cleaned_data["reason"],
            by=visitor.person if visitor else "",
            now=clock.now(),
        )

    return _decide(request, scope, statement_id, form, act)


@require_POST
@login_required
def decide_about_late(request: HttpRequest, statement_id: int) -> HttpResponse:
    """Say what becomes of late usage above the threshold, and close."""
    scope = billing_scope_of(request, BILLING_WRITE)
    form = LateForm(request.POST)

    def act() -> Closing:
        return decide_late(scope, statement_id, policy=form.cleaned_data["policy"], now=clock.now())

    return _decide(request, scope, statement_id, form, act)


def billing_scope_of(request: HttpRequest, permission: str = BILLING_READ) -> Scope:
    """Whoever may read, or change, what is billed; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or permission not in visitor.scope.permissions:
        raise Http404
    return visitor.scope


def _running(scope: Scope, asked: StatementsListAsked) -> tuple[list[StatementRow], int]:
    """The open months of the page, and how many there are; where others are shown they are only counted."""
    if asked.side == "issued":
        limit = asked.rows_a_page if asked.segment == "open" else 0
        found = open_months(scope, search=asked.search, offset=asked.offset, limit=limit)
        return [running_row(one) for one in found.items], found.total
    own = scope.organisation_id
    now = clock.now()
    sellers = [seller for seller, held in direct_sellers(scope, own) if now in held]
    names = names_of(platform_scope(), sellers)
    rows = [
        open_row(one, names.get(seller, ""))
        for seller in sellers
        for one in reversed(open_statements(scope, seller, own))
    ]
    return rows[asked.offset : asked.offset + asked.rows_a_page], len(rows)


def _partners(asked: StatementsListAsked, found: StatementPage) -> dict[int, str]:
    """Names of the sellers: a buyer's own rights do not tell them."""
    if asked.side == "issued":
        return {}
    return names_of(platform_scope(), {one.seller_id for one in found.items})


def _statement(scope: Scope, statement_id: int) -> Statement:
    try:
        return statement(scope, statement_id)
    except NotFound:
        raise Http404 from None


def _open(request: HttpRequest, scope: Scope, seller_id: int, buyer_id: int) -> tuple[list[Statement], Statement]:
    """All open months of the pair, and the one that is asked for: without a name the one that runs."""
    try:
        every = open_statements(scope, seller_id, buyer_id)
    except NotFound:
        raise Http404 from None
    if not every:
        raise Http404
    month = month_asked(request.GET.get("month", ""))
    named = [one for one in every if one.month == month]
    return every, (named or every)[-1]


def _show(
    request: HttpRequest,
    scope: Scope,
    found: Statement,
    *,
    siblings: tuple[Sibling, ...] = (),
    form: SignOffForm | LateForm | None = None,
) -> HttpResponse:
    page = _page(request, scope, found, siblings)
    given = {
        "page": page,
        "sign_off": form if isinstance(form, SignOffForm) else SignOffForm(),
        "late": form if isinstance(form, LateForm) else LateForm(),
    }
    return render(request, "portal/statements/statement.html", given, status=UNPROCESSABLE if form else 200)


def _page(request: HttpRequest, scope: Scope, found: Statement, siblings: tuple[Sibling, ...] = ()) -> OneStatementPage:
    names = names_of(platform_scope(), [found.seller_id, found.buyer_id])
    return OneStatementPage(
        found=found,
        seller=names.get(found.seller_id, ""),
        buyer=names.get(found.buyer_id, ""),
        zone=zone_of(request.user),
        unrated=unrated_of(scope, found),
        is_seller=scope.organisation_id == found.seller_id,
        may_write=scope.organisation_id == found.seller_id and BILLING_WRITE in scope.permissions,
        siblings=siblings,
        documents=tuple(invoices_of_statements(scope, [found.id])) if found.id is not None else (),
        waits_for_details=found.state == "closed" and waiting_statement(scope, found.id or 0) is not None,
    )


def _show_charges(request: HttpRequest, scope: Scope, found: Statement, number: int, back: str) -> HttpResponse:
    try:
        line = line_of(found, number)
    except NotFound:
        raise Http404 from None
    charges = charges_of(scope, found, line, after=_read_place(request.GET.get("after", "")))
    following = request.GET.copy()
    if charges.following is not None:
        following["after"] = _place_text(charges.following)
    page = ChargesPage(
        page=_page(request, scope, found),
        line=line,
        charges=charges,
        names=names_of(scope, {one.company_id for one in charges.items}),
        back_href=back,
        next_href=f"?{following.urlencode()}" if charges.following is not None else "",
    )
    return render(request, "portal/statements/charges.html", {"page": page})


def _decide(
    request: HttpRequest,
    scope: Scope,
    statement_id: int,
    form: SignOffForm | LateForm,
    act: Callable[[], Closing],
) -> HttpResponse:
    found = _statement(scope, statement_id)
    if found.seller_id != scope.organisation_id:
        raise Http404
    if not form.is_valid():
        return _show(request, scope, found, form=form)
    try:
        done = act()
    except NotFound:
        raise Http404 from None
    except (Invalid, Clash) as error:
        form.add_error(None, str(error))
        return _show(request, scope, _statement(scope, statement_id), form=form)
    if done.closed:
        messages.success(request, _("The statement is closed."))
    return HttpResponseRedirect(reverse("portal:statement", args=[statement_id]))


def _place_text(place: Place) -> str:
    moment, source, key, number = place
    return f"{instant_text(moment)}~{source}~{key.hex}~{number}"


def _read_place(text: str) -> Place | None:
    """Where a page of charges begins; what cannot be read begins anew."""
    parts = text.split("~")
    if len(text) > _LONGEST_PLACE or len(parts) != 4:
        return None
    try:
        moment, source, number = parse_instant(parts[0]), int(parts[1]), int(parts[3])
        key = UUID(hex=parts[2])
    except (ValueError, Invalid):
        return None
    return (moment, source, key, number) if abs(source) < 2**31 and abs(number) < 2**63 else None
