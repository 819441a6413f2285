"""The rate card of one company: its history, and giving it another from an instant on."""

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
from django.views.decorators.http import require_http_methods

from twin.companies import queries as companies
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, NotFound, TwinError
from twin.metering import actions as metering
from twin.portal.company_card_page import ChooseCardForm, CompanyCardPage
from twin.portal.company_words import clash_words
from twin.portal.price_clashes import clash_note
from twin.portal.views.companies import seller_scope
from twin.portal.views.prices import priced_words, since_words
from twin.portal.words import zone_of
from twin.pricing import queries

UNPROCESSABLE: Final = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def company_card(request: HttpRequest, company_id: int) -> HttpResponse:
    """Only who sells, or sold, to the company directly sees its cards; only who sells to it now gives one."""
    scope = seller_scope(request)
    company = _bought_from(scope, company_id)
    cards = queries.list_cards(scope)
    form = ChooseCardForm(
        request.POST if request.method == "POST" else None,
        cards=cards,
        zone=zone_of(request.user),
        initial={"effective_from": request.GET.get("effective_from", "")[:40]},
    )
    clash = None
    if request.method == "POST" and form.is_valid():
        try:
            return _given(request, scope, company, form)
        except TwinError as error:
            clash = clash_note(error, zone_of(request.user))
            form.add_error(*_refusal(error, request))
    is_seller = company.parent_id == scope.organisation_id
    page = CompanyCardPage(
        company=company,
        found=queries.assignment_history(scope, company.id, clock.now()),
        zone=zone_of(request.user),
        form=form if is_seller else None,
        has_cards=bool(cards),
        clash=clash,
    )
    if not is_seller and not page.found.total:
        raise Http404
    status = UNPROCESSABLE if form.errors else 200
    return render(request, "portal/companies/card.html", {"page": page}, status=status)


def _bought_from(scope: Scope, company_id: int) -> Company:
    try:
        company = companies.get_company(scope, company_id)
    except NotFound:
        raise Http404 from None
    if company.id == scope.organisation_id:
        raise Http404
    return company


def _given(request: HttpRequest, scope: Scope, company: Company, form: ChooseCardForm) -> HttpResponse:
    start: datetime = form.cleaned_data["effective_from"] or clock.now()
    done = metering.assign_rate_card(
        scope, buyer_id=company.id, card_id=form.cleaned_data["card_id"], effective_from=start
    )
    said = _("The company has another rate card.") + since_words(request, start)
    messages.success(request, said + priced_words(done.priced + done.pending))
    return HttpResponseRedirect(reverse("portal:company_card", args=[company.id]))


def _refusal(error: TwinError, request: HttpRequest) -> tuple[str | None, str]:
    """By which field, and in which words."""
    if isinstance(error, Invalid):
        named = {str(problem.loc[-1]) for problem in error.errors if problem.loc}
        if "rate_card_id" in named:
            return "card_id", _("There is no such rate card.")
        return "effective_from", _("You did not sell to the company then. Choose a later time.")
    return None, clash_words(error, zone_of(request.user))
