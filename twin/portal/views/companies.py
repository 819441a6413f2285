"""Companies: what lies beneath a reseller or the platform; creating, editing, blocking, closing, moving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.billing.queries.balances import balances_of
from twin.billing.types import Balance
from twin.companies import actions, queries
from twin.companies.queries import Directory
from twin.companies.rules.acting import may_act_for
from twin.companies.types import BILLING_READ, BILLING_WRITE, Company, Scope
from twin.kernel import clock
from twin.kernel.addresses import address_of
from twin.kernel.errors import Invalid, NotFound, TwinError
from twin.metering import actions as metering
from twin.portal import reauthentication
from twin.portal.balance_form import AccountForm
from twin.portal.balance_page import Facts
from twin.portal.companies_form import CreateForm, DetailsForm, MoveForm, StateForm
from twin.portal.companies_page import CompaniesAsked, CompaniesPage, OneCompanyPage
from twin.portal.company_words import clash_words, kind_words, problems_in
from twin.portal.visitor import visitor_of
from twin.portal.words import moment_words, zone_of
from twin.pricing import actions as pricing
from twin.pricing.queries import cards_of_buyers

UNPROCESSABLE: Final = 422
Act = Callable[[Scope, Company], str]


@require_safe
@never_cache
@login_required
def companies(request: HttpRequest) -> HttpResponse:
    """The list; its whole state stands in the address. A page beyond the last leads to the last."""
    scope = seller_scope(request)
    asked = CompaniesAsked.read(request.GET.dict())
    found = queries.directory(scope, search=asked.search, state=asked.segment, sort=asked.sort, offset=asked.offset)
    page = CompaniesPage(asked, found, cards_of_buyers(scope, clock.now()), scope, balances_shown(scope, found))
    if asked.page > page.last_page:
        return HttpResponseRedirect(page.last_href)
    return render(request, "portal/companies/list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """A company and the invitation of its first administrator, both or neither."""
    scope = seller_scope(request)
    form = CreateForm(
        request.POST if request.method == "POST" else None,
        sellers=queries.sellers(scope),
        own_id=scope.organisation_id,
        initial={"time_zone": zone_of(request.user).key},
    )
    if request.method == "POST" and form.is_valid():
        reauthentication.require(request)
        company = _created(request, scope, form)
        if company is not None:
            return HttpResponseRedirect(reverse("portal:one_company", args=[company.id]))
    return render(request, "portal/companies/create.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@require_safe
@never_cache
@login_required
def one_company(request: HttpRequest, company_id: int) -> HttpResponse:
    """One company beneath, and what may be done about it."""
    scope = seller_scope(request)
    return _show(request, scope, _beneath(scope, company_id))


@require_POST
@login_required
def edit(request: HttpRequest, company_id: int) -> HttpResponse:
    form = DetailsForm(request.POST)

    def act(scope: Scope, company: Company) -> str:
        given = form.cleaned_data
        wanted = {**given, "external_id": given["external_id"] or None}
        changes = {name: value for name, value in wanted.items() if getattr(company, name) != value}
        if changes:
            actions.update_company(scope, company.id, **changes)
        return _("Saved.")

    return _carry_out(request, company_id, form, "details", act)


@require_POST
@login_required
def make_reseller(request: HttpRequest, company_id: int) -> HttpResponse:
    def act(scope: Scope, company: Company) -> str:
        actions.update_company(scope, company.id, kind="reseller")
        return _("%(company)s is a reseller now.") % {"company": company.name}

    return _carry_out(request, company_id, forms.Form(request.POST), "", act)


@require_POST
@login_required
def block(request: HttpRequest, company_id: int) -> HttpResponse:
    """People of the company read why; its keys are refused, what its seller sends for it is still recorded."""
    return _change_state(request, company_id, "blocked", _("The company is blocked."))


@require_POST
@login_required
def close(request: HttpRequest, company_id: int) -> HttpResponse:
    return _change_state(request, company_id, "closed", _("The company is closed."))


@require_POST
@login_required
def activate(request: HttpRequest, company_id: int) -> HttpResponse:
    def act(scope: Scope, company: Company) -> str:
        actions.update_company(scope, company.id, state="active")
        return _("The company is active again.")

    return _carry_out(request, company_id, forms.Form(request.POST), "", act)


@require_POST
@login_required
def move(request: HttpRequest, company_id: int) -> HttpResponse:
    """Only the platform puts a company under another seller."""
    scope = seller_scope(request)
    if scope.kind != "platform":
        raise Http404
    form = MoveForm(request.POST, sellers=queries.sellers(scope), zone=zone_of(request.user))

    def act(scope: Scope, company: Company) -> str:
        parent_id, start = form.cleaned_data["parent_id"], form.cleaned_data["effective_from"] or clock.now()
        metering.move_company(scope, company_id=company.id, parent_id=parent_id, effective_from=start)
        return _("The company changes its seller at %(moment)s.") % {
            "moment": moment_words(start.replace(microsecond=0), zone_of(request.user))
        }

    return _carry_out(request, company_id, form, "move", act)


def _account(scope: Scope, company: Company) -> dict[str, Any]:
    """Where a buyer of the asker stands, and the form of its terms."""
    may_read = BILLING_READ in scope.permissions and company.parent_id == scope.organisation_id
    found = balances_of(scope, [company.id]).get(company.id) if may_read else None
    if found is None:
        return {}
    may_write = BILLING_WRITE in scope.permissions
    form = AccountForm(auto_id="terms_%s", account=found.account, currency=found.currency) if may_write else None
    return {"facts": Facts(found), "terms_form": form}


def balances_shown(scope: Scope, found: Directory) -> dict[int, Balance]:
    own = [one.id for one in found.items if one.seller_id == scope.organisation_id]
    return balances_of(scope, own) if own and BILLING_READ in scope.permissions else {}


def seller_scope(request: HttpRequest) -> Scope:
    """Administrators of resellers and of the platform; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.manages_companies:
        raise Http404
    return visitor.scope


def _beneath(scope: Scope, company_id: int) -> Company:
    """The own company has its window; here are those beneath."""
    try:
        company = queries.get_company(scope, company_id)
    except NotFound:
        raise Http404 from None
    if company.id == scope.organisation_id:
        raise Http404
    return company


def _created(request: HttpRequest, scope: Scope, form: CreateForm) -> Company | None:
    """The new company; None when the form says what stands in the way."""
    given, address = form.cleaned_data, address_of(request)
    try:
        with transaction.atomic():
            company = pricing.create_company(
                scope,
                name=given["name"],
                kind=given["kind"],
                parent_id=given.get("parent_id"),
                time_zone=given["time_zone"],
                external_id=given["external_id"] or None,
            )
            invited = {"name": given["admin_name"], "email": given["admin_email"], "role": "administrator"}
            actions.invite_person(scope, company_id=company.id, address=address, **invited)
    except TwinError as error:
        _tell(form, error, zone_of(request.user))
        return None
    messages.success(request, _("The company is created. An invitation is on its way to its administrator."))
    return company


def _tell(form: forms.Form, error: TwinError, zone: ZoneInfo) -> None:
    """The refusal by the field it is about, else above the form."""
    if isinstance(error, NotFound) and "parent_id" in form.fields:
        form.add_error("parent_id", _("There is no such company."))
        return
    if not isinstance(error, Invalid):
        form.add_error(None, clash_words(error, zone))
        return
    for name, problem in problems_in(error).items():
        # The address is the administrator's, whose field here has a longer name.
        field = {"email": "admin_email"}.get(name, name)
        form.add_error(field if field in form.fields else None, problem)


def _change_state(request: HttpRequest, company_id: int, state: str, done: str) -> HttpResponse:
    form = StateForm(request.POST, auto_id=f"{state}_%s")

    def act(scope: Scope, company: Company) -> str:
        reason = form.cleaned_data["reason"]
        actions.update_company(scope, company.id, state=state, reason=reason)
        return done

    return _carry_out(request, company_id, form, state, act)


def _carry_out(request: HttpRequest, company_id: int, form: forms.Form, name: str, act: Act) -> HttpResponse:
    """Do it and come back to the company; a refusal is told there, in the form it belongs to."""
    scope = seller_scope(request)
    company = _beneath(scope, company_id)
    if not form.is_valid():
        return _show(request, scope, company, **{name: form})
    try:
        with transaction.atomic():
            done = act(scope, company)
    except TwinError as error:
        if not name:
            messages.error(request, clash_words(error, zone_of(request.user)))
            return HttpResponseRedirect(reverse("portal:one_company", args=[company_id]))
        _tell(form, error, zone_of(request.user))
        return _show(request, scope, company, **{name: form})
    messages.success(request, done)
    return HttpResponseRedirect(reverse("portal:one_company", args=[company_id]))


def _show(request: HttpRequest, scope: Scope, company: Company, **refused: forms.Form) -> HttpResponse:
    zone = zone_of(request.user)
    initial: dict[str, Any] = {name: getattr(company, name) or "" for name in DetailsForm.base_fields}
    is_platform = scope.kind == "platform"
    move = MoveForm(sellers=queries.sellers(scope), zone=zone, initial={"parent_id": company.parent_id})
    held = cards_of_buyers(scope, clock.now()).get(company.id) if company.parent_id == scope.organisation_id else None
    page = OneCompanyPage(
        company=company,
        seller=queries.get_company(scope, company.parent_id).name if company.parent_id else "",
        kind=kind_words(company.kind),
        card=held.name if held else "",
        is_seller=company.parent_id == scope.organisation_id,
        since=moment_words(company.existed_from.replace(microsecond=0), zone) if company.existed_from else "",
        closed_since=moment_words(company.closed_at.replace(microsecond=0), zone) if company.closed_at else "",
        details_form=refused.get("details") or DetailsForm(initial=initial),
        block_form=refused.get("blocked") or StateForm(auto_id="blocked_%s"),
        close_form=refused.get("closed") or StateForm(auto_id="closed_%s"),
        move_form=(refused.get("move") or move) if is_platform else None,
        may_act_for=may_act_for(scope, company),
        **_account(scope, company),
    )
    status = UNPROCESSABLE if refused else 200
    return render(request, "portal/companies/company.html", {"page": page}, status=status)
