"""`/billing-settings/logo`: the picture on new documents of the key's company."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from twin.api.auth import ApiKey, scope_of
from twin.billing.actions.settings import set_logo
from twin.billing.errors import LogoMissing
from twin.billing.queries.settings import logo_of
from twin.companies.types import BILLING_READ, BILLING_WRITE

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
_PICTURE: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_ANSWER: dict[str, Any] = {"responses": {200: {"content": {PNG: _PICTURE, JPEG: _PICTURE}}}}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {PNG: _PICTURE, JPEG: _PICTURE}}}
router = Router(tags=["Statements"])


@router.get("/billing-settings/logo", auth=ApiKey(BILLING_READ), response={200: None}, openapi_extra=_ANSWER)
def get_logo(request: HttpRequest) -> HttpResponse:
    """The picture as documents bear it; 404 when there is none."""
    found = logo_of(scope_of(request))
    if found is None:
        raise LogoMissing("New documents bear no logo.")
    return HttpResponse(found[1], content_type=found[0])


@router.put(
    "/billing-settings/logo",
    auth=ApiKey(BILLING_WRITE, reads=(PNG, JPEG)),
    response={204: None},
    openapi_extra=_BODY,
)
def put_logo(request: HttpRequest) -> Status[None]:
    """Put a picture on new documents: PNG or JPEG of at most 200 kB and 4,000 × 4,000 dots. Issued ones keep theirs."""
    set_logo(scope_of(request), request.body)
    return Status(204, None)


@router.delete("/billing-settings/logo", auth=ApiKey(BILLING_WRITE), response={204: None})
def delete_logo(request: HttpRequest) -> Status[None]:
    """Take the picture off new documents; nothing happens when there is none."""
    set_logo(scope_of(request), None)
    return Status(204, None)
