"""Every refusal as `application/problem+json` (RFC 9457): one shape, whatever went wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja.errors import AuthenticationError, HttpError, ValidationError

from twin.api import errors
from twin.kernel.errors import Clash, FieldError, Forbidden, Invalid, NotFound
from twin.metering.errors import BatchTooLong, StoreUnavailable, UnreadableBody

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Unreadable request",
    401: "Key missing or not valid",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Clash with what is recorded",
    413: "Too long",
    415: "Wrong content type",
    422: "Invalid input",
    429: "Too much at once",
    500: "Internal error",
    503: "Not available at the moment",
}
TYPES = {
    400: "unreadable",
    401: "key",
    403: "forbidden",
    404: "not-found",
    405: "method",
    406: "not-acceptable",
    409: "clash",
    413: "too-long",
    415: "content-type",
    422: "invalid",
    429: "busy",
    500: "internal",
    503: "unavailable",
}
# The first class that fits decides, so the narrow ones stand above the wide.
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (errors.KeyUnknown, 401),
    (errors.ContentTypeWrong, 415),
    (errors.BodyUnreadable, 400),
    (errors.BodyTooLong, 413),
    (errors.NothingAcceptable, 406),
    (errors.TooBusy, 429),
    (UnreadableBody, 400),
    (BatchTooLong, 413),
    (StoreUnavailable, 503),
    (NotFound, 404),
    (Forbidden, 403),
    (Clash, 409),
    (Invalid, 422),
)
BODY_METHODS = ("POST", "PUT", "PATCH")
log = logging.getLogger(__name__)


def problem(status: int, detail: str, found: Sequence[dict[str, Any]] | None = None) -> HttpResponse:
    """The response; `found` names each wrong field and is given for bad input only."""
    content: dict[str, Any] = {
        "type": f"urn:twin:problem:{TYPES[status]}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
    }
    if found is not None:
        content["errors"] = list(found)
    # Names of unknown fields come back in `errors`: escaped, half characters stay transportable.
    response = HttpResponse(json.dumps(content), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="twin"'
    if status in (429, 503):
        response["Retry-After"] = "1"
    return response


def not_found(*_: object, **__: object) -> HttpResponse:
    """The answer of an address that does not exist."""
    return problem(404, "There is no such address.")


def method_not_allowed(allowed: Iterable[str]) -> HttpResponse:
    methods = ", ".join(sorted(set(allowed)))
    response = problem(405, f"This address knows only {methods}.")
    response["Allow"] = methods
    return response


def problem_of(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The problem an exception amounts to; what nobody foresaw is logged and told without details."""
    if isinstance(error, type):
        return problem_of(request, error())
    if isinstance(error, ValidationError):
        return problem(422, "The input cannot be used as it is.", [_field_of(item) for item in error.errors])
    if isinstance(error, AuthenticationError):
        return problem(401, "Send a valid key: `Authorization: Bearer KEY`.")
    if isinstance(error, Http404):
        return not_found()
    if isinstance(error, HttpError):
        return problem(error.status_code if error.status_code in TITLES else 400, str(error))
    for kind, status in STATUSES:
        if isinstance(error, kind):
            return problem(status, str(error), _fields_of(request, error))
    if isinstance(error, SuspiciousOperation | BadRequest | UnreadablePostError):
        return problem(400, "The request cannot be read: it is broken off, or has far too many parts.")
    if isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError):
        log.error("database_unavailable path=%s", request.path, exc_info=error)
        return problem(503, "The database cannot answer now. Try again; what is sent twice is taken once.")
    log.error("unforeseen_error path=%s", request.path, exc_info=error)
    return problem(500, "Something went wrong on our side; it is in the log.")


def _field_of(item: dict[str, Any]) -> dict[str, Any]:
    """One finding of the schema; the name of the handler's own argument is dropped from its place."""
    source, *inner = item["loc"]
    return {"loc": [source, *(inner[1:] if source == "body" else inner)], "msg": item["msg"]}


def _fields_of(request: HttpRequest, error: Exception) -> list[dict[str, Any]] | None:
    if not isinstance(error, Invalid):
        return None
    source = "body" if request.method in BODY_METHODS else "query"
    found = error.errors or (FieldError((), str(error)),)
    return [{"loc": [source, *item.loc], "msg": item.msg} for item in found]
