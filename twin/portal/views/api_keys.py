"""API keys of the visitor's company: which there are, making one that is shown once, revoking."""

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

from twin.companies import actions, queries
from twin.companies.errors import CompanyNotFound
from twin.companies.types import Scope
from twin.kernel.addresses import address_of
from twin.kernel.errors import Invalid
from twin.kernel.sealing import seal, unseal
from twin.portal import reauthentication
from twin.portal.api_keys_page import ApiKeyForm, ApiKeysPage
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of

UNPROCESSABLE: Final = 422
# Sealed: whoever reads the sessions' table gets no key.
_MADE: Final = "api_key_made"


@require_safe
@never_cache
@login_required
def api_keys(request: HttpRequest) -> HttpResponse:
    """The keys of the own company, those that ended among them."""
    page = ApiKeysPage(queries.keys_of(_scope(request)), zone_of(request.user))
    return render(request, "portal/api_keys/list.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def new_api_key(request: HttpRequest) -> HttpResponse:
    """Make a key, after the password was given once more."""
    scope = _scope(request)
    reauthentication.require(request)
    form = ApiKeyForm(request.POST if request.method == "POST" else None, held=scope.permissions)
    if request.method == "POST" and form.is_valid() and _is_made(request, scope, form):
        return HttpResponseRedirect(reverse("portal:api_key_made"))
    return render(request, "portal/api_keys/new.html", {"form": form}, status=UNPROCESSABLE if form.errors else 200)


@require_safe
@never_cache
@login_required
def made_api_key(request: HttpRequest) -> HttpResponse:
    """The secret of the key just made, told this once; looked at again, the list."""
    _scope(request)
    if (sealed := request.session.pop(_MADE, None)) is None:
        return HttpResponseRedirect(reverse("portal:api_keys"))
    return render(request, "portal/api_keys/made.html", {"secret": unseal(sealed)})


@require_POST
@login_required
def revoke_api_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """At once, and without a password: whoever saw a key in the wrong place must not have to search for theirs."""
    scope = _scope(request)
    try:
        actions.revoke_api_key(scope, company_id=scope.organisation_id, key_id=key_id, address=address_of(request))
    except CompanyNotFound:
        raise Http404 from None
    messages.success(request, _("The key is revoked: it is refused from now on."))
    return HttpResponseRedirect(reverse("portal:api_keys"))


def _scope(request: HttpRequest) -> Scope:
    """Administrators' scope; for everybody else these pages are not there."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.manages_keys:
        raise Http404
    return visitor.scope


def _is_made(request: HttpRequest, scope: Scope, form: ApiKeyForm) -> bool:
    given = form.cleaned_data
    try:
        _key, secret = actions.create_api_key(
            scope,
            scope.organisation_id,
            given["permissions"],
            name=given["name"],
            expires_at=form.expires_at,
            address=address_of(request),
        )
    except Invalid:
        form.add_error("name", _("Write 1 to 100 characters."))
        return False
    request.session[_MADE] = seal(secret)
    return True
