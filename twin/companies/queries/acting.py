"""Who acts for which company, as the organisation they come from sees it."""

from __future__ import annotations

from typing import Any, Final

from django.db import connections

from twin.companies.errors import CompanyNotFound
from twin.companies.queries.tree import get_company
from twin.companies.rules.acting import may_act_for
from twin.companies.types import Acting, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped

_OPEN: Final = """
    select a.id, a.user_id, a.organisation_id, o.name, a.company_id, c.name, c.kind, a.reason, a.may_write,
        a.started_at, a.expires_at, coalesce(i.is_complete, false), c.needs_second_factor
    from companies_acting a
    join companies_company o on o.id = a.organisation_id
    join companies_company c on c.id = a.company_id
    left join companies_information i on i.company_id = a.company_id
    where a.id = %(id)s and a.user_id = %(person)s and a.organisation_id = %(organisation)s
        and a.ended_at is null and a.expires_at > %(now)s
"""


@scoped
def open_acting(scope: Scope, acting_id: int) -> Acting | None:
    """What the scope's own person does for a company, while it is open and they may; else None."""
    asked = {
        "id": acting_id,
        "person": scope.person_id,
        "organisation": scope.organisation_id,
        "now": clock.now(),
    }
    with connections["default"].cursor() as cursor:
        cursor.execute(_OPEN, asked)
        row = cursor.fetchone()
    if row is None:
        return None
    found = _acting(*row)
    try:
        company = get_company(scope, found.company_id)
    except CompanyNotFound:
        return None
    return found if may_act_for(scope, company) else None


def _acting(*columns: Any) -> Acting:
    return Acting(*columns)
