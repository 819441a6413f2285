"""Who needs a second factor, until when it may be put off, and what is open until it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from twin.accounts import actions as accounts
from twin.accounts.factors import has_second_factor
from twin.kernel import clock
from twin.portal.visitor import own_visitor_of

Answer = Callable[[HttpRequest], HttpResponse]

DEMANDING_KINDS: Final = ("platform", "reseller")
# What leads to a second factor, and what must never be closed to anybody.
ALWAYS_OPEN: Final = (
    *("/security/second-factor", "/security/authenticator", "/security/passkeys", "/security/recovery-codes"),
    *("/security/confirm", "/login", "/logout", "/preferences/", "/legal/", "/static/", "/api/", "/healthz", "/readyz"),
    *("/second-factor-reset", "/csp-report"),
)


@dataclass(frozen=True)
class Duty:
    """This person's role demands a second factor from `deadline` on."""

    deadline: datetime
    is_met: bool

    @property
    def is_over(self) -> bool:
        """Whether nothing else is open any more."""
        return not self.is_met and clock.now() >= self.deadline


def duty_of(request: HttpRequest) -> Duty | None:
    """What the signed-in person owes; None for those who may choose, and for the demonstration's people.

    Asked once per request. The first time it is asked for somebody, their days of grace begin.
    """
    if not hasattr(request, "twin_duty"):
        request.twin_duty = _look_up(request)  # type: ignore[attr-defined]  # kept on the request for its life
    duty: Duty | None = request.twin_duty  # type: ignore[attr-defined]  # as above
    return duty


def _look_up(request: HttpRequest) -> Duty | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or user.second_factor_exempt:
        return None
    since = user.second_factor_since
    if not _is_demanded(request):
        if since is not None:
            accounts.end_second_factor_duty(user_id=user.pk)
        return None
    if since is None:
        since = accounts.begin_second_factor_duty(user_id=user.pk)
    deadline = since + timedelta(days=settings.SECOND_FACTOR_GRACE_DAYS)
    return Duty(deadline, has_second_factor(user.pk))


def _is_demanded(request: HttpRequest) -> bool:
    visitor = own_visitor_of(request)
    if visitor is None:
        return False
    employment = visitor.employment
    if employment.needs_second_factor:
        return True
    return employment.role == "administrator" and employment.company_kind in DEMANDING_KINDS


def second_factor_gate(get_response: Answer) -> Answer:
    """After the days of grace every page leads to the one that sets a second factor up."""

    def answer(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(ALWAYS_OPEN):
            duty = duty_of(request)
            if duty is not None and duty.is_over:
                return HttpResponseRedirect(reverse("portal:second_factor"))
        return get_response(request)

    return answer
