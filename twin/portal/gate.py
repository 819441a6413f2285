"""Until a company has given all necessary information, its people reach its window and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from twin.portal.visitor import visitor_of

Answer = Callable[[HttpRequest], HttpResponse]

# What stays open, with everything beneath it: the window itself, leaving, how pages look, what one agreed to,
# showing who one is, an invitation elsewhere, and machines.
OPEN: Final = (
    *("/company", "/logout", "/preferences", "/legal", "/recovery", "/invitation", "/attachment"),
    *("/security/confirm", "/security/second-factor", "/security/authenticator", "/security/passkeys"),
    "/security/recovery-codes",
    *("/api", "/healthz", "/readyz", "/static", "/sms", "/csp-report", "/outbox"),
)


def company_gate(get_response: Answer) -> Answer:
    """Must stand after the authentication middleware; asks nothing that the page would not ask itself.

    The platform's own people are never held, nor whoever acts for a company, nor the people of a
    blocked company: they are told that it is blocked.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        # Without a session cookie nobody is signed in: machines and strangers cost no look-up.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not _is_open(request.path) and _is_held(request):
            return HttpResponseRedirect(reverse("portal:company"))
        return get_response(request)

    return answer


def _is_open(path: str) -> bool:
    return any(path == one or path.startswith(one + "/") for one in OPEN)


def _is_held(request: HttpRequest) -> bool:
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or visitor.scope.acting_id is not None:
        return False
    return visitor.scope.kind != "platform" and not visitor.employment.is_informed
