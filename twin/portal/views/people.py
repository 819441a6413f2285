"""Home, sign-in and the door to what a person may use."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.portal.visitor import visitor_of


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/home.html")


@require_safe
@never_cache
@login_required
def personal_account(request: HttpRequest) -> HttpResponse:
    """Leads resellers and the platform to their report; tells others what will stand here."""
    visitor = visitor_of(request)
    if visitor is not None and visitor.sees_reseller_report:
        return HttpResponseRedirect(reverse("portal:reseller_companies"))
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
        sentence = _("The report opens for organisations that sell to companies of their own.")
    return render(request, "portal/personal_account.html", {"title": title, "sentence": sentence})


class SignIn(LoginView):  # type: ignore[misc]  # allauth ships no types
    """The sign-in page, with the demonstration sign-ins while that world is loaded."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        # The demonstration stands on a floor above this one; only the settings know of it.
        source: str = getattr(settings, "DEMONSTRATION_SIGN_INS", "")
        context["demonstration"] = import_string(source)() if source else []
        return context
