"""How a seller bills: series, grace, tax, late usage, texts, logo."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.billing.actions.settings import MOST_LOGO_BYTES, save_settings, set_logo
from twin.billing.queries.settings import logo_of, settings_of
from twin.companies.queries import get_company
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.errors import Invalid
from twin.portal.billing_form import BillingForm, LogoForm, initial_of, refusal_words
from twin.portal.views.statements import billing_scope_of

UNPROCESSABLE: Final = 422


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def billing_settings(request: HttpRequest) -> HttpResponse:
    scope = _scope(request)
    currency = get_company(scope, scope.organisation_id).currency
    if request.method != "POST":
        return _show(request, scope, BillingForm(initial=initial_of(settings_of(scope), currency), currency=currency))
    form = BillingForm(request.POST, currency=currency)
    if form.is_valid():
        try:
            save_settings(scope, settings=form.settings())
        except Invalid as error:
            for one in error.errors:
                form.add_error(str(one.loc[0]), refusal_words(str(one.loc[0]), one.msg))
        else:
            messages.success(request, _("The settings are saved. They hold for everything issued from now on."))
            return HttpResponseRedirect(reverse("portal:billing_settings"))
    return _show(request, scope, form)


@require_POST
@login_required
def change_logo(request: HttpRequest) -> HttpResponse:
    """Put a picture on new documents, or take it off."""
    scope = _scope(request)
    currency = get_company(scope, scope.organisation_id).currency
    form = LogoForm(request.POST, request.FILES)
    if "remove" in request.POST:
        set_logo(scope, None)
        messages.success(request, _("New documents bear no logo."))
        return HttpResponseRedirect(reverse("portal:billing_settings"))
    if form.is_valid():
        try:
            set_logo(scope, form.cleaned_data["logo"].read(MOST_LOGO_BYTES + 1))
        except Invalid as error:
            form.add_error("logo", refusal_words("logo", str(error)))
        else:
            messages.success(request, _("New documents bear this logo."))
            return HttpResponseRedirect(reverse("portal:billing_settings"))
    settings = BillingForm(initial=initial_of(settings_of(scope), currency), currency=currency)
    return _show(request, scope, settings, form)


@require_safe
@login_required
def own_logo(request: HttpRequest) -> HttpResponse:
    """The picture as documents bear it."""
    found = logo_of(_scope(request))
    if found is None:
        raise Http404
    return HttpResponse(found[1], content_type=found[0])


def _scope(request: HttpRequest) -> Scope:
    """Administrators of whoever sells."""
    scope = billing_scope_of(request, BILLING_WRITE)
    if scope.kind == "company":
        raise Http404
    return scope


def _show(request: HttpRequest, scope: Scope, form: BillingForm, logo: LogoForm | None = None) -> HttpResponse:
    is_refused = bool(form.errors) or logo is not None
    given = {"form": form, "logo": logo or LogoForm(), "has_logo": settings_of(scope).logo_digest is not None}
    return render(request, "portal/billing/settings.html", given, status=UNPROCESSABLE if is_refused else 200)
