"""Before something sensitive a person shows once more who they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from twin.kernel import clock

FRESH_FOR: Final = timedelta(minutes=10)

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person of this session gave a password or a second factor within ten minutes."""
    if not request.user.is_authenticated:
        return False
    given = [record["at"] for record in get_authentication_records(request, request.user)]
    return bool(given) and clock.now().timestamp() - max(given) < FRESH_FOR.total_seconds()


def required(view: View[P]) -> View[P]:
    """Strangers are sent to the sign-in, people who gave no password for ten minutes asked for one.

    Afterwards they come back to where they were; a form that was
    sent is carried out then, so it must hold no secret.
    """

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        require(request)
        return view(request, *args, **kwargs)

    return answer


def require(request: HttpRequest) -> None:
    """Go no further without it; for views that only sometimes do something sensitive."""
    if not is_fresh(request):
        # allauth's middleware leads to the page that asks, keeps what was sent, and comes back.
        raise ReauthenticationRequired()
