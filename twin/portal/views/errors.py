"""What people see when something cannot be answered; machines under /api/ get problem details."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from twin.portal.frame import Frame

TITLES: dict[int, tuple[Promise, Promise]] = {
    400: (
        _("This request cannot be read"),
        _("The address or the form holds something unusable. Go back and try once more."),
    ),
    403: (_("This is not open to you"), _("Your role does not allow it. Ask an administrator of your company.")),
    404: (_("There is no such page"), _("The address is wrong, or the page belongs to another organisation.")),
    429: (_("Too many tries"), _("Wait a few minutes, then try again.")),
    500: (
        _("Something went wrong on our side"),
        _("Nothing was lost: usage goes on being recorded. Try again in a minute; if it stays, tell your operator."),
    ),
}
FORM_EXPIRED = (
    _("This form has expired"),
    _("The page was open too long, or your browser refuses cookies. Go back, reload the page and try again."),
)
# Seconds; the limits of people's pages are counted in minutes.
RETRY_AFTER = 60
API_TITLES = {400: "Bad request", 403: "Forbidden", 404: "Not found", 429: "Too many requests", 500: "Server error"}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - named so by Django
    # The host may be the bad part, and then nothing that asks the session can be shown.
    return _answer_bare(request, 400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - named so by Django
    return _answer(request, 403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - named so by Django
    return _answer(request, 404)


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - named so by Django
    answer = _problem(429) if wants_json(request) else _answer(request, 429)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer_bare(request, 500)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - named so by Django
    title, sentence = FORM_EXPIRED
    return render(request, "portal/error.html", {"status": 403, "title": title, "sentence": sentence}, status=403)


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks rather than a person."""
    return request.get_preferred_type(["text/html", "application/json", "application/problem+json"]) not in (
        "text/html",
        None,
    )


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if request.path.startswith("/api/"):
        return _problem(status)
    title, sentence = TITLES[status]
    context = {"status": status, "title": title, "sentence": sentence}
    return render(request, "portal/error.html", context, status=status)


def _answer_bare(request: HttpRequest, status: int) -> HttpResponse:
    """Asks neither database nor session: they may be what failed."""
    if request.path.startswith("/api/"):
        return _problem(status)
    title, sentence = TITLES[status]
    context = {"status": status, "title": title, "sentence": sentence, "shell": Frame(request, account=False)}
    return HttpResponse(render_to_string("portal/error.html", context), status=status)


def _problem(status: int) -> HttpResponse:
    body = {"type": "about:blank", "title": API_TITLES[status], "status": status, "detail": f"{API_TITLES[status]}."}
    return JsonResponse(body, status=status, content_type="application/problem+json")
