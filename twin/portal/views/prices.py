"""Prices: own cards and their rates, who pays by them, and what the own seller charges."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from typing import Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.companies import queries as companies
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, NotFound, TwinError
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.metering import actions as metering
from twin.portal.company_words import clash_words
from twin.portal.prices_form import AssignForm, CardForm, CopyForm, RateForm
from twin.portal.prices_page import CardPage, PricesPage, card_rows, changed_by, cost_above, rate_rows
from twin.portal.views.companies import seller_scope
from twin.portal.words import zone_of
from twin.pricing import actions, queries
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import RateCard
from twin.reports.rules.cells import harmless

UNPROCESSABLE: Final = 422
_HEADER: Final = (
    *("meter", "selector", "unit_price", "per", "minimum", "increment", "setup_fee", "effective_from", "recorded_as"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def prices(request: HttpRequest) -> HttpResponse:
    """Own cards, a form for a new one, and the rates by which the own seller charges now."""
    scope = seller_scope(request)
    form = CardForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            card = actions.create_rate_card(scope, **form.cleaned_data)
        except TwinError as error:
            _tell(form, error, request)
        else:
            return _to(card.id)
    at = clock.now()
    held = Counter(card.id for card in queries.cards_of_buyers(scope, at).values())
    cards = queries.list_cards(scope)
    rates = {card.id: len(queries.rates_of(scope, card.id)) for card in cards}
    page = PricesPage(
        cards=card_rows(cards, held, rates),
        bought=rate_rows(queries.prices_in_force(scope, at).paid, at, zone_of(request.user)),
        buys=scope.kind == "reseller",
        currency=_currency(scope),
        form=form,
    )
    return render(request, "portal/prices/cards.html", {"page": page}, status=UNPROCESSABLE if form.errors else 200)


@require_safe
@never_cache
@login_required
def rate_card(request: HttpRequest, card_id: int) -> HttpResponse:
    scope = seller_scope(request)
    return _show(request, scope, _own(scope, card_id))


@require_POST
@login_required
def add_rate(request: HttpRequest, card_id: int) -> HttpResponse:
    """A new rate; under the cost only when it is ticked that this is meant."""
    scope = seller_scope(request)
    card = _own(scope, card_id)
    form = RateForm(request.POST, zone=zone_of(request.user))
    if not form.is_valid():
        return _show(request, scope, card, rate=form)
    rate = form.rate()
    cost = cost_above(rate, queries.prices_in_force(scope, rate.effective_from).paid)
    if cost and not request.POST.get("below_cost"):
        form.ask_below_cost()
        return _show(request, scope, card, cost=cost, rate=form)
    try:
        priced = metering.publish_rates(scope, card_id=card.id, rates=[rate])
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, rate=form)
    messages.success(request, _("The price is recorded.") + _priced_words(priced.priced + priced.pending))
    return _to(card.id)


@require_POST
@login_required
def assign(request: HttpRequest, card_id: int) -> HttpResponse:
    """Let a company pay by this card from an instant on."""
    scope = seller_scope(request)
    card = _own(scope, card_id)
    form = AssignForm(request.POST, buyers=_buyers(scope), zone=zone_of(request.user))
    if not form.is_valid():
        return _show(request, scope, card, assign=form)
    given = form.cleaned_data
    start: datetime = given["effective_from"] or clock.now()
    try:
        done = metering.assign_rate_card(scope, buyer_id=given["buyer_id"], card_id=card.id, effective_from=start)
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, assign=form)
    messages.success(request, _("The company pays by this card.") + _priced_words(done.priced + done.pending))
    return _to(card.id)


@require_POST
@login_required
def copy(request: HttpRequest, card_id: int) -> HttpResponse:
    """A new card with the present prices of this one, changed by a percentage."""
    scope = seller_scope(request)
    card = _own(scope, card_id)
    form = CopyForm(request.POST)
    if not form.is_valid():
        return _show(request, scope, card, copy=form)
    at = clock.now()
    rates = changed_by(queries.rates_of(scope, card.id), form.cleaned_data["percent"], at)
    try:
        made = actions.create_rate_card(scope, name=form.cleaned_data["name"])
        if rates:
            metering.publish_rates(scope, card_id=made.id, rates=rates)
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, copy=form)
    messages.success(request, _("The card is copied."))
    return _to(made.id)


@require_POST
@login_required
def make_default(request: HttpRequest, card_id: int) -> HttpResponse:
    scope = seller_scope(request)
    try:
        actions.make_default(scope, card_id=card_id)
    except NotFound:
        raise Http404 from None
    messages.success(request, _("New companies start with this card."))
    return _to(card_id)


@require_safe
@never_cache
@login_required
def rates_file(request: HttpRequest, card_id: int) -> HttpResponse:
    """Every rate ever recorded on the card, as CSV with a point and UTC instants."""
    scope = seller_scope(request)
    card = _own(scope, card_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rates-{card.id}.csv"'
    rows = csv.writer(response)
    rows.writerow(_HEADER)
    for rate in queries.rates_of(scope, card.id):
        terms = rate.terms
        rows.writerow(
            [
                METER_BY_ID[rate.meter_id].code,
                harmless(" ".join(f"{name}={value}" for name, value in rate.selector)),
                amount_text(terms.unit_price_nano),
                terms.per,
                terms.minimum,
                terms.increment,
                amount_text(terms.setup_fee_nano),
                instant_text(rate.effective_from),
                rate.id,
            ]
        )
    return response


def _own(scope: Scope, card_id: int) -> RateCard:
    try:
        return queries.get_card(scope, card_id)
    except NotFound:
        raise Http404 from None


def _buyers(scope: Scope) -> list[Company]:
    found = companies.children(scope, scope.organisation_id)
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _currency(scope: Scope) -> str:
    return companies.get_company(scope, scope.organisation_id).currency


def _to(card_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("portal:rate_card", args=[card_id]))


def _priced_words(number: int) -> str:
    if not number:
        return ""
    return " " + ngettext(
        "%(n)s event that waited for it has its price now.",
        "%(n)s events that waited for it have their price now.",
        number,
    ) % {"n": number}


def _tell(form: forms.Form, error: TwinError, request: HttpRequest) -> None:
    if isinstance(error, NotFound) and "buyer_id" in form.fields:
        form.add_error("buyer_id", _("There is no such company."))
    elif isinstance(error, Invalid):
        form.add_error(None, _invalid_words(error))
    else:
        form.add_error(None, clash_words(error, zone_of(request.user)))


def _invalid_words(error: Invalid) -> str:
    named = {str(problem.loc[-1]) for problem in error.errors if problem.loc}
    if "name" in named:
        return _("Write 1 to 200 characters, without line breaks.")
    return _("This cannot be recorded. Check the company, the attributes and the time.")


def _show(request: HttpRequest, scope: Scope, card: RateCard, cost: str = "", **refused: forms.Form) -> HttpResponse:
    zone, at = zone_of(request.user), clock.now()
    buyers = _buyers(scope)
    held = queries.cards_of_buyers(scope, at)
    page = CardPage(
        card=card,
        rates=rate_rows(queries.rates_of(scope, card.id), at, zone),
        buyers=[one for one in buyers if one.id in held and held[one.id].id == card.id],
        currency=_currency(scope),
        rate_form=refused.get("rate") or RateForm(zone=zone, initial=_asked_for(request)),
        assign_form=refused.get("assign") or AssignForm(buyers=buyers, zone=zone, auto_id="assign_%s"),
        copy_form=refused.get("copy") or CopyForm(auto_id="copy_%s"),
        cost=cost,
    )
    return render(request, "portal/prices/card.html", {"page": page}, status=UNPROCESSABLE if refused else 200)


def _asked_for(request: HttpRequest) -> dict[str, str]:
    """What the address proposes for a new rate."""
    return {name: request.GET[name][:600] for name in ("meter", "selector", "effective_from") if name in request.GET}
