"""The account's language rules over the cookie and the browser."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
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
