"""Many new companies at once: one look at the parent, one place-taking, one version of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connections

from twin.companies.actions.tree import founding_fields, parent_for, shown
from twin.companies.models import Company as CompanyRow
from twin.companies.recording import record_deeds
from twin.companies.rules import checks
from twin.companies.rules.tree import folded
from twin.companies.types import COMPANIES_WRITE, CatalogueChange, Company, NewCompany, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped, tenant_transaction

_ROWS_AT_ONCE = 1_000


@scoped
def create_companies(
    scope: Scope, *, change: CatalogueChange, parent_id: int | None, companies: Sequence[NewCompany]
) -> list[Company]:
    """All of them directly under one parent, or none; the same checks as `create_company`, in the order given.

    The seller's default card is given by `pricing.actions.create_companies`.
    """
    del change
    scope.require(COMPANIES_WRITE)
    if not companies:
        return []
    present = clock.now()
    rows = [_row(company, present) for company in companies]
    starts = [company.effective_from or present for company in companies]
    parent = parent_for(scope, parent_id, min(starts))
    if max(starts) > min(starts):
        parent_for(scope, parent_id, max(starts))
    _refuse_repeats(parent.id, [row.external_id for row in rows if row.external_id is not None])
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select nextval(pg_get_serial_sequence('companies_company', 'id')) from generate_series(1, %s)", [len(rows)]
        )
        ids = sorted(row[0] for row in cursor.fetchall())
        # The place comes first, see `create_company`.
        cursor.execute(
            "insert into companies_membership (company_id, parent_id, start_at)"
            " select company_id, %s, start_at from unnest(%s::int[], %s::timestamptz[]) new(company_id, start_at)",
            [parent.id, ids, starts],
        )
        cursor.execute("select companies_place_new(%s)", [ids])
    for row, company_id, start in zip(rows, ids, starts, strict=True):
        row.id, row.existed_from, row.currency = company_id, start, parent.currency
    CompanyRow.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE)
    record_deeds(scope, "company.created", [(row.pk, founding_fields(row, parent.id)) for row in rows])
    return [shown(row, parent.id) for row in rows]


def _row(company: NewCompany, present: datetime) -> CompanyRow:
    name = checks.checked_name(company.name)
    return CompanyRow(
        kind=checks.checked_child_kind(company.kind),
        name=name,
        search_name=folded(name),
        external_id=checks.checked_external_id(company.external_id),
        time_zone=checks.checked_zone(company.time_zone),
        created_at=present,
    )


def _refuse_repeats(parent_id: int, external_ids: list[str]) -> None:
    repeated = [code for code, times in Counter(external_ids).items() if times > 1]
    with tenant_transaction(parent_id), connections["default"].cursor() as cursor:
        cursor.execute(
            "select c.external_id from companies_ancestry a join companies_company c on c.id = a.company_id"
            " where a.ancestor_id = %s and a.distance = 1 and (a.end_at is null or a.end_at > %s)"
            " and c.external_id = any(%s) order by 1 limit 1",
            [parent_id, clock.now(), external_ids],
        )
        found: list[Any] = [*repeated, *(row[0] for row in cursor.fetchall())]
    if found:
        raise checks.invalid(f"Another company under the same parent has the external id {found[0]!r}.", "external_id")
