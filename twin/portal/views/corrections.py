"""Corrections: what is charged otherwise than it should be, looked at on both sides, decided, done."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.companies import queries as companies
from twin.companies.types import BILLING_WRITE, PRICES_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import NotFound, TwinError
from twin.metering import actions, queries
from twin.metering.errors import ReratingUndecidable
from twin.metering.types import NewAssignment, NewPrices, Rerating
from twin.portal.corrections_form import CorrectionForm, ReasonForm
from twin.portal.corrections_page import CorrectionPage, CorrectionsPage
from twin.portal.price_trial_page import local_text, usual_period
from twin.portal.prices_form import AssignForm, RateForm
from twin.portal.views.companies import seller_scope
from twin.portal.views.prices import buyers_of, own_card
from twin.portal.visitor import acting_of, own_visitor_of, visitor_of
from twin.portal.words import zone_of
from twin.pricing import queries as pricing

UNPROCESSABLE: Final = 422
# Some seconds' work; the job does what is longer.
_EVENTS_AT_ONCE: Final = 100_000


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def corrections(request: HttpRequest) -> HttpResponse:
    """What was corrected so far; asking what the prices of now would change of a time's charges."""
    scope = seller_scope(request)
    above = _above(request, scope)
    form = _form(request, scope, above)
    if request.method == "POST" and form.is_valid():
        run = actions.ask_rerating(
            scope,
            period=form.period,
            buyer_id=form.cleaned_data["buyer_id"],
            meters=form.meters,
            above=above if form.cleaned_data.get("both") else None,
            by=_name(request),
        )
        return _counted(run)
    page = CorrectionsPage(queries.reratings(scope), form, zone_of(request.user), _currency(scope))
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "portal/corrections/list.html", {"page": page}, status=status)


@require_POST
@login_required
def correct_rate(request: HttpRequest, card_id: int) -> HttpResponse:
    """What a price that clashes with charges would change, were they corrected by it."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    form = RateForm(request.POST, zone=zone_of(request.user))
    if not form.is_valid():
        return HttpResponseRedirect(reverse("portal:rate_card", args=[card.id]))
    prices = NewPrices(card.id, tuple(form.rates()))
    return _counted(actions.ask_rerating(scope, prices=prices, by=_name(request)))


@require_POST
@login_required
def correct_assignment(request: HttpRequest, card_id: int) -> HttpResponse:
    """What a card given from a time on would change, were what is charged since corrected by it."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    form = AssignForm(request.POST, buyers=buyers_of(scope), zone=zone_of(request.user))
    if not form.is_valid():
        return HttpResponseRedirect(reverse("portal:rate_card", args=[card.id]))
    start: datetime = form.cleaned_data["effective_from"] or clock.now()
    given = NewAssignment(form.cleaned_data["buyer_id"], card.id, start)
    return _counted(actions.ask_rerating(scope, assignment=given, by=_name(request)))


@require_safe
@never_cache
@login_required
def correction(request: HttpRequest, rerating_id: int) -> HttpResponse:
    """One correction, what it changes on either side, and the decision."""
    scope = seller_scope(request)
    return _show(request, scope, _own(scope, rerating_id))


@require_POST
@login_required
def decide(request: HttpRequest, rerating_id: int) -> HttpResponse:
    """Correct the charges as previewed, with a reason."""
    scope = seller_scope(request)
    run = _own(scope, rerating_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, scope, run, form)
    above = _above(request, scope) if run.above_id is not None else None
    try:
        actions.decide_rerating(
            scope, rerating_id=run.id, reason=form.cleaned_data["reason"], above=above, by=_name(request)
        )
    except ReratingUndecidable:
        form.add_error(None, _("This preview is outdated: prices or charges may have changed. Count it again."))
        return _show(request, scope, run, form)
    except TwinError as error:
        form.add_error("reason", str(error))
        return _show(request, scope, run, form)
    if actions.carry_out(run.id, at_most=_EVENTS_AT_ONCE):
        messages.success(request, _("The charges are corrected."))
    return _to(run.id)


@require_POST
@login_required
def discard(request: HttpRequest, rerating_id: int) -> HttpResponse:
    """Leave the charges as they are."""
    return _put_back(request, rerating_id, recount=False)


@require_POST
@login_required
def recount(request: HttpRequest, rerating_id: int) -> HttpResponse:
    """Count the preview again."""
    return _put_back(request, rerating_id, recount=True)


def _put_back(request: HttpRequest, rerating_id: int, *, recount: bool) -> HttpResponse:
    scope = seller_scope(request)
    run = _own(scope, rerating_id)
    act = actions.recount_rerating if recount else actions.discard_rerating
    try:
        run = act(scope, rerating_id=run.id)
    except ReratingUndecidable:
        messages.warning(request, _("This correction was decided: nothing of it can be taken back."))
        return _to(run.id)
    return _counted(run) if recount else HttpResponseRedirect(reverse("portal:corrections"))


def _counted(run: Rerating) -> HttpResponse:
    actions.count_preview(run.id, at_most=_EVENTS_AT_ONCE)
    return _to(run.id)


def _show(request: HttpRequest, scope: Scope, run: Rerating, form: ReasonForm | None = None) -> HttpResponse:
    figures = run.figures or run.preview
    lines = figures.by_rate if figures else ()
    ids = {line.company_id for line in figures.by_company} if figures else set()
    ids |= {one for one in (run.buyer_id, run.company_id) if one is not None}
    names = companies.names_of(scope, ids)
    home = own_visitor_of(request)
    if run.above_id is not None and home is not None and home.employment.company_id == run.above_id:
        names = {**names, run.above_id: home.company_name}
    page = CorrectionPage(
        run=run,
        form=form or ReasonForm(),
        zone=zone_of(request.user),
        currency=_currency(scope),
        names=names,
        rates=queries.rates_named(scope, {rate for line in lines for rate in (line.old_rate, line.new_rate)}),
        card=_card_name(scope, run),
    )
    status = UNPROCESSABLE if form is not None and form.errors else 200
    return render(request, "portal/corrections/one.html", {"page": page}, status=status)


def _card_name(scope: Scope, run: Rerating) -> str:
    change = run.prices or run.assignment
    return pricing.get_card(scope, change.card_id).name if change else ""


def _form(request: HttpRequest, scope: Scope, above: Scope | None) -> CorrectionForm:
    zone = zone_of(request.user)
    usual = usual_period(clock.now(), zone)
    bounds = {"from": local_text(usual.start, zone), "to": local_text(usual.end, zone)}
    home = own_visitor_of(request)
    return CorrectionForm(
        request.POST if request.method == "POST" else None,
        zone=zone,
        buyers=buyers_of(scope),
        above=home.company_name if above is not None and home is not None else "",
        initial=bounds,
    )


def _above(request: HttpRequest, scope: Scope) -> Scope | None:
    """The scope of the own seller, where the person comes from there and acts here: it decides for both edges."""
    home = own_visitor_of(request)
    if acting_of(request) is None or home is None or home.scope is None:
        return None
    parent = companies.get_company(scope, scope.organisation_id).parent_id
    holds = {PRICES_WRITE, BILLING_WRITE} <= home.scope.permissions
    return home.scope if holds and home.scope.organisation_id == parent else None


def _own(scope: Scope, rerating_id: int) -> Rerating:
    try:
        return queries.rerating(scope, rerating_id)
    except NotFound:
        raise Http404 from None


def _name(request: HttpRequest) -> str:
    visitor = visitor_of(request)
    return visitor.person if visitor is not None else ""


def _currency(scope: Scope) -> str:
    return companies.get_company(scope, scope.organisation_id).currency


def _to(rerating_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("portal:correction", args=[rerating_id]))
