"""The second step of signing in, signing in by passkey alone, and showing once more who one is."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeReauthenticateView
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from twin.accounts import actions as accounts
from twin.accounts.factors import factors_of
from twin.accounts.passkeys import ProofForm, SecondStepForm, SignInForm
from twin.accounts.sessions import carry_session
from twin.kernel.addresses import address_of
from twin.kernel.security_log import record
from twin.portal.security_forms import code_widget
from twin.portal.views.security.factors import passkeys_work


class SecondFactor(AuthenticateView):  # type: ignore[misc]  # allauth ships no types
    """After the password: a code of the app, a recovery code, or a passkey."""

    template_name = "portal/security/sign_in_second.html"
    webauthn_form_class = SecondStepForm

    def form_valid(self, form: Any) -> HttpResponse:
        used = getattr(form, "authenticator", None) or form.cleaned_data["credential"]
        accounts.note_factor_used(
            user_id=self.stage.login.user.pk, factor_type=used.type, address=address_of(self.request)
        )
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        record(
            "second_factor_refused", user_id=self.stage.login.user.pk, address=address_of(self.request), step="sign_in"
        )
        answer: HttpResponse = super().form_invalid(form)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        factors = factors_of(self.stage.login.user.pk)
        context["form"].fields["code"].widget = code_widget()
        context |= {
            "factors": factors,
            "passkeys_work": bool(factors.passkeys) and passkeys_work(self.request),
            "options_text": json.dumps(context["js_data"]["request_options"]),
        }
        return context


@method_decorator(never_cache, name="dispatch")
class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]  # as above
    """Passkey instead of password and second factor: the device has verified its owner."""

    form_class = SignInForm

    def form_valid(self, form: Any) -> HttpResponse:
        person = form.cleaned_data["credential"].user
        accounts.note_factor_used(user_id=person.pk, factor_type="passkey_alone", address=address_of(self.request))
        answer: HttpResponse = super().form_valid(form)
        # As without "Remember me": the session ends with the browser.
        self.request.session.set_expiry(0)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:  # noqa: ARG002 - allauth's signature
        record("second_factor_refused", address=address_of(self.request), step="passkey")
        messages.error(self.request, _("This passkey is not known here. Try again, or use the password."))
        return HttpResponseRedirect(reverse("account_login"))


class _Renewing:
    """The session gets a new id with the new proof, as it does at sign-in."""

    request: HttpRequest

    def form_valid(self, form: Any) -> HttpResponse:
        key = self.request.session.session_key
        self.request.session.cycle_key()
        carry_session(old_key=key, new_key=self.request.session.session_key)
        record("reauthenticated", user_id=self.request.user.pk, address=address_of(self.request))
        answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # stands before one of allauth's views
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        record("reauthentication_refused", user_id=self.request.user.pk, address=address_of(self.request))
        answer: HttpResponse = super().form_invalid(form)  # type: ignore[misc]  # as above
        return answer


@method_decorator(never_cache, name="dispatch")
class ConfirmByPassword(_Renewing, ReauthenticateView):  # type: ignore[misc]  # allauth ships no types
    template_name = "portal/security/confirm.html"

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["password"].widget.attrs.pop("placeholder", None)
        return form


@method_decorator(never_cache, name="dispatch")
class ConfirmByCode(_Renewing, CodeReauthenticateView):  # type: ignore[misc]  # as above
    template_name = "portal/security/confirm.html"

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        form.fields["code"].widget = code_widget()
        return form


@method_decorator(never_cache, name="dispatch")
class ConfirmByPasskey(_Renewing, ReauthenticateWebAuthnView):  # type: ignore[misc]  # as above
    template_name = "portal/security/confirm_passkey.html"
    form_class = ProofForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # allauth's page leaves these out when it shows the options.
        context |= {
            "form": self.get_form(),
            "redirect_field_name": REDIRECT_FIELD_NAME,
            "redirect_field_value": get_next_redirect_url(self.request),
            "options_text": json.dumps(context["js_data"]["request_options"]),
        }
        return context

    def form_invalid(self, form: Any) -> HttpResponse:  # noqa: ARG002 - as above
        messages.error(self.request, _("This passkey does not belong to your account."))
        record("reauthentication_refused", user_id=self.request.user.pk, address=address_of(self.request))
        return HttpResponseRedirect(self.passthrough_next_url(reverse("mfa_reauthenticate_webauthn")))
