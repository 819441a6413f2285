"""The door of the API: who asks, may they, and is the body one this address reads."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.http import HttpRequest
from ninja.security import HttpBearer

from twin.api.admission import Admission
from twin.api.bodies import JSON, decode_json, read_body
from twin.api.errors import KeyUnknown
from twin.api.fields import QueryInput
from twin.companies import access
from twin.companies.errors import CompanyInactive
from twin.companies.types import Scope
from twin.kernel.errors import invalid_field


class ApiKey(HttpBearer):
    """Lets in a valid key that holds one of the permissions; the body is looked at only after that.

    Cookies are never looked at: a browser's session has no power here.
    """

    openapi_description = "A key of a company: `Authorization: Bearer KEY`."

    def __init__(
        self,
        *permissions: str,
        reads: tuple[str, ...] = (),
        query: type[QueryInput] | None = None,
        may_remember: bool = False,
        admission: Admission | None = None,
    ) -> None:
        """`may_remember`: the action itself asks whether the key still holds, see `access.remembered_scope`."""
        super().__init__()
        self._scope_of = access.remembered_scope if may_remember else access.scope_for_key
        self.permissions = permissions
        self._admission = admission
        self.reads = reads
        self.parameters = None if query is None else query.parameters()

    def __call__(self, request: HttpRequest) -> Scope | None:
        # From the one header: django-ninja would make a dictionary of all of them, for every request.
        kind, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return self.authenticate(request, token) if kind.lower() == self.openapi_scheme else None

    def authenticate(self, request: HttpRequest, token: str) -> Scope:
        scope = self._scope(request, token.strip())
        if not any(permission in scope.permissions for permission in self.permissions):
            scope.require(self.permissions[0])
        if self.parameters is not None:
            self._refuse_unknown(request.GET)
        if self._admission is not None:
            self._admission.enter(request, scope.organisation_id)
        if self.reads:
            self._read(request)
        return scope

    def _scope(self, request: HttpRequest, token: str) -> Scope:
        """Whose key it is is known from here on, so that a refusal can be recorded with who was refused."""
        try:
            scope = self._scope_of(token) if token else None
        except CompanyInactive as refused:
            request.refused_key = (refused.company_id, refused.key_id)  # type: ignore[attr-defined]  # read by the portal's guards
            raise
        if scope is None:
            raise KeyUnknown("The key is not valid.")
        request.refused_key = (scope.organisation_id, scope.key_id)  # type: ignore[attr-defined]  # as above
        return scope

    def look_again(self, request: HttpRequest) -> Scope:
        """The scope by a look-up of now, after what was remembered turned out not to hold."""
        token = request.headers["Authorization"].partition(" ")[2].strip()
        access.forget_scope(token)
        scope = self._scope(request, token)
        scope.require(self.permissions[0])
        return scope

    def _refuse_unknown(self, given: Iterable[str]) -> None:
        """A misspelt filter would answer another question than the one asked."""
        known = self.parameters or ()
        unknown = [name for name in given if name not in known]
        if unknown:
            message = f"{unknown[0][:64]!r} is not a parameter of this address; it knows {', '.join(known)}."
            raise invalid_field(message, unknown[0][:64])

    def _read(self, request: HttpRequest) -> None:
        media_type = read_body(request, self.reads)
        if media_type == JSON:
            request.parsed_body = decode_json(request.body)  # type: ignore[attr-defined]  # handed to the parser


def reads_json(permission: str) -> ApiKey:
    """The door of an address that takes a JSON body."""
    return ApiKey(permission, reads=(JSON,))


def scope_of(request: HttpRequest) -> Scope:
    """The scope the door has found for this request."""
    scope: Scope = request.auth  # type: ignore[attr-defined]  # set by django-ninja after the door
    return scope


def asked_of(request: HttpRequest) -> bytes:
    """Address and body of a request, the same bytes whenever the same is asked again."""
    body = json.dumps(request.parsed_body, sort_keys=True)  # type: ignore[attr-defined]  # set by the door
    return f"{request.path}\n{body}".encode()
