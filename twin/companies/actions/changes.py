"""The version of company information and the record of its changes, in whichever way they come."""

from __future__ import annotations

from collections.abc import Mapping

from twin.companies.models import Information, InformationChange
from twin.companies.types import Scope
from twin.kernel import clock


def locked_information(company_id: int) -> Information:
    """The company's row, made when it has none, nobody else's until the transaction ends."""
    Information.objects.bulk_create([Information(company_id=company_id, changed_at=clock.now())], ignore_conflicts=True)
    return Information.objects.select_for_update().get(company_id=company_id)


def note_change(scope: Scope, row: Information, before: Mapping[str, str]) -> None:
    """Give the locked row its next version and remember what the changed fields held; the caller saves it."""
    row.version += 1
    row.changed_at = clock.now()
    row.name_given = row.name_given or "name" in before
    InformationChange.objects.create(
        company_id=row.company_id,
        version=row.version,
        changed_at=row.changed_at,
        changed_by_id=scope.person_id,
        before=dict(before),
    )
