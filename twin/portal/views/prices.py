"""Prices: own cards and their rates, who pays by them, and what the own seller charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
from twin.companies.rules.ordering import place_of
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, NotFound, TwinError
from twin.kernel.period import instant_text
from twin.metering import actions as metering
from twin.portal.companies_form import MOST_SELLERS
from twin.portal.company_words import clash_words
from twin.portal.price_clashes import ClashNote, clash_note
from twin.portal.prices_form import AssignForm, CardForm, CopyForm, RateForm
from twin.portal.prices_lists import BuyersAsked, CardsAsked, PaidAsked, RatesAsked, meters_named
from twin.portal.prices_page import (
    BUYERS_SHOWN,
    BuyersPage,
    CardPage,
    PricesPage,
    RatesList,
    price_words,
    shortfall_words,
)
from twin.portal.views.companies import seller_scope
from twin.portal.words import moment_words, zone_of
from twin.pricing import actions, queries
from twin.pricing.types import NewRate, RateCard, RateListing

UNPROCESSABLE: Final = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def prices(request: HttpRequest) -> HttpResponse:
    """Own cards, and a form for a new one."""
    scope = seller_scope(request)
    form = CardForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            card = actions.create_rate_card(scope, **form.cleaned_data)
        except TwinError as error:
            _tell(form, error, request)
        else:
            return to_card(card.id)
    asked = CardsAsked.read(request.GET.dict())
    found = queries.card_directory(
        scope, clock.now(), search=asked.search, sort=asked.sort, offset=asked.offset, limit=asked.rows_a_page
    )
    page = PricesPage(asked, found, buys=scope.kind == "reseller", form=form)
    if page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/prices/cards.html", {"page": page}, status=UNPROCESSABLE if form.errors else 200)


@require_safe
@never_cache
@login_required
def prices_paid(request: HttpRequest) -> HttpResponse:
    """By which rates the own seller charges, now and from when others; the platform buys from nobody."""
    scope = seller_scope(request)
    if scope.kind == "platform":
        raise Http404
    asked = PaidAsked.read(request.GET.dict())
    found = queries.rates_paid(
        scope,
        clock.now(),
        search=asked.search,
        meters=meters_named(asked.search),
        state=asked.segment,
        offset=asked.offset,
        limit=asked.rows_a_page,
    )
    page = RatesList(asked, found, zone_of(request.user), _currency(scope))
    if page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/prices/paid.html", {"page": page})


@require_safe
@never_cache
@login_required
def rate_card(request: HttpRequest, card_id: int) -> HttpResponse:
    scope = seller_scope(request)
    return _show(request, scope, own_card(scope, card_id))


@require_POST
@login_required
def add_rate(request: HttpRequest, card_id: int) -> HttpResponse:
    """A new price, of a channel both its meters; what it costs and what stays beside it must be meant."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    form = RateForm(request.POST, zone=zone_of(request.user))
    if not form.is_valid():
        return _show(request, scope, card, rate=form)
    rates = form.rates()
    costs = _what_to_mean(request, scope, card, form, rates)
    if costs is not None:
        return _show(request, scope, card, costs=costs, rate=form)
    try:
        priced = metering.publish_rates(scope, card_id=card.id, rates=rates)
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, clash=clash_note(error, zone_of(request.user)), rate=form)
    said = _("The price is recorded.") + since_words(request, rates[0].effective_from)
    messages.success(request, said + priced_words(priced.priced + priced.pending))
    return to_card(card.id)


def _what_to_mean(
    request: HttpRequest, scope: Scope, card: RateCard, form: RateForm, rates: Sequence[NewRate]
) -> list[str] | None:
    """What has to be ticked before these rates are recorded, the form asking for it; None: nothing."""
    losses = queries.shortfalls(scope, card.id, rates, clock.now())
    charged_on: str = form.cleaned_data["charged_on"]
    free = [rate for rate in rates if len(rates) > 1 and not rate.meter.endswith(charged_on)]
    stay = [one for rate in free for one in queries.more_precise_prices(scope, card.id, rate)]
    asks = False
    if losses:
        form.ask_below_cost()
        asks = not request.POST.get("below_cost")
    if stay:
        form.ask_precise("; ".join(price_words(rate) for rate in stay[:5]) + ("; …" if len(stay) > 5 else ""))
        asks = asks or not request.POST.get("keep_precise")
    return sorted({shortfall_words(loss) for loss in losses.values()}) if asks else None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def assign(request: HttpRequest, card_id: int) -> HttpResponse:
    """Who pays by this card; let a company pay by it from an instant on."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    if request.method != "POST":
        return _show_buyers(request, scope, card)
    form = AssignForm(request.POST, buyers=buyers_of(scope), zone=zone_of(request.user))
    if not form.is_valid():
        return _show(request, scope, card, assign=form)
    given = form.cleaned_data
    start: datetime = given["effective_from"] or clock.now()
    try:
        done = metering.assign_rate_card(scope, buyer_id=given["buyer_id"], card_id=card.id, effective_from=start)
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, clash=clash_note(error, zone_of(request.user)), assign=form)
    said = _("The company pays by this card.") + since_words(request, start)
    messages.success(request, said + priced_words(done.priced + done.pending))
    return to_card(card.id)


@require_POST
@login_required
def copy(request: HttpRequest, card_id: int) -> HttpResponse:
    """A new card with the present prices of this one, changed by a percentage."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    form = CopyForm(request.POST)
    if not form.is_valid():
        return _show(request, scope, card, copy=form)
    try:
        made = actions.copy_card(scope, card_id=card.id, at=clock.now(), **form.cleaned_data)
    except TwinError as error:
        _tell(form, error, request)
        return _show(request, scope, card, copy=form)
    messages.success(request, _("The card is copied."))
    return to_card(made.id)


@require_POST
@login_required
def make_default(request: HttpRequest, card_id: int) -> HttpResponse:
    scope = seller_scope(request)
    try:
        actions.make_default(scope, card_id=card_id)
    except NotFound:
        raise Http404 from None
    messages.success(request, _("New companies start with this card."))
    return to_card(card_id)


def own_card(scope: Scope, card_id: int) -> RateCard:
    """A card of the asker; others are not there."""
    try:
        return queries.get_card(scope, card_id)
    except NotFound:
        raise Http404 from None


def buyers_of(scope: Scope) -> list[Company]:
    """Who may be given a card, by name; of very many as many as show that there is no list to choose from."""
    found = companies.children(scope, scope.organisation_id, limit=MOST_SELLERS + 1)
    return sorted(found, key=lambda one: (place_of(one.name), one.id))


def _currency(scope: Scope) -> str:
    return companies.get_company(scope, scope.organisation_id).currency


def to_card(card_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("portal:rate_card", args=[card_id]))


def since_words(request: HttpRequest, start: datetime) -> str:
    """From when it counts, as it was understood."""
    whole = start.replace(microsecond=0)
    words = {"moment": moment_words(whole, zone_of(request.user)), "instant": instant_text(whole)}
    return " " + _("It counts from %(moment)s (%(instant)s) on.") % words


def priced_words(number: int) -> str:
    """How much usage had waited for a price; empty for none."""
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
    elif clash_note(error, zone_of(request.user)) is None:
        form.add_error(None, clash_words(error, zone_of(request.user)))
    else:
        form.add_error(None, _("Choose a later time."))


def _invalid_words(error: Invalid) -> str:
    named = {str(problem.loc[-1]) for problem in error.errors if problem.loc}
    if "name" in named:
        return _("Write 1 to 200 characters, without line breaks.")
    if named & {"unit_price", "setup_fee"}:
        return _("A price would be larger than can be stored. Choose a lower percentage.")
    return _("This cannot be recorded. Check the company, the attributes and the time.")


def _show(
    request: HttpRequest,
    scope: Scope,
    card: RateCard,
    costs: Sequence[str] = (),
    clash: ClashNote | None = None,
    **refused: forms.Form,
) -> HttpResponse:
    zone, at = zone_of(request.user), clock.now()
    asked = replace(RatesAsked.read(request.GET.dict()), card_id=card.id)
    page = CardPage(
        card=card,
        asked=asked,
        list=RatesList(asked, _rates(scope, asked, at), zone, _currency(scope)),
        buyers=queries.buyers_of_card(scope, card.id, at, limit=BUYERS_SHOWN),
        rate_form=refused.get("rate") or RateForm(zone=zone, initial=_asked_for(request)),
        assign_form=refused.get("assign") or AssignForm(buyers=buyers_of(scope), zone=zone, auto_id="assign_%s"),
        copy_form=refused.get("copy") or CopyForm(auto_id="copy_%s"),
        costs=costs,
        clash=clash,
    )
    if page.list.pager.is_beyond:
        return HttpResponseRedirect(page.list.pager.last_href)
    shown = {"page": page, "refused": next(iter(refused), "")}
    return render(request, "portal/prices/card.html", shown, status=UNPROCESSABLE if refused else 200)


def _rates(scope: Scope, asked: RatesAsked, at: datetime) -> RateListing:
    return queries.rates_listed(
        scope,
        asked.card_id,
        at,
        search=asked.search,
        meters=meters_named(asked.search),
        state=asked.segment,
        offset=asked.offset,
        limit=asked.rows_a_page,
    )


def _show_buyers(request: HttpRequest, scope: Scope, card: RateCard) -> HttpResponse:
    asked = replace(BuyersAsked.read(request.GET.dict()), card_id=card.id)
    found = queries.buyers_of_card(
        scope,
        card.id,
        clock.now(),
        search=asked.search,
        state=asked.segment,
        offset=asked.offset,
        limit=asked.rows_a_page,
    )
    page = BuyersPage(card, asked, found, zone_of(request.user))
    if page.pager.is_beyond:
        return HttpResponseRedirect(page.pager.last_href)
    return render(request, "portal/prices/buyers.html", {"page": page})


def _asked_for(request: HttpRequest) -> dict[str, str]:
    """What the address proposes for a new rate."""
    return {name: request.GET[name][:1_200] for name in ("meter", "selector", "effective_from") if name in request.GET}
