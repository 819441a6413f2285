"""Other prices tried on the usage of a card's buyers; nothing is recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from twin.companies import queries as companies
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid
from twin.kernel.period import Period
from twin.metering.queries import trial_of
from twin.metering.types import Trial
from twin.portal.price_trial_page import TrialForm, TrialPage, local_text, offered_uses, tried_prices, usual_period
from twin.portal.views.companies import seller_scope
from twin.portal.views.price_files import check_file, given_text
from twin.portal.views.prices import own_card
from twin.portal.words import zone_of
from twin.pricing.queries import rates_of
from twin.pricing.rules.copying import changed_by
from twin.pricing.types import NewRate, Rate, RateCard

UNPROCESSABLE: Final = 422
_LONGEST_ID: Final = 10


@dataclass(frozen=True)
class _Asked:
    """One look at a card: its rates, the period, and the prices of a file where one was given."""

    scope: Scope
    card: RateCard
    rates: Mapping[int, Rate]
    given: Mapping[str, str]
    of_file: Sequence[NewRate]
    content: str


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def card_trial(request: HttpRequest, card_id: int) -> HttpResponse:
    """What the buyers of a card paid in a period, last month unless asked, and would have paid by other prices."""
    scope = seller_scope(request)
    asked = _asked(request, scope, own_card(scope, card_id))
    zone, now = zone_of(request.user), clock.now()
    form = TrialForm(asked.given, zone=zone, rates=_named(asked))
    period = form.period if form.is_valid() else usual_period(now, zone)
    tried = _prices(form, asked) if form.is_valid() else []
    trial = _trial(form, asked, period, tried)
    offered = [] if asked.of_file else [asked.rates[use.rate_id] for use in offered_uses(trial, asked.rates)]
    form.offer(offered)
    page = TrialPage(
        card=asked.card,
        form=form,
        zone=zone,
        period=period,
        currency=companies.get_company(scope, scope.organisation_id).currency,
        has_seller=scope.kind == "reseller",
        trial=trial,
        rates=asked.rates,
        tried=tried,
        names=companies.names_of(scope, {line.buyer_id for line in trial.lines}),
        now=now,
        content=asked.content,
    )
    return render(request, "portal/prices/trial.html", {"page": page}, status=UNPROCESSABLE if form.errors else 200)


def _asked(request: HttpRequest, scope: Scope, card: RateCard) -> _Asked:
    zone = zone_of(request.user)
    usual = usual_period(clock.now(), zone)
    given = request.POST.dict() if request.method == "POST" else request.GET.dict()
    text = given_text(request) if request.method == "POST" else ""
    content = text if isinstance(text, str) else ""
    of_file = [one.rate for one in check_file(request, scope, card, content).plan] if content else []
    bounds = {"from": local_text(usual.start, zone), "to": local_text(usual.end, zone)}
    known = {rate.id: rate for rate in rates_of(scope, card.id)}
    return _Asked(
        scope, card, known, {**bounds, **{name: text for name, text in given.items() if text}}, of_file, content
    )


def _named(asked: _Asked) -> list[Rate]:
    """The rates for which the address names another price; usage is read once, so they are known before it."""
    named = (name.removeprefix("price_") for name in asked.given if name.startswith("price_"))
    ids = {int(number) for number in named if number.isascii() and number.isdigit() and len(number) < _LONGEST_ID}
    return [asked.rates[number] for number in sorted(ids) if number in asked.rates]


def _prices(form: TrialForm, asked: _Asked) -> list[NewRate]:
    """The prices of the file, else what the form changes."""
    if asked.of_file:
        return list(asked.of_file)
    percent: Decimal | None = form.cleaned_data["percent"]
    changed = changed_by(asked.rates.values(), percent, form.period.end) if percent is not None else []
    return tried_prices(form, changed, _named(asked))


def _trial(form: TrialForm, asked: _Asked, period: Period, rates: Sequence[NewRate]) -> Trial:
    try:
        return trial_of(asked.scope, asked.card.id, period, rates)
    except Invalid:
        form.add_error(None, _("There is too much usage to be tried at once. Choose a shorter period."))
        return Trial((), ())
