"""What somebody did, in the record of security: always with who it was, whichever way they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.companies.models import ApiKey
from twin.companies.types import Scope
from twin.kernel import security_log
from twin.kernel.security_events import Event
from twin.kernel.tenancy import tenant_transaction


def record_deed(scope: Scope, event: Event, *, company_id: int, address: str | None = None, **fields: object) -> None:
    """Add what the scope did at a company, in the transaction that does it.

    Who did it is the person, or the key by number and name, or the operator at the console.
    """
    security_log.record(event, user_id=scope.person_id, company_id=company_id, address=address, **fields, **_by(scope))


def record_deeds(scope: Scope, event: Event, about: Sequence[tuple[int, Mapping[str, object]]]) -> None:
    """The same at many companies, each with fields of its own; one round trip for thousands."""
    security_log.record_many(event, about, user_id=scope.person_id, **_by(scope))


def record_refused_key(event: Event, *, company_id: int, key_id: int | None, method: str, path: str) -> None:
    """What a known key was refused, at the company it acts for."""
    by = {} if key_id is None else _key(company_id, key_id)
    security_log.record(event, company_id=company_id, method=method, path=path, **by)


def _key(company_id: int, key_id: int) -> dict[str, Any]:
    """The name stands beside the number: who reads the record may not see the key."""
    with tenant_transaction(company_id):
        name = ApiKey.objects.values_list("name", flat=True).get(pk=key_id)
    return {"by_key_id": key_id, "by_key": name}


def _by(scope: Scope) -> dict[str, Any]:
    """Whoever is no person."""
    if scope.key_id is not None:
        return _key(scope.organisation_id, scope.key_id)
    return {} if scope.person_id is not None else {"by": "operator"}
