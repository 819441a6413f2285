"""Keys of the API: made and told once, revoked for good."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from twin.companies.access import hash_of
from twin.companies.errors import CompanyNotFound, NotWhileActing, PermissionMissing
from twin.companies.models import ApiKey as ApiKeyRow
from twin.companies.queries import MAX_ID, get_company, shown_key
from twin.companies.recording import record_deed
from twin.companies.rules import checks
from twin.companies.types import COMPANIES_WRITE, ApiKey, Scope
from twin.kernel import clock
from twin.kernel.period import instant_text
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped, tenant_transaction


@scoped
def create_api_key(
    scope: Scope,
    company_id: int,
    scopes: Sequence[str],
    *,
    name: str,
    expires_at: datetime | None = None,
    address: str | None = None,
) -> tuple[ApiKey, str]:
    """A new key of a visible company, and its secret, which is told this once and never again.

    Nobody gives a permission that it lacks itself.
    """
    scope.require(COMPANIES_WRITE)
    if scope.acting_id is not None:
        raise NotWhileActing("A company's keys are made by its own people.")
    company = get_company(scope, company_id)
    name, permissions = checks.checked_key(name, scopes)
    missing = sorted(set(permissions) - scope.permissions)
    if missing:
        raise PermissionMissing(f"You cannot give the permission {missing[0]}, which you do not have.")
    prefix = secrets.token_hex(4)
    secret = f"twin_{prefix}_{secrets.token_urlsafe(32)}"
    with tenant_transaction(company.id):
        row = ApiKeyRow.objects.create(
            company_id=company.id,
            name=name,
            prefix=prefix,
            secret_hash=hash_of(secret),
            scopes=permissions,
            created_at=clock.now(),
            created_by_id=scope.person_id,
            expires_at=expires_at,
        )
    expires = instant_text(expires_at) if expires_at else None
    _record("api_key.created", scope, row, address, permissions=permissions, expires=expires)
    return shown_key(row), secret


@scoped
def revoke_api_key(scope: Scope, *, company_id: int, key_id: int, address: str | None = None) -> None:
    """End a key of a visible company at once; a revoked one stays as it is."""
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    with tenant_transaction(company.id):
        keys = ApiKeyRow.objects.filter(pk=key_id if key_id <= MAX_ID else 0, company_id=company.id)
        row = keys.first()
        if row is None:
            raise CompanyNotFound(f"Company {company.id} has no key {key_id}.")
        is_ended_now = keys.filter(revoked_at__isnull=True).update(revoked_at=clock.now())
    if is_ended_now:
        _record("api_key.revoked", scope, row, address)


def _record(event: Event, scope: Scope, row: ApiKeyRow, address: str | None, **fields: object) -> None:
    record_deed(
        scope,
        event,
        company_id=row.company_id,
        address=address,
        key_id=row.pk,
        name=row.name,
        prefix=row.prefix,
        **fields,
    )
