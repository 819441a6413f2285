"""Home, sign-in and the door to what a person may use."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.accounts import actions as accounts
from twin.portal.views import registration
from twin.portal.visitor import visitor_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html")


@require_safe
@never_cache
@login_required
def personal_account(request: HttpRequest) -> HttpResponse:
    """Leads resellers and the platform to their report, companies to their usage; tells others what will stand here."""
    visitor = visitor_of(request)
    if visitor is not None and visitor.sees_reseller_report:
        return HttpResponseRedirect(reverse("portal:reseller_companies"))
    if visitor is not None and visitor.sees_usage:
        return HttpResponseRedirect(reverse("portal:usage"))
    if visitor is None:
        title = _("You belong to no company yet")
        sentence = _("Ask an administrator of your company to invite you with this email address.")
    elif visitor.scope is None:
        is_closed = visitor.employment.state == "closed"
        title = (_("%(company)s is closed") if is_closed else _("%(company)s is blocked")) % {
            "company": visitor.company_name
        }
        sentence = _("What was used stays recorded. Ask your seller what is to be done.")
    else:
        title = _("Nothing here yet for %(company)s") % {"company": visitor.company_name}
        sentence = _("Reports are for administrators and finance. What you set for yourself is under Security.")
    reason = visitor.employment.state_reason if visitor is not None and visitor.scope is None else ""
    return render(request, "portal/personal_account.html", {"title": title, "sentence": sentence, "reason": reason})


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types
    """Email, password, *Remember me*, in our words."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        email, password, remember = (self.fields[name] for name in ("login", "password", "remember"))
        email.label, password.label, remember.label = _("Email"), _("Password"), _("Remember me")
        email.widget = forms.EmailInput(
            attrs={"autocomplete": "username", "spellcheck": "false", "autocapitalize": "none"}
        )
        password.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        password.help_text = ""
        remember.help_text = _("Stay signed in on this device for 30 days")


class SignIn(LoginView):  # type: ignore[misc]  # allauth ships no types
    """The sign-in page, with the demonstration sign-ins while that world is loaded."""

    form_class = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """Whoever has begun to register goes on there; it takes the same time when nobody has."""
        if form.has_error("__all__", "email_password_mismatch"):
            given = form.cleaned_data
            begun = accounts.unfinished_registration(email=given["login"], password=given["password"])
            if begun is not None:
                return registration.go_on(self.request, begun)
        answer: HttpResponse = super().form_invalid(form)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # The demonstration stands on a floor above this one; only the settings know of it.
        source: str = getattr(settings, "DEMONSTRATION_SIGN_INS", "")
        context["demonstration"] = import_string(source)() if source else []
        return context
