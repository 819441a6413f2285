"""The months of the demonstration that are over: each closed, and its documents dated, as a server would have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from twin.billing.actions.closing import close_due
from twin.billing.actions.settings import save_settings
from twin.billing.queries.pairs import next_statements
from twin.billing.queries.sellers import billing_sellers
from twin.billing.queries.settings import settings_of
from twin.companies.access import billing_scope, platform_scope
from twin.companies.types import Scope

# Longer than most of a month: at any day of it the last month's invoices are still open, some earlier ones overdue.
PAYMENT_DAYS: Final = 30
_HOUR: Final = timedelta(hours=1)


def close_past_months(present: datetime) -> None:
    """Statements and documents of all sellers up to the present, without mails. Safe to repeat."""
    for seller in billing_sellers(platform_scope()):
        scope = billing_scope(seller)
        settings = settings_of(scope)
        if settings.payment_days != PAYMENT_DAYS:
            save_settings(scope, settings=replace(settings, payment_days=PAYMENT_DAYS))
        moment = _next_closing(scope, settings.grace, present, after=None)
        while moment is not None:
            close_due(scope, now=moment, tell=False, issued_at=moment)
            moment = _next_closing(scope, settings.grace, present, after=moment)


def _next_closing(scope: Scope, grace: timedelta, present: datetime, *, after: datetime | None) -> datetime | None:
    """The hour at which the next month of some buyer is over and its grace too; what is held is not tried again."""
    ends = {_full_hour(one.span.over_at + grace) for one in next_statements(scope, present)}
    due = [moment for moment in ends if moment <= present and (after is None or moment > after)]
    return min(due, default=None)


def _full_hour(moment: datetime) -> datetime:
    """The schedule looks every hour."""
    return moment if moment == (cut := moment.replace(minute=0, second=0, microsecond=0)) else cut + _HOUR
