"""Signing in as administrator of a company beneath: beginning with a reason, and ending."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from twin.companies import queries
from twin.companies.actions import begin_acting
from twin.companies.errors import ActingInvalid, ActingRefused
from twin.companies.rules.acting import ACTING_LIFE, may_act_for
from twin.companies.types import Company, Scope
from twin.kernel.addresses import address_of
from twin.kernel.errors import NotFound
from twin.portal import reauthentication
from twin.portal.acting import start, stop
from twin.portal.acting_form import ActingForm
from twin.portal.views.companies import seller_scope
from twin.portal.visitor import own_visitor_of

UNPROCESSABLE: Final = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def begin(request: HttpRequest, company_id: int) -> HttpResponse:
    """Asks why and how far, after the password was given once more, and goes over to the company."""
    scope = seller_scope(request)
    company = _company(scope, company_id)
    reauthentication.require(request)
    form = ActingForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _is_begun(request, scope, company, form):
        return HttpResponseRedirect(reverse("portal:personal_account"))
    context = {"form": form, "company": company, "minutes": int(ACTING_LIFE.total_seconds() // 60)}
    return render(request, "portal/companies/act.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """Back to one's own name, and to the page of the company; where nobody acts, to one's own pages."""
    company_id = stop(request, "person")
    if company_id is None:
        return HttpResponseRedirect(reverse("portal:personal_account"))
    messages.success(request, _("You are yourself again."))
    own = own_visitor_of(request)
    try:
        if own is not None and own.scope is not None:
            queries.get_company(own.scope, company_id)
            return HttpResponseRedirect(reverse("portal:one_company", args=[company_id]))
    except NotFound:
        pass
    return HttpResponseRedirect(reverse("portal:personal_account"))


def _company(scope: Scope, company_id: int) -> Company:
    try:
        company = queries.get_company(scope, company_id)
    except NotFound:
        raise Http404 from None
    if company.id == scope.organisation_id:
        raise Http404
    if not may_act_for(scope, company):
        raise PermissionDenied
    return company


def _is_begun(request: HttpRequest, scope: Scope, company: Company, form: ActingForm) -> bool:
    try:
        acting = begin_acting(
            scope,
            company_id=company.id,
            reason=form.cleaned_data["reason"],
            may_write=form.may_write,
            address=address_of(request),
        )
    except ActingInvalid:
        form.add_error("reason", _("Give a reason of 1 to 500 characters."))
        return False
    except ActingRefused:
        raise PermissionDenied from None
    start(request, acting)
    return True
