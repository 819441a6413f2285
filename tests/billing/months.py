"""Usage sent and months closed in a line each, for stories about statements."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from tests.world import Party
from twin.billing.actions.closing import Closing, close_due
from twin.billing.queries.statements import statements_of
from twin.billing.types import Statement
from twin.companies.access import platform_scope
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering
from twin.metering.types import TakenBatch

_numbers = count(1)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def use(
    company_id: int, when: str | datetime, *, meter: str = "sms.sent", quantity: int = 1, times: int = 1, **more: Any
) -> TakenBatch:
    """Usage of the company, `times` events a microsecond apart, taken now."""
    moment = when if isinstance(when, datetime) else at(when)
    events = [
        {
            "specversion": "1.0",
            "type": "twin.usage",
            "source": "smsc-1",
            "id": more.get("key") or f"m{next(_numbers)}",
            "subject": str(company_id),
            "time": (moment + timedelta(microseconds=n)).isoformat(),
            "data": {"meter": meter, "quantity": quantity, "attributes": more.get("attributes") or {}},
        }
        for n in range(times)
    ]
    taken = metering.take_events(platform_scope(), json.dumps(events).encode(), batch=True)
    assert taken.accepted == times, taken
    return taken


def close(seller: Party, now: str | datetime, **more: Any) -> Closing:
    return close_due(seller.scope, now=now if isinstance(now, datetime) else at(now), **more)


def statements_between(seller: Party, buyer_id: int) -> list[Statement]:
    """All stored statements of the pair with their lines, in order."""
    with tenant_transaction(seller.id), connection.cursor() as cursor:
        cursor.execute("select id from billing_statement where buyer_id = %s order by starts_at", [buyer_id])
        ids = [row[0] for row in cursor.fetchall()]
    found = statements_of(seller.scope, ids)
    return sorted(found, key=lambda one: one.period.start)


def lines(found: Statement) -> list[tuple[str, int, str, int, int, int]]:
    """Of each line: kind, month, meter, count, billed quantity, amount."""
    return [(one.kind, one.month.month, one.meter, one.count, one.billed, one.amount) for one in found.lines]
