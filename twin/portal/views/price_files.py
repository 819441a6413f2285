"""Prices as a file: all of a card to take away, and a file to look at line by line and then record as a whole."""

from __future__ import annotations

import csv
from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from twin.companies import queries as companies
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.errors import Clash, Invalid
from twin.metering import actions as metering
from twin.metering.queries import rate_clashes
from twin.portal.price_import_page import Checked, ImportPage, time_reader
from twin.portal.rules.figures import count_text
from twin.portal.views.companies import seller_scope
from twin.portal.views.prices import own_card, priced_words, to_card
from twin.portal.words import zone_of
from twin.pricing import queries
from twin.pricing.rules.rate_files import HEADER, LARGEST_FILE, Problem, RateFile, cells_of, read_rates, text_of
from twin.pricing.rules.rate_imports import planned
from twin.pricing.types import RateCard

UNPROCESSABLE: Final = 422


@require_safe
@never_cache
@login_required
def rates_file(request: HttpRequest, card_id: int) -> HttpResponse:
    """Every rate ever recorded on the card, as CSV with a point and UTC instants; it can be imported as it is."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    # With its mark, by which spreadsheets know UTF-8.
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="rates-{card.id}.csv"'
    rows = csv.writer(response)
    rows.writerow(HEADER)
    rows.writerows(cells_of(rate) for rate in queries.rates_of(scope, card.id))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def rates_import(request: HttpRequest, card_id: int) -> HttpResponse:
    """A file is looked at first; what was looked at is recorded by one press, whole or not at all."""
    scope = seller_scope(request)
    card = own_card(scope, card_id)
    page = ImportPage(card, zone_of(request.user), companies.get_company(scope, scope.organisation_id).currency)
    if request.method != "POST":
        return render(request, "portal/prices/import.html", {"page": page})
    text = given_text(request)
    checked = check_file(request, scope, card, text)
    if "confirm" in request.POST and _may_record(request, checked) and _record(request, scope, card, checked):
        return to_card(card.id)
    if "confirm" in request.POST:
        # Somebody else may have recorded prices, or usage may have come, since the file was looked at.
        checked = check_file(request, scope, card, text)
    shown = ImportPage(
        card,
        page.zone,
        page.currency,
        checked,
        content=text if isinstance(text, str) else "",
        asks_again="confirm" in request.POST,
    )
    status = UNPROCESSABLE if checked.has_errors or shown.asks_again else 200
    return render(request, "portal/prices/import.html", {"page": shown}, status=status)


def given_text(request: HttpRequest) -> str | Problem:
    """The uploaded file, or the text that was looked at before."""
    upload = request.FILES.get("file")
    if upload is None:
        return request.POST.get("content", "")
    if upload.size is None or upload.size > LARGEST_FILE:
        return Problem("too_large")
    return text_of(upload.read())


def check_file(request: HttpRequest, scope: Scope, card: RateCard, text: str | Problem) -> Checked:
    """What recording the text would mean; nothing is recorded."""
    if isinstance(text, Problem):
        return Checked(RateFile(problems=(text,)), [], {}, [])
    file = read_rates(text, time_reader(zone_of(request.user)))
    plan = planned(file.lines, queries.rates_of(scope, card.id))
    rates = [one.rate for one in plan if one.state == "new"]
    losses = queries.shortfalls(scope, card.id, rates, clock.now())
    return Checked(file, plan, losses, rate_clashes(scope, card.id, rates))


def _may_record(request: HttpRequest, checked: Checked) -> bool:
    is_meant = not checked.losses or bool(request.POST.get("below_cost"))
    return not checked.has_errors and not checked.clashes and bool(checked.rates) and is_meant


def _record(request: HttpRequest, scope: Scope, card: RateCard, checked: Checked) -> bool:
    rates = checked.rates
    try:
        priced = metering.publish_rates(scope, card_id=card.id, rates=rates)
    except (Clash, Invalid):
        return False
    said = ngettext("%(n)s price is recorded.", "%(n)s prices are recorded.", len(rates))
    number = count_text(len(rates), request.LANGUAGE_CODE)
    messages.success(request, said % {"n": number} + priced_words(priced.priced + priced.pending))
    return True
