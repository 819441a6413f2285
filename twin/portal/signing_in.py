"""Who may not come in although they proved who they are, and who has to leave again."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from twin.accounts.types import Person
from twin.companies.access import dismissal_of
from twin.portal.visitor import own_visitor_of

Answer = Callable[[HttpRequest], HttpResponse]

# What needs nobody signed in anyway, and what a dismissed person may still do.
_OPEN = ("/static/", "/api/", "/healthz", "/readyz", "/logout", "/invitation", "/legal/", "/csp-report")


def refusal(person: Person) -> str | None:
    """The sentence to show, in the active language; None lets them in. Asked through the settings."""
    dismissal = dismissal_of(person)
    if dismissal is None:
        return None
    values = {"company": dismissal.company_name, "reason": dismissal.reason}
    if dismissal.is_blocked:
        return _("Your access to %(company)s is blocked: %(reason)s Ask an administrator of the company.") % {
            **values,
            "reason": _as_sentence(dismissal.reason),
        }
    return (
        _("You no longer work for %(company)s in Twin. If you were invited elsewhere, open the link in that mail.")
        % values
    )


def dismissal_gate(get_response: Answer) -> Answer:
    """Whoever was blocked or removed is out at the next request, whichever way they came in.

    Their sessions end with the deed already; this catches the one that was just being made.
    Must stand after the messages middleware.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(_OPEN):
            why = _why_out(request)
            if why is not None:
                logout(request)
                messages.error(request, why)
                return HttpResponseRedirect(reverse("account_login"))
        return get_response(request)

    return answer


def _why_out(request: HttpRequest) -> str | None:
    """Asks once more only for those who work nowhere."""
    if not request.user.is_authenticated or own_visitor_of(request) is not None:
        return None
    return refusal(request.user)


def _as_sentence(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?", "…")) else f"{reason}."
