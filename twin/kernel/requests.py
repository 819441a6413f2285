"""What every line of the log about one request has in common."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from twin.kernel.addresses import address_of

_GIVEN = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


def request_context(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Must stand first: gives the request an id, which comes back as `X-Request-ID`.

    The thread keeps it until its next request: Django speaks of refusals after all middleware.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        number = _number_of(request)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=number, peer=address_of(request))
        response = get_response(request)
        response["X-Request-ID"] = number
        return response

    return answer


def current_address() -> str | None:
    """Where the request that this thread answers comes from; None outside any request."""
    peer = structlog.contextvars.get_contextvars().get("peer")
    return str(peer) if peer else None


def bind_acting(acting_id: int, organisation: str) -> None:
    """From here on whatever this request does is done in a company's name by somebody of another organisation."""
    structlog.contextvars.bind_contextvars(acting_id=acting_id, acting_from=organisation)


def current_acting() -> dict[str, object]:
    """What the record adds to every event of a request that acts in a company's name."""
    bound = structlog.contextvars.get_contextvars()
    return {name: bound[name] for name in ("acting_id", "acting_from") if name in bound}


def _number_of(request: HttpRequest) -> str:
    """The id a proxy of ours gave it, else a new one; what strangers send is not repeated in our log."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    if settings.TRUSTED_PROXIES and _GIVEN.fullmatch(given):
        return str(given)
    return secrets.token_hex(8)
