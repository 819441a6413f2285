"""A handful of usage with figures that can be checked by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.world import World
from twin.metering import actions as metering

OCTOBER = "from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z&time_zone=UTC"
MIDDLE = datetime(2026, 10, 15, 12, tzinfo=UTC)


def record(world: World, company_id: int, meter: str, quantity: int, key: str, at: datetime = MIDDLE) -> None:
    """One event; 0.01 is owed to Twin and 0.02 to Rhea for each unit."""
    event = {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "tests",
        "id": key,
        "subject": str(company_id),
        "time": at.isoformat().replace("+00:00", "Z"),
        "data": {"meter": meter, "quantity": quantity},
    }
    taken = metering.take_events(world.twin.scope, json.dumps([event]).encode(), batch=True)
    assert (taken.accepted, taken.rejected) == (1, [])


def record_october(world: World) -> None:
    """Acme: an SMS of 1,234,567 parts and a call of 61 s; Cedar, beneath Sola: 3 bot messages."""
    record(world, world.acme.id, "sms.delivered", 1_234_567, "sms-1")
    record(world, world.acme.id, "call.outgoing", 61, "call-1")
    record(world, world.cedar.id, "bot.message", 3, "bot-1")
