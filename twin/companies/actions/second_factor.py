"""Whether a company demands a second factor of all its people."""

from __future__ import annotations

from twin.companies.errors import NotWhileActing
from twin.companies.models import Company as CompanyRow
from twin.companies.recording import record_deed
from twin.companies.types import COMPANIES_WRITE, Scope
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped


@scoped
def demand_second_factor(scope: Scope, *, demanded: bool, address: str | None = None) -> None:
    """Say so for the scope's own company; each of its people then has the days of grace. Safe to repeat."""
    scope.require(COMPANIES_WRITE)
    if scope.acting_id is not None:
        raise NotWhileActing("Whether its people need a second factor is said by the company's own administrators.")
    changed = (
        CompanyRow.objects.filter(pk=scope.organisation_id)
        .exclude(needs_second_factor=demanded)
        .update(needs_second_factor=demanded)
    )
    if changed:
        event: Event = "second_factor_demanded" if demanded else "second_factor_left_open"
        record_deed(scope, event, company_id=scope.organisation_id, address=address)
