"""Setting up, showing and removing second factors."""

from __future__ import annotations

import json
from typing import Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.accounts import actions as accounts
from twin.accounts.errors import CodeWrong, FactorUnknown
from twin.accounts.factors import factors_of, recovery_codes_of
from twin.accounts.mfa import passkey_host
from twin.accounts.passkeys import registered
from twin.companies.actions import demand_second_factor
from twin.kernel import clock
from twin.kernel.addresses import address_of
from twin.kernel.errors import TwinError
from twin.kernel.sealing import SealBroken, seal, unseal
from twin.portal import reauthentication
from twin.portal.qr import qr_code
from twin.portal.second_factor import duty_of
from twin.portal.security_forms import AppCodeForm, PasskeyForm, PasskeyNameForm, refusal_words
from twin.portal.signed_in import person_id
from twin.portal.views.security.profile import show_form
from twin.portal.visitor import visitor_of

_APP_SECRET: Final = "security_app_secret"  # noqa: S105 - the name of a place, not a secret
_CODES_OPEN_UNTIL: Final = "security_codes_open_until"
_CODES_OPEN_FOR: Final = 600
_UNPROCESSABLE: Final = 422


@require_safe
@never_cache
@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """What there is to choose from; the only page open when the days of grace are over."""
    context = {
        "factors": factors_of(person_id(request)),
        "duty": duty_of(request),
        "passkeys_work": passkeys_work(request),
    }
    return render(request, "portal/security/second_factor.html", context)


@require_POST
@never_cache
@reauthentication.required
def demand(request: HttpRequest) -> HttpResponse:
    """An administrator decides whether everybody at the company needs a second factor."""
    visitor = visitor_of(request)
    wanted = request.POST.get("demanded", "")
    if visitor is None or visitor.scope is None or not visitor.manages_people or wanted not in ("yes", "no"):
        raise Http404
    demand_second_factor(visitor.scope, demanded=wanted == "yes", address=address_of(request))
    if wanted == "yes":
        messages.success(
            request,
            ngettext(
                "Everybody at %(company)s needs a second factor now, and has %(n)s day to set it up.",
                "Everybody at %(company)s needs a second factor now, and has %(n)s days to set it up.",
                settings.SECOND_FACTOR_GRACE_DAYS,
            )
            % {"company": visitor.company_name, "n": settings.SECOND_FACTOR_GRACE_DAYS},
        )
    else:
        messages.success(request, _("Everybody may choose whether to have a second factor."))
    return HttpResponseRedirect(reverse("portal:security") + "#second-factor")


def passkeys_work(request: HttpRequest) -> bool:
    """Passkeys belong to the host of TWIN_URL; at 127.0.0.1 no browser makes any."""
    return request.get_host().partition(":")[0] == passkey_host()


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def app(request: HttpRequest) -> HttpResponse:
    """The secret as a QR code and as text, and a code of the app as proof that it arrived."""
    if factors_of(person_id(request)).app_id is not None:
        return HttpResponseRedirect(reverse("portal:security"))
    secret = _secret_under_way(request)
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made_codes = accounts.add_app(
                user_id=person_id(request), secret=secret, code=form.cleaned_data["code"], address=address_of(request)
            )
        except CodeWrong as error:
            form.add_error("code", refusal_words(error))
        except TwinError as error:
            messages.error(request, refusal_words(error))
            return HttpResponseRedirect(reverse("portal:security"))
        else:
            del request.session[_APP_SECRET]
            return _added(request, _("The authenticator app is set up."), made_codes)
    context = {
        "form": form,
        "qr": qr_code(get_adapter().build_totp_url(request.user, secret)),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    }
    return render(request, "portal/security/app.html", context, status=_UNPROCESSABLE if form.errors else 200)


def _secret_under_way(request: HttpRequest) -> str:
    """Kept sealed in the session until the app has proved that it holds it."""
    try:
        return unseal(request.session[_APP_SECRET])
    except (KeyError, SealBroken):
        secret = accounts.new_app_secret()
        request.session[_APP_SECRET] = seal(secret)
        return secret


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def add_passkey(request: HttpRequest) -> HttpResponse:
    """The browser makes a key pair for the challenge given out here and proves that its owner is there."""
    name = get_adapter().generate_authenticator_name(request.user, "webauthn")
    form = PasskeyForm(request.POST or None, initial={"name": name})
    if request.method == "POST" and form.is_valid():
        try:
            credential = registered(form.cleaned_data["credential"])
            made_codes = accounts.add_passkey(
                user_id=person_id(request),
                name=form.cleaned_data["name"],
                credential=credential,
                address=address_of(request),
            )
        except (ValidationError, TwinError):
            form.add_error(None, _("The passkey could not be made. Try once more."))
        else:
            return _added(request, _("The passkey is set up."), made_codes)
    context = {
        "form": form,
        "options_text": json.dumps(webauthn.begin_registration(request.user, True)),
        "passkeys_work": passkeys_work(request),
        "right_address": settings.URL,
    }
    return render(request, "portal/security/passkey.html", context, status=_UNPROCESSABLE if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def rename_passkey(request: HttpRequest, passkey_id: int) -> HttpResponse:
    kept = next((each for each in factors_of(person_id(request)).passkeys if each.id == passkey_id), None)
    if kept is None:
        raise Http404
    form = PasskeyNameForm(request.POST or None, initial={"name": kept.name})
    if request.method == "POST" and form.is_valid():
        try:
            accounts.rename_passkey(user_id=person_id(request), passkey_id=passkey_id, name=form.cleaned_data["name"])
        except FactorUnknown:
            raise Http404 from None
        except TwinError as error:
            form.add_error("name", refusal_words(error))
        else:
            return HttpResponseRedirect(reverse("portal:security") + "#second-factor")
    return show_form(request, form, title=_("Rename the passkey"), submit=_("Save"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Asks once, then forgets the app or the passkey."""
    factors = factors_of(person_id(request))
    passkey = next((each for each in factors.passkeys if each.id == factor_id), None)
    if passkey is None and factor_id != factors.app_id:
        raise Http404
    duty = duty_of(request)
    is_last_needed = factors.number == 1 and duty is not None
    if request.method == "POST":
        try:
            accounts.remove_factor(
                user_id=person_id(request),
                factor_id=factor_id,
                address=address_of(request),
                keep_one=duty is not None and clock.now() >= duty.deadline,
            )
        except FactorUnknown:
            raise Http404 from None
        except TwinError as error:
            messages.error(request, refusal_words(error))
        else:
            messages.success(request, _("The second factor was removed."))
        return HttpResponseRedirect(reverse("portal:security") + "#second-factor")
    context = {"passkey": passkey, "is_last": factors.number == 1, "is_last_needed": is_last_needed}
    return render(request, "portal/security/remove_factor.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@reauthentication.required
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """The codes while they are open, that is right after they were made; otherwise how many are left."""
    if request.method == "POST":
        request.session.pop(_CODES_OPEN_UNTIL, None)
        return HttpResponseRedirect(reverse("portal:security") + "#second-factor")
    factors = factors_of(person_id(request))
    if factors.codes_left is None:
        return HttpResponseRedirect(reverse("portal:second_factor"))
    codes = _grouped(request) if _codes_are_open(request) else []
    return render(request, "portal/security/recovery_codes.html", {"codes": codes, "factors": factors})


@require_safe
@never_cache
@reauthentication.required
def download_recovery_codes(request: HttpRequest) -> HttpResponse:
    """The same codes as a file, as long as the page shows them."""
    if not _codes_are_open(request):
        raise Http404
    lines = [_("Recovery codes of Twin for %(email)s") % {"email": request.user.email}, "", *_grouped(request)]  # type: ignore[union-attr]  # signed in
    response = HttpResponse("\r\n".join((*lines, "")), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="twin-recovery-codes.txt"'
    return response


def _grouped(request: HttpRequest) -> list[str]:
    return [f"{code[:4]} {code[4:]}" for code in recovery_codes_of(person_id(request))]


@require_POST
@never_cache
@reauthentication.required
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    """New codes instead of the old ones, shown once."""
    try:
        accounts.renew_recovery_codes(user_id=person_id(request), address=address_of(request))
    except TwinError as error:
        messages.error(request, refusal_words(error))
        return HttpResponseRedirect(reverse("portal:second_factor"))
    _open_codes(request)
    return HttpResponseRedirect(reverse("portal:recovery_codes"))


def _added(request: HttpRequest, sentence: str, made_codes: bool) -> HttpResponse:
    messages.success(request, sentence)
    if not made_codes:
        return HttpResponseRedirect(reverse("portal:security") + "#second-factor")
    _open_codes(request)
    return HttpResponseRedirect(reverse("portal:recovery_codes"))


def _open_codes(request: HttpRequest) -> None:
    request.session[_CODES_OPEN_UNTIL] = int(clock.now().timestamp()) + _CODES_OPEN_FOR


def _codes_are_open(request: HttpRequest) -> bool:
    until: int = request.session.get(_CODES_OPEN_UNTIL, 0)
    return clock.now().timestamp() < until
