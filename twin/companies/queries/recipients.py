"""To whom mails about money go."""

from __future__ import annotations

from twin.companies.models import Employment
from twin.companies.types import Recipient, Scope
from twin.kernel.tenancy import scoped


@scoped
def money_people(scope: Scope) -> list[Recipient]:
    """Administrators and finance of the asking organisation who may sign in, by their address."""
    rows = Employment.objects.filter(
        company_id=scope.organisation_id,
        removed_at__isnull=True,
        blocked_at__isnull=True,
        user__is_active=True,
        role__in=("administrator", "finance"),
    ).order_by("user__email")
    return [Recipient(*row) for row in rows.values_list("user__email", "user__name", "user__language")]
