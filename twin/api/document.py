"""The OpenAPI 3.1 document: what django-ninja derives from the code, and every refusal beside it."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI

from twin.api.auth import ApiKey
from twin.api.problem import MEDIA_TYPE, TITLES
from twin.api.schemas import Problem, UsageEvent, schema_of
from twin.companies.access import platform_scope
from twin.companies.errors import NotInitialised
from twin.companies.queries import get_company

ALWAYS = (401, 403, 422, 500, 503)
WITH_BODY = (400, 409, 413, 415)
UNAVAILABLE = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds until another try is worthwhile."}}
CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
DESCRIPTION = """\
Usage in, prices, and the report of a reseller. Send your key as `Authorization: Bearer KEY`.

Times are RFC 3339 with an offset. Amounts are decimal strings, exact, never rounded. Ids are integers.
Lists answer `{"items": […], "next_cursor": …}`; send `cursor` to go on, null is the end.
Errors are `application/problem+json` (RFC 9457); for bad input `errors` names each field.
What is out of sight is not found: 404 never tells whether an object exists for somebody else.
Fields that are not known are refused, except in the CloudEvents envelope, where they are ignored; so are unknown
parameters of addresses that have parameters.
"""


def openapi_document(api: NinjaAPI, currency: str | None) -> dict[str, Any]:
    """The document as plain data; with `currency` a new company may name that one only."""
    document: dict[str, Any] = dict(api.get_openapi_schema())
    schemas = document["components"]["schemas"]
    for model in (Problem, UsageEvent):
        schema = schema_of(model)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _document_refusals(path, operation)
    _name_permissions(api, document)
    if currency is not None:
        _allow_one_currency(schemas["NewCompany"]["properties"], currency)
    return document


def own_currency() -> str | None:
    """The currency of this installation, once it has its platform company."""
    try:
        scope = platform_scope()
    except NotInitialised:
        return None
    return get_company(scope, scope.organisation_id).currency


def _document_refusals(path: str, operation: dict[str, Any]) -> None:
    statuses = {*ALWAYS, *(WITH_BODY if "requestBody" in operation else ())}
    if "{" in path or "requestBody" in operation or _names_a_company(operation):
        statuses.add(404)
    if "/reports/" in path or path.endswith("/invoices"):
        statuses.add(406)
    if path.endswith(("/recount", "/discard")):
        statuses.add(409)
    if path.endswith("/logo"):
        statuses.add(404)
    if path.endswith("/usage/events"):
        statuses.add(429)
    responses = operation["responses"]
    for status in sorted(statuses):
        responses[status] = {
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    responses[401]["headers"] = CHALLENGE
    for status in statuses & {429, 503}:
        responses[status]["headers"] = UNAVAILABLE


def _names_a_company(operation: dict[str, Any]) -> bool:
    return any(given["name"] in ("company", "reseller") for given in operation.get("parameters", ()))


def _name_permissions(api: NinjaAPI, document: dict[str, Any]) -> None:
    """Which permissions open an address, any of them; OpenAPI 3.1 calls them roles."""
    doors = {
        operation.view_func.__name__: [
            permission for door in operation.auth_callbacks for permission in _permissions_of(door)
        ]
        for _, router in api._routers  # noqa: SLF001 - the library lists them nowhere else
        for view in router.path_operations.values()
        for operation in view.operations
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["security"] = [{"ApiKey": [name]} for name in doors[operation["operationId"]]]


def _permissions_of(door: object) -> tuple[str, ...]:
    return door.permissions if isinstance(door, ApiKey) else ()


def _allow_one_currency(properties: dict[str, Any], currency: str) -> None:
    properties["currency"] = {
        "anyOf": [{"type": "string", "const": currency}, {"type": "null"}],
        "description": properties["currency"].get("description", ""),
    }
