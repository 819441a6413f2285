"""To whom mails about money go."""

from __future__ import annotations

from collections.abc import Collection

from twin.companies.errors import CompanyNotFound
from twin.companies.models import Employment
from twin.companies.types import Recipient, Scope
from twin.kernel.tenancy import scoped


@scoped
def money_people(scope: Scope, company_ids: Collection[int]) -> dict[int, list[Recipient]]:
    """Administrators and finance who may sign in, by company; for the platform alone, which sees them all."""
    if scope.kind != "platform":
        raise CompanyNotFound("Only the platform reads the people of many companies at once.")
    rows = Employment.objects.filter(
        company_id__in=company_ids,
        removed_at__isnull=True,
        blocked_at__isnull=True,
        user__is_active=True,
        role__in=("administrator", "finance"),
    ).order_by("company_id", "user__email")
    found: dict[int, list[Recipient]] = {}
    for company, *person in rows.values_list("company_id", "user__email", "user__name", "user__language"):
        found.setdefault(company, []).append(Recipient(*person))
    return found
