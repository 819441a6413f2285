"""Which pages people reach whose company has not told of itself, or is blocked or closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from twin.portal.visitor import Visitor, visitor_of

Answer = Callable[[HttpRequest], HttpResponse]

# What stays open, with everything beneath it: the window itself, leaving, how pages look, what one agreed to,
# showing who one is, an invitation elsewhere, and machines.
OPEN: Final = (
    *("/company", "/logout", "/preferences", "/legal", "/recovery", "/invitation", "/attachment"),
    *("/security/confirm", "/security/second-factor", "/security/authenticator", "/security/passkeys"),
    "/security/recovery-codes",
    *("/api", "/healthz", "/readyz", "/static", "/sms", "/csp-report", "/outbox"),
)
# What concerns the person alone, whatever becomes of the company; the first of them says why it is blocked or closed.
OF_THE_PERSON: Final = (
    *("/personal-account", "/security", "/logout", "/preferences", "/legal", "/recovery", "/invitation", "/attachment"),
    *("/login", "/registration", "/second-factor-reset", "/api", "/healthz", "/readyz", "/static", "/sms"),
    *("/csp-report", "/outbox", "/styleguide", "/acting"),
)


def company_gate(get_response: Answer) -> Answer:
    """Must stand after the authentication middleware; asks nothing that the page would not ask itself.

    Until a company has given all necessary information, its people reach its window and nothing else. The
    platform's own people are never held, nor whoever acts for a company. The people of a blocked or closed
    company are led to where it is said why, from wherever they go on.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        # Without a session cookie nobody is signed in: machines and strangers cost no look-up.
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            if not _is_among(OPEN, request.path) and _is_held(visitor_of(request)):
                return HttpResponseRedirect(reverse("portal:company"))
            if not _is_among(OF_THE_PERSON, request.path) and request.path != "/" and _is_shut(visitor_of(request)):
                return HttpResponseRedirect(reverse("portal:personal_account"))
        return get_response(request)

    return answer


def _is_among(ways: tuple[str, ...], path: str) -> bool:
    return any(path == one or path.startswith(one + "/") for one in ways)


def _is_shut(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.scope is None


def _is_held(visitor: Visitor | None) -> bool:
    if visitor is None or visitor.scope is None or visitor.scope.acting_id is not None:
        return False
    return visitor.scope.kind != "platform" and not visitor.employment.is_informed
