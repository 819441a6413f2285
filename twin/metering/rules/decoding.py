"""From the bytes of a request to usage events, one reason per item that cannot be used.

The fast path decodes the whole batch at once; only when that fails is each item
decoded by itself. Both accept exactly the same events: what the fast decoder treats
differently (digits beyond the microsecond, an offset without its colon, NUL, lone surrogates, 2.0 for 2) is
searched for in the bytes first and sent the slow way.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta

from twin.metering.errors import BatchTooLong, NotABatch, UnreadableBody
from twin.metering.types import Refusal

MAX_EVENTS = 10_000
MAX_QUANTITY = 10**12
MAX_EXACT_FLOAT = 2**53

Label = Annotated[str, Meta(max_length=128)]


class Measure(msgspec.Struct, frozen=True, gc=False):
    """What was used: `data` of the CloudEvent."""

    meter: Annotated[str, Meta(min_length=1, max_length=128)]
    quantity: Annotated[int, Meta(ge=0, le=MAX_QUANTITY)] = 1
    attributes: Annotated[dict[Label, Label], Meta(max_length=16)] = {}


class UsageEvent(msgspec.Struct, frozen=True, gc=False):
    """One usage event in the envelope of CloudEvents 1.0; other envelope fields are ignored."""

    specversion: Literal["1.0"]
    type: Literal["twin.usage"]
    source: Annotated[str, Meta(min_length=1, max_length=128)]
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    subject: Annotated[str, Meta(min_length=1, max_length=128)]
    time: Annotated[datetime, Meta(tz=True)]
    data: Measure


@dataclass(frozen=True)
class Decoded:
    """The usable events with their place in the batch, and the refusals of the others."""

    events: list[UsageEvent]
    places: list[int] | None  # None: every item of the batch was usable, in order
    rejected: list[Refusal]

    def place(self, number: int) -> int:
        return number if self.places is None else self.places[number]

    def places_of(self, numbers: list[int]) -> list[int]:
        """`place` of each."""
        return numbers if self.places is None else [self.places[number] for number in numbers]


_batch_decoder = msgspec.json.Decoder(list[UsageEvent])
_single_decoder = msgspec.json.Decoder(UsageEvent)
_beyond_microsecond = re.compile(rb"\.\d{7}")
# An offset without its colon, which RFC 3339 does not know. Each pattern begins with a rare letter, so that the
# search is quick; dashes are common in ids, so before one the end of a time is asked for: seconds or a fraction.
_bare_plus = re.compile(rb'\+\d{4}"')
_bare_minus = re.compile(
    rb'-\d{4}"(?:(?<=:\d\d-\d{4}")|' + b"|".join(rb'(?<=\.\d{%d}-\d{4}")' % n for n in range(1, 7)) + b")"
)
_bare_offset = re.compile(r"[+-]\d{4}$", re.ASCII)
_extra_digits = re.compile(r"(\.\d{6})\d+")
_unsafe_text = re.compile("[\x00\ud800-\udfff]")


def decode_batch(body: bytes) -> Decoded:
    """The events of a `cloudevents-batch+json` body; raises when the body as a whole is unusable."""
    if may_decode_fast(body):
        try:
            events = _batch_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            if len(events) > MAX_EVENTS:
                raise BatchTooLong(f"A batch has at most {MAX_EVENTS} events; this one has {len(events)}.")
            return Decoded(events, None, [])
    items = _parse(body)
    if not isinstance(items, list):
        raise NotABatch("The body must be a JSON list of events.")
    if len(items) > MAX_EVENTS:
        raise BatchTooLong(f"A batch has at most {MAX_EVENTS} events; this one has {len(items)}.")
    return decode_items(items)


def may_decode_fast(body: bytes) -> bool:
    """Whether the fast decoder means the same as the careful one for this text."""
    return b"\\u" not in body and not any(
        pattern.search(body) for pattern in (_beyond_microsecond, _bare_plus, _bare_minus)
    )


def decode_single(body: bytes) -> Decoded:
    """The event of a `cloudevents+json` body, as a batch of one."""
    if may_decode_fast(body):
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            return Decoded([_single_decoder.decode(body)], None, [])
    return decode_items([_parse(body)])


def decode_items(items: list[Any]) -> Decoded:
    """Each JSON value as an event or a refusal naming what is wrong with it."""
    events: list[UsageEvent] = []
    places: list[int] = []
    rejected: list[Refusal] = []
    for place, item in enumerate(items):
        try:
            events.append(_event_of(item))
            places.append(place)
        except (msgspec.ValidationError, ValueError, OverflowError) as error:
            rejected.append(Refusal(place, item_id(item), _reason(item, str(error))))
    return Decoded(events, places, rejected)


def parse_line(line: bytes) -> Any:
    """One line of NDJSON; raises `UnreadableBody`."""
    return _parse(line)


def item_id(item: Any) -> str:
    """The id of a refused item as far as it can be told back safely."""
    value = item.get("id") if isinstance(item, dict) else None
    return _unsafe_text.sub("�", value[:256]) if isinstance(value, str) else ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UnreadableBody(f"The body is not readable JSON: {_unsafe_text.sub('�', reason)}.") from None


def _event_of(item: Any) -> UsageEvent:
    if not isinstance(item, dict):
        raise msgspec.ValidationError(f"The item is not an object: {str(item)[:100]}")
    time = item.get("time")
    if isinstance(time, str):
        _check_time(time)
        item = {**item, "time": _extra_digits.sub(r"\1", time)}
    event = msgspec.convert(_whole_quantity(item), UsageEvent)
    _check_text(event)
    return event


def _check_time(time: str) -> None:
    if time[17:19] == "60":
        raise ValueError("time: second 60 (a leap second) is not accepted; send 59 or the next minute.")
    if _bare_offset.search(time):
        raise ValueError("time: the offset has no colon; write it as in +02:00.")


def _whole_quantity(item: dict[str, Any]) -> dict[str, Any]:
    """2.0 is the integer 2 in JSON's eyes; 2.5 is refused with a clear word."""
    data = item.get("data")
    quantity = data.get("quantity") if isinstance(data, dict) else None
    if not isinstance(quantity, float) or not isinstance(data, dict):
        return item
    if not quantity.is_integer() or abs(quantity) > MAX_EXACT_FLOAT:
        raise ValueError("data.quantity: must be a whole number, not a fraction.")
    return {**item, "data": {**data, "quantity": int(quantity)}}


def _check_text(event: UsageEvent) -> None:
    for name, value in (("source", event.source), ("id", event.id), ("subject", event.subject)):
        if _unsafe_text.search(value):
            raise ValueError(f"{name}: holds NUL or half a character (a lone surrogate).")
    for key, value in event.data.attributes.items():
        if _unsafe_text.search(key) or _unsafe_text.search(value):
            raise ValueError("data.attributes: hold NUL or half a character (a lone surrogate).")


def _reason(item: Any, message: str) -> str:
    """msgspec's sentence with the path first: "data.quantity: Expected `int`, got `str`"."""
    text, _, path = message.partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    if isinstance(item, dict) and isinstance(item.get("time"), str) and "timezone component" in text:
        text = "The time has no offset; add Z or an offset such as +02:00."
    return _unsafe_text.sub("�", f"{where}: {text}" if where else text)
