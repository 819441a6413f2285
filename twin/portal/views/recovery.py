"""A forgotten password: the request, which tells nothing, and the page the mail leads to."""

from __future__ import annotations

from typing import Final

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from twin.accounts import actions
from twin.accounts.errors import RecoveryLinkDead, TooMany
from twin.accounts.types import Person
from twin.kernel.addresses import address_of
from twin.kernel.sealing import SealBroken, seal, unseal
from twin.portal.limits import refused
from twin.portal.registration_forms import NewPasswordForm, RecoveryForm

_KEY: Final = "twin_recovery"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """The same answer whether the address is known or not."""
    form = RecoveryForm(request.POST if request.method == "POST" else None)
    status = 200
    if form.is_bound and form.is_valid():
        try:
            actions.start_recovery(email=form.cleaned_data["email"], address=address_of(request))
            return render(request, "registration/recovery_sent.html", {"email": form.cleaned_data["email"]})
        except TooMany as error:
            form.add_error(None, refused(request, error))
            status = 429
    return render(request, "registration/recovery.html", {"form": form}, status=status)


@require_safe
@never_cache
def follow(request: HttpRequest, key: str) -> HttpResponse:
    """Takes the key out of the address at once, so that no history, log or referrer keeps it."""
    # Sealed: whoever reads the table of sessions must not be able to use it.
    request.session[_KEY] = seal(key)
    return HttpResponseRedirect(reverse("portal:new_password"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def new_password(request: HttpRequest) -> HttpResponse:
    key = _kept_key(request)
    person = actions.person_of_recovery(key)
    if person is None:
        return render(request, "registration/recovery_dead.html", status=404)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, known=_known(person))
    if form.is_bound and form.is_valid():
        return _set(request, key, form.cleaned_data["password"])
    return render(request, "registration/new_password.html", {"form": form})


def _kept_key(request: HttpRequest) -> str:
    kept = request.session.get(_KEY, "")
    try:
        return unseal(kept) if kept else ""
    except SealBroken:
        return ""


def _set(request: HttpRequest, key: str, password: str) -> HttpResponse:
    try:
        email = actions.finish_recovery(key=key, password=password, address=address_of(request))
    except RecoveryLinkDead:
        return render(request, "registration/recovery_dead.html", status=404)
    request.session.pop(_KEY, None)
    get_adapter(request).forget_failures(request, email)
    messages.success(request, _("Your password is changed. Sign in with it."))
    return HttpResponseRedirect(reverse("account_login"))


def _known(person: Person) -> list[str]:
    return [str(getattr(person, name, "")) for name in ("email", "name", "phone")]
