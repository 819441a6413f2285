"""Machines go straight to their addresses: nothing that only pages need stands in their way."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve

from twin.portal.guards import note_refusals

Answer = Callable[[HttpRequest], HttpResponseBase]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
}
# Addresses without a part that varies, by path: few, and asked for thousands of times a second.
_fixed: dict[str, ResolverMatch] = {}


def machines_aside(get_response: Answer) -> Answer:
    """Answers `/api/…`, `/healthz` and `/readyz`, which know no session, language, form or message.

    Whatever stands before it holds for machines too: ids of requests, headers, metrics. A request that
    brings a session takes the long way, on which it can be said whose it is when it is refused.
    """
    answer_machine: Answer = note_refusals(_call_view)  # type: ignore[arg-type]  # plain answers of the API

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not is_for_machines(request.path_info) or settings.SESSION_COOKIE_NAME in request.COOKIES:
            return get_response(request)
        request.get_host()  # refuses a host that is not ours
        response = answer_machine(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.streaming and not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined]  # it does not stream
        return response

    return answer


def is_for_machines(path: str) -> bool:
    """Whether programs are meant to ask for it, not browsers."""
    return path.startswith("/api/") or path in ("/api", "/healthz", "/readyz")


def _call_view(request: HttpRequest) -> HttpResponseBase:
    match = _fixed.get(request.path_info)
    if match is None:
        match = resolve(request.path_info)
        if f"/{match.route}" == request.path_info:
            _fixed[request.path_info] = match
    request.resolver_match = match
    answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return answer
