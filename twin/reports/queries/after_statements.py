"""What of the report closed statements have not seen: both clocks side by side."""

from __future__ import annotations

from twin.billing.queries.closed import unseen_spans
from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.queries import current_cutoff
from twin.metering.queries.late import ChargedAfter, charged_after


@scoped(snapshot=True)
def charged_after_statements(scope: Scope, period: Period) -> list[ChargedAfter]:
    """What came or changed on the organisation's selling side after the closed statement of its month."""
    groups = unseen_spans(scope, period, now_at=current_cutoff(scope))
    return [one for group in groups for one in charged_after(scope, group)]
