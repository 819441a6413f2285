"""The security page: everything about getting in, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from twin.accounts.consents import GivenConsent, consents_of
from twin.accounts.factors import factors_of
from twin.accounts.rules.phones import shown_phone
from twin.accounts.sessions import Session, end_sessions, sessions_of
from twin.kernel.addresses import address_of
from twin.kernel.security_log import record
from twin.portal.rules.devices import device_of
from twin.portal.second_factor import duty_of
from twin.portal.signed_in import person_id
from twin.portal.visitor import visitor_of
from twin.portal.words import zone_of

CONSENT_NAMES = {
    "terms": gettext_lazy("Terms and conditions"),
    "personal_data": gettext_lazy("Personal data processing policy"),
}


@dataclass(frozen=True)
class SessionRow:
    session: Session
    device: str


@dataclass(frozen=True)
class ConsentRow:
    consent: GivenConsent
    name: str


@require_safe
@never_cache
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Profile, password, second factors, sessions, language and theme, consents."""
    user_id = person_id(request)
    visitor = visitor_of(request)
    sessions = sessions_of(user_id, request.session.session_key)
    context = {
        "phone": shown_phone(request.user.phone),  # type: ignore[union-attr]  # signed in
        "factors": factors_of(user_id),
        "may_demand": visitor is not None and visitor.manages_people,
        "is_demanded": visitor is not None and visitor.employment.needs_second_factor,
        "duty": duty_of(request),
        "sessions": [SessionRow(each, device_words(each.user_agent)) for each in sessions],
        "other_sessions": len(sessions) - 1,
        "consents": [ConsentRow(each, str(CONSENT_NAMES.get(each.kind, each.kind))) for each in consents_of(user_id)],
        "zone": zone_of(request.user),
    }
    return render(request, "portal/security/overview.html", context)


def device_words(user_agent: str) -> str:
    """`Firefox, Windows`, or as much of it as the browser says."""
    known = [name for name in device_of(user_agent) if name]
    return ", ".join(known) or _("Unknown browser")


@require_POST
@never_cache
@login_required
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign one browser of this person out; another's is not found."""
    if not end_sessions(user_id=person_id(request), only=session_id):
        raise Http404
    record("session_ended", user_id=person_id(request), address=address_of(request), by="person")
    messages.success(request, _("The browser was signed out."))
    return HttpResponseRedirect(reverse("portal:security") + "#sessions")


@require_POST
@never_cache
@login_required
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign every browser but this one out."""
    ended = end_sessions(user_id=person_id(request), keep=request.session.session_key)
    record("sessions_ended", user_id=person_id(request), address=address_of(request), by="person", number=ended)
    messages.success(
        request, ngettext("%(n)s browser was signed out.", "%(n)s browsers were signed out.", ended) % {"n": ended}
    )
    return HttpResponseRedirect(reverse("portal:security") + "#sessions")
