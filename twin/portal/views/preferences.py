"""Language and theme: kept in the account for people who are signed in, in a cookie for all."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from twin.accounts import actions as accounts
from twin.portal.frame import THEME_COOKIE, THEMES

YEAR = timedelta(days=365)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Shows all pages in the chosen language from now on."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        accounts.choose_appearance(user_id=request.user.pk, language=language)
    return _back_with_cookie(request, settings.LANGUAGE_COOKIE_NAME, language)


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Shows all pages light, dark or as the device is set from now on."""
    theme = request.POST.get("theme", "")
    if theme not in THEMES:
        return HttpResponseBadRequest()
    if request.user.is_authenticated:
        accounts.choose_appearance(user_id=request.user.pk, theme=theme)
    return _back_with_cookie(request, THEME_COOKIE, theme)


def _back_with_cookie(request: HttpRequest, cookie: str, value: str) -> HttpResponse:
    """To the page the choice was made on; never to another site."""
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(wanted if allowed else "/")
    response.set_cookie(cookie, value, max_age=YEAR, samesite="Lax", secure=settings.SECURE, httponly=True)
    return response
