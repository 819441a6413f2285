"""What guards every answer: headers that browsers obey, and a limit that answers instead of failing."""

from __future__ import annotations

from collections.abc import Callable

from allauth.core.exceptions import RateLimited
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from twin.companies.recording import record_refused_key
from twin.kernel import security_log
from twin.kernel.addresses import address_of
from twin.kernel.budget import Budget
from twin.kernel.masking import mask_people
from twin.kernel.security_events import Event
from twin.portal.views.errors import RETRY_AFTER, too_many_requests, wants_json
from twin.portal.visitor import visitor_of

Answer = Callable[[HttpRequest], HttpResponse]

_YEAR = 31_536_000
_ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_OVER_TLS = {"Strict-Transport-Security": f"max-age={_YEAR}; includeSubDomains"}
# What one key is refused in a minute and a process; the rest is in the log alone, or a loop would fill the table.
REFUSALS_A_MINUTE = 60
_KEYS_REMEMBERED = 1_000
_REFUSALS: dict[int, Event] = {401: "access_refused", 403: "access_refused", 429: "limit_reached"}
# Its own budget keeps it from flooding the log; a line for each refusal would not.
_UNRECORDED = ("/csp-report",)
# Told to come again in a second, by the thousand when it floods: no refusal of a right.
_BUSY = (429, "/api/v1/usage/events")


def safe_headers(get_response: Answer) -> Answer:
    """Also keeps pages of people out of every cache: a session came with the request or goes with the answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in (_ALWAYS | _OVER_TLS if settings.SECURE else _ALWAYS).items():
            response.setdefault(name, value)
        session = settings.SESSION_COOKIE_NAME
        is_file = request.path.startswith(settings.STATIC_URL)
        if not is_file and (session in request.COOKIES or session in response.cookies):
            response["Cache-Control"] = "no-store"
        return response

    return answer


def note_refusals(get_response: Answer) -> Answer:
    """Every refused authorisation goes into the record of security; must stand after the authentication middleware."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        event = _REFUSALS.get(response.status_code)
        if event and request.path not in _UNRECORDED and (response.status_code, request.path) != _BUSY:
            _note(request, event)
        return response

    return answer


def _note(request: HttpRequest, event: Event) -> None:
    """A row when somebody we know was refused; of strangers, who could fill the table, a line of the log."""
    address, path = address_of(request), mask_people(request.path)
    company_id, key_id = getattr(request, "refused_key", (None, None))
    if company_id is not None and _may_record(key_id):
        record_refused_key(event, company_id=company_id, key_id=key_id, method=str(request.method), path=path)
        return
    user_id, company_id = (None, None) if company_id is not None else _who(request)
    if user_id is None and company_id is None:
        security_log.note(event, address=address, method=request.method, path=path)
        return
    security_log.record(
        event, user_id=user_id, company_id=company_id, address=address, method=request.method, path=path
    )


_refused_keys: dict[int | None, Budget] = {}


def _may_record(key_id: int | None) -> bool:
    if key_id not in _refused_keys and len(_refused_keys) >= _KEYS_REMEMBERED:
        _refused_keys.clear()
    return _refused_keys.setdefault(key_id, Budget(REFUSALS_A_MINUTE)).spend()


def forget_refusals() -> None:
    """For tests: numbers of keys come again in an emptied database."""
    _refused_keys.clear()


def _who(request: HttpRequest) -> tuple[int | None, int | None]:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return None, None
    visitor = visitor_of(request)
    return request.user.pk, visitor.employment.company_id if visitor else None


class TooManyTries:
    """Turns a limit that a view did not foresee into 429, in the shape asked for; must stand close to the views."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code != 429:
            return response
        if wants_json(request):
            return too_many_requests(request)
        response.setdefault("Retry-After", str(RETRY_AFTER))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RateLimited):
            return None
        return too_many_requests(request, exception)
