"""The account's language rules over the cookie and the browser; pages travel compressed."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import translation

Answer = Callable[[HttpRequest], HttpResponse]


def account_language(get_response: Answer) -> Answer:
    """Must stand after the authentication middleware."""
    known = dict(settings.LANGUAGES)

    def answer(request: HttpRequest) -> HttpResponse:
        # Without a session cookie nobody is signed in: machines and strangers cost no look-up.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            language = getattr(request.user, "language", "")
            if language in known:
                translation.activate(language)
                request.LANGUAGE_CODE = language
        return get_response(request)

    return answer


def compressed_pages(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Pages and tables, not the answers to machines: those are measured in requests per second, and most are short.

    Secrets of a page (the token of its forms) are masked anew each time, and Django's
    compression adds random bytes, so that the length tells nothing of them.
    """
    gzip = GZipMiddleware(get_response)

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind not in ("text/html", "text/csv") or request.path.startswith("/api/"):
            return response
        return gzip.process_response(request, response)

    return answer
