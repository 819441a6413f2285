"""How long a sign-in lasts: two idle hours or twelve in all; with *Remember me* thirty days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from twin.kernel import clock
from twin.kernel.addresses import address_of
from twin.kernel.security_log import record

IDLE: Final = timedelta(hours=2)
ABSOLUTE: Final = timedelta(hours=12)
REMEMBERED: Final = timedelta(days=30)

_STARTED: Final = "twin_started"
_SEEN: Final = "twin_seen"
# Written at most this often, so that reading pages does not write sessions.
_NOTE_EVERY: Final = 60

Answer = Callable[[HttpRequest], HttpResponse]


def session_limits(get_response: Answer) -> Answer:
    """Ends a session that is over, with its record on the server. Must stand after the messages."""

    def answer(request: HttpRequest) -> HttpResponse:
        # Without a session cookie nobody is signed in: machines and strangers cost no look-up.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            now = int(clock.now().timestamp())
            if _is_over(request.session, now):
                record("session_expired", user_id=request.user.pk, address=address_of(request))
                logout(request)
                messages.info(request, _("Your session has ended. Sign in again."))
            else:
                _note(request.session, now)
        return get_response(request)

    return answer


def _is_over(session: SessionBase, now: int) -> bool:
    started, seen = session.get(_STARTED, now), session.get(_SEEN, now)
    if not session.get_expire_at_browser_close():
        return bool(now - started >= REMEMBERED.total_seconds())
    return bool(now - started >= ABSOLUTE.total_seconds() or now - seen >= IDLE.total_seconds())


def _note(session: SessionBase, now: int) -> None:
    session.setdefault(_STARTED, now)
    if now - session.get(_SEEN, 0) >= _NOTE_EVERY:
        session[_SEEN] = now
