"""Usage events as CloudEvents text, in every spelling that means the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from tests.flows.oracle import Event


def envelope(event: Event, spelling: Random | None = None) -> dict[str, Any]:
    """The CloudEvent of a usage event; with `spelling`, written in some other way that means the same."""
    data: dict[str, Any] = {"meter": event.meter, "quantity": event.quantity, "attributes": dict(event.attributes)}
    written = {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": event.source,
        "id": event.key,
        "subject": str(event.company),
        "time": event.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    return respell(written, event, spelling) if spelling else written


def respell(written: dict[str, Any], event: Event, spelling: Random) -> dict[str, Any]:
    """Other offset, digits beyond the microsecond, shuffled fields, what may be left out left out."""
    data = written["data"]
    written["time"] = spelled_time(event.time, spelling)
    if event.quantity == 1 and spelling.random() < 0.5:
        del data["quantity"]
    if not event.attributes and spelling.random() < 0.5:
        del data["attributes"]
    if spelling.random() < 0.2:
        written["traceparent"] = f"00-{spelling.getrandbits(128):032x}-00"
        written["datacontenttype"] = "application/json"
    written["data"] = (
        shuffled(data | {"attributes": shuffled(data["attributes"], spelling)}, spelling)
        if ("attributes" in data)
        else shuffled(data, spelling)
    )
    return shuffled(written, spelling)


def spelled_time(moment: datetime, spelling: Random) -> str:
    zone = timezone(timedelta(minutes=spelling.choice([0, 0, 60, -210, 345, 840])))
    text = moment.astimezone(zone).isoformat(timespec="microseconds")
    head, offset = text[:26], text[26:]
    if spelling.random() < 0.3:
        head += spelling.choice(["9", "999", "000"])
    if offset == "+00:00" and spelling.random() < 0.7:
        offset = "Z"
    return head + offset


def shuffled(mapping: dict[str, Any], spelling: Random) -> dict[str, Any]:
    items = list(mapping.items())
    spelling.shuffle(items)
    return dict(items)


def batch_body(events: Iterable[Event], spelling: Random | None = None) -> bytes:
    return json.dumps([envelope(event, spelling) for event in events]).encode()
