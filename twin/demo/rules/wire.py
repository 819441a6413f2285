"""Usage as the bodies that `POST /api/v1/usage/events` takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from twin.demo.types import Usage
from twin.pricing.meters import METER_BY_ID

BATCH: Final = 5_000
# The gateway that reports a service's usage.
_SOURCES: Final = {
    "messaging": "gateway-1",
    "chat": "chat-1",
    "telephony_legacy": "pbx-1",
    "telephony_new": "pbx-2",
    "bot": "bot-api",
}


def batches(usage: Usage, subjects: Sequence[int], prefix: str = "demo") -> Iterator[tuple[int, bytes]]:
    """Number of events and body, batch by batch; `subjects` gives the company id of each customer.

    An event's key is its place in the whole, so that the same world sent again is a repetition.
    """
    meters = {number: (_SOURCES[meter.service], meter.code) for number, meter in METER_BY_ID.items()}
    attributes = [f',"attributes":{json.dumps(chosen)}' if chosen else "" for chosen in usage.attribute_sets]
    for start in range(0, len(usage), BATCH):
        part = slice(start, start + BATCH)
        columns = zip(
            range(start, start + BATCH),
            usage.customer[part].tolist(),
            usage.meter[part].tolist(),
            usage.quantity[part].tolist(),
            np.datetime_as_string(usage.moment[part], unit="ms", timezone="UTC").tolist(),
            usage.attributes[part].tolist(),
            strict=False,
        )
        items = [
            f'{{"specversion":"1.0","type":"twin.usage","source":"{meters[meter][0]}","id":"{prefix}-{number:08d}",'
            f'"subject":"{subjects[customer]}","time":"{moment}","data":{{"meter":"{meters[meter][1]}",'
            f'"quantity":{quantity}{attributes[chosen]}}}}}'
            for number, customer, meter, quantity, moment, chosen in columns
        ]
        yield len(items), f"[{','.join(items)}]".encode()
