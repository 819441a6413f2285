"""The sessions of a person: which browsers are signed in, and ending them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session as StoredSession
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from twin.kernel import clock

_LISTED: Final = "twin_listed"
# Written at most this often, so that reading pages does not write the list.
_LIST_EVERY: Final = 60

Answer = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser."""

    id: int
    is_current: bool
    address: str
    user_agent: str
    started_at: datetime
    seen_at: datetime


def sessions_of(user_id: int, current_key: str | None) -> list[Session]:
    """The sessions that still work, the asking one first, then the latest seen."""
    known = list(UserSession.objects.filter(user_id=user_id))
    alive = set(
        StoredSession.objects.filter(
            session_key__in=[each.session_key for each in known], expire_date__gt=clock.now()
        ).values_list("session_key", flat=True)
    )
    found = [
        Session(
            id=each.pk,
            is_current=each.session_key == current_key,
            address=str(each.ip),
            user_agent=each.user_agent,
            started_at=each.created_at,
            seen_at=each.last_seen_at,
        )
        for each in known
        if each.session_key in alive
    ]
    return sorted(found, key=lambda each: (each.is_current, each.seen_at), reverse=True)


@transaction.atomic
def end_sessions(*, user_id: int, keep: str | None = None, only: int | None = None) -> int:
    """End the person's sessions, all, all but that of the key `keep`, or only the one with that id; how many.

    The record on the server is deleted, so a cookie that was copied is worth nothing any more.
    """
    wanted = UserSession.objects.filter(user_id=user_id)
    if only is not None:
        wanted = wanted.filter(pk=only)
    if keep is not None:
        wanted = wanted.exclude(session_key=keep)
    keys = list(wanted.values_list("session_key", flat=True))
    StoredSession.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(user_id=user_id, session_key__in=keys).delete()
    return len(keys)


def carry_session(*, old_key: str | None, new_key: str | None) -> None:
    """The session goes on under another key; its place in the list stays."""
    if old_key and new_key and old_key != new_key:
        UserSession.objects.filter(session_key=old_key).update(session_key=new_key)


def list_sessions(get_response: Answer) -> Answer:
    """Keeps the list of each person's sessions: from where and when each was last seen, to the minute."""

    def answer(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            key, now = request.session.session_key, int(clock.now().timestamp())
            listed_key, listed_at = request.session.get(_LISTED, (None, 0))
            if listed_key != key or now - listed_at >= _LIST_EVERY:
                UserSession.objects.create_from_request(request)
                request.session[_LISTED] = (key, now)
        return get_response(request)

    return answer
