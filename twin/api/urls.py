"""Addresses for machines: `/api/v1/…`, `/healthz`, `/readyz`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.utils import translation
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser

from twin.api import (
    balances,
    bank_files,
    companies,
    corrections,
    health,
    invoices,
    logos,
    prices,
    reports,
    statements,
    usage,
)
from twin.api.admission import leave
from twin.api.bodies import discard_body, forget_body
from twin.api.document import DESCRIPTION, openapi_document, own_currency
from twin.api.problem import method_not_allowed, not_found, problem_of

View = Callable[..., HttpResponseBase]


class ReadAtTheDoor(Parser):
    """Bodies are read and decoded by the door, strictly, before django-ninja sees them."""

    def parse_body(self, request: HttpRequest) -> Any:
        return request.parsed_body  # type: ignore[attr-defined]  # set by the door


class TwinApi(NinjaAPI):
    """Operations are called in the document as their functions are called."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__


def make_api() -> NinjaAPI:
    """The whole API, every refusal of it a problem document."""
    made = TwinApi(
        title="Twin",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
        parser=ReadAtTheDoor(),
    )
    # The last two would otherwise be answered by django-ninja in a shape of its own.
    for kind in (Exception, Http404, HttpError, ValidationError):
        made.add_exception_handler(kind, problem_of)
    for resource in (
        *(companies, prices, usage, corrections, reports),
        *(invoices, statements, logos, balances, bank_files),
    ):
        made.add_router("", resource.router)
    return made


def guarded(view: View) -> View:
    """English, uncached, HEAD where there is GET, and a problem document for whatever comes out otherwise."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "HEAD":
            request.method = "GET"
        with translation.override("en"):
            try:
                response = view(request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the last net: the asker gets a problem document, the log the cause
                response = problem_of(request, error)
            finally:
                leave(request)
        if response.status_code == 405:
            response = method_not_allowed(response["Allow"].replace(" ", "").split(","))
        response["Cache-Control"] = "no-store"
        if response.status_code >= 400:
            discard_body(request)
        forget_body(request)
        return response

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # a key, not a cookie, opens this door
    return answer


def openapi_json(request: HttpRequest) -> HttpResponse:
    """The description of all of it, for everybody."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(["GET"])
    return HttpResponse(_written_document(own_currency()), content_type="application/json")


@lru_cache(maxsize=2)
def _written_document(currency: str | None) -> str:
    return json.dumps(openapi_document(api, currency))


def _guarded_patterns(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = guarded(pattern.callback)
    return patterns


api = make_api()
_patterns, _app, _namespace = api.urls
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/v1/openapi.json", guarded(openapi_json)),
    path("api/v1/", include((_guarded_patterns(_patterns), _app), namespace=_namespace)),
    re_path(r"^api(/.*)?$", guarded(not_found)),
]
