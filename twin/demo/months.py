"""The months of the demonstration that are over: each closed when a server would have closed it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from twin.billing.actions.closing import close_due
from twin.billing.queries.sellers import billing_sellers
from twin.companies.access import billing_scope, platform_scope

_MONTHS_BACK = 4


def close_past_months(present: datetime) -> None:
    """Statements and documents of all sellers up to the present, without mails. Safe to repeat."""
    for seller in billing_sellers(platform_scope()):
        scope = billing_scope(seller)
        for moment in _closings(present):
            close_due(scope, now=moment, tell=False)


def _closings(present: datetime) -> Iterator[datetime]:
    """The third day of each month, when the grace is over everywhere."""
    first = present.astimezone(UTC).replace(day=1, hour=9, minute=0, second=0, microsecond=0)
    months = [first]
    for _ in range(_MONTHS_BACK):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    for month in reversed(months):
        moment = month + timedelta(days=2)
        if moment <= present:
            yield moment
