"""What is refused item by item, with a reason, while the good items of the batch are taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.flows.driver import Twins
from tests.flows.oracle import Event
from tests.flows.small import Small
from tests.flows.wire import envelope
from twin.companies import actions as companies
from twin.kernel import clock
from twin.metering import actions as metering

pytestmark = pytest.mark.database

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = datetime(2026, 11, 20, tzinfo=UTC)
MISSING = object()


@pytest.fixture
def small(twins: Twins) -> Small:
    return Small(twins, T0, END)


def bent(company: int, path: str, value: object) -> dict[str, Any]:
    """A good event with one thing changed; a dotted path leads into `data`."""
    event = envelope(Event(company, "s", "bent", "sms.sent", NOON, 1, (("a", "1"),)))
    inner: dict[str, Any] = event["data"] if path.startswith("data.") else event
    name = path.removeprefix("data.")
    inner[name] = value
    if value is MISSING:
        del inner[name]
    return event


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("subject", "0"),
        ("subject", "999999999"),
        ("subject", "99999999999999999999"),
        ("subject", "-1"),
        ("subject", "acme"),
        ("subject", "external:nobody"),
        ("subject", "external:"),
        ("subject", ""),
        ("subject", 7),
        ("subject", None),
        ("subject", MISSING),
        ("source", ""),
        ("source", "s" * 129),
        ("source", MISSING),
        ("source", "s\x00"),
        ("id", ""),
        ("id", "i" * 257),
        ("id", 5),
        ("id", MISSING),
        ("id", "nul\x00"),
        ("id", "half \ud800 a letter"),
        ("time", MISSING),
        ("time", None),
        ("time", 1_700_000_000),
        ("time", "2026-03-01"),
        ("time", "2026-03-01T12:00:00"),
        ("time", "2026-03-01T12:00:60Z"),
        ("time", "2026-02-30T12:00:00Z"),
        ("time", "2026-03-01T24:00:00Z"),
        ("time", "2026-03-01T12:00:00+25:00"),
        ("time", "yesterday"),
        ("time", "2025-12-31T23:59:59.999999Z"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("time", "9999-12-31T23:59:59-14:00"),
        ("data", MISSING),
        ("data", None),
        ("data", []),
        ("data", "sms"),
        ("data.meter", "sms.read"),
        ("data.meter", MISSING),
        ("data.meter", 1),
        ("data.quantity", -1),
        ("data.quantity", 1.5),
        ("data.quantity", "1"),
        ("data.quantity", True),
        ("data.quantity", None),
        ("data.quantity", 10**12 + 1),
        ("data.quantity", 10**30),
        ("data.attributes", []),
        ("data.attributes", "a"),
        ("data.attributes", {"a": 1}),
        ("data.attributes", {"a": None}),
        ("data.attributes", {"a": "x" * 129}),
        ("data.attributes", {"x" * 129: "a"}),
        ("data.attributes", {"a": "nul\x00"}),
        ("data.attributes", {"nul\x00": "a"}),
        ("data.attributes", {"a": "half \udfff"}),
        ("data.attributes", {str(n): "a" for n in range(17)}),
    ],
)
def test_a_bad_item_is_refused_with_a_reason_and_its_neighbours_are_taken(
    small: Small, path: str, value: object
) -> None:
    before, after = (envelope(Event(small.acme, "s", key, "sms.sent", NOON)) for key in ("before", "after"))
    body = json.dumps([before, bent(small.acme, path, value), after]).encode()
    answer = metering.take_events(small.twins.scope(small.twins.platform), body, batch=True)
    assert (answer.accepted, [refusal.index for refusal in answer.rejected]) == (2, [1])
    assert len(answer.rejected[0].detail) > 10
    assert small.row(small.acme, "messaging").meters["sms.sent"].count == 2


@pytest.mark.parametrize("item", [None, 1, "event", [], [[]], True])
def test_an_item_that_is_no_object_is_refused(small: Small, item: object) -> None:
    good = envelope(Event(small.acme, "s", "good", "sms.sent", NOON))
    body = json.dumps([item, good]).encode()
    answer = metering.take_events(small.twins.scope(small.twins.platform), body, batch=True)
    assert (answer.accepted, [refusal.index for refusal in answer.rejected]) == (1, [0])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.quantity", 0),
        ("data.quantity", 10**12),
        ("data.attributes", {"k" * 128: "v" * 128}),
        ("data.attributes", {str(n): "" for n in range(16)}),
        ("source", "s" * 128),
        ("id", "ж" * 256),
        ("id", " "),
        ("time", "2026-03-01t12:00:00z"),
        ("time", "2026-03-01T12:00:00.1234567890123Z"),
        ("time", "2026-01-01T00:00:00Z"),
        ("datacontenttype", "application/json"),
        ("extension", {"any": ["thing"]}),
    ],
)
def test_what_lies_on_the_edge_of_the_allowed_is_taken(small: Small, path: str, value: object) -> None:
    body = json.dumps([bent(small.acme, path, value)]).encode()
    answer = metering.take_events(small.twins.scope(small.twins.platform), body, batch=True)
    assert (answer.accepted, answer.rejected) == (1, [])


@pytest.mark.parametrize(("seconds", "accepted"), [(4 * 60 + 55, 1), (5 * 60 + 5, 0)])
def test_an_event_may_be_five_minutes_ahead_and_no_more(small: Small, seconds: int, accepted: int) -> None:
    event = Event(small.acme, "s", "k", "sms.sent", clock.now() + timedelta(seconds=seconds))
    assert small.twins.take([event]).accepted == accepted


def test_a_company_can_be_named_by_the_code_of_its_seller(twins: Twins) -> None:
    small = Small(twins, T0, END)
    companies.update_company(twins.scope(small.rhea), small.acme, external_id="A-17")
    event = envelope(Event(small.acme, "s", "k", "sms.sent", NOON)) | {"subject": "external:A-17"}
    body = json.dumps([event]).encode()
    assert metering.take_events(twins.scope(small.rhea), body, batch=True).accepted == 1
    by_number = json.dumps([event | {"subject": str(small.acme)}]).encode()
    assert metering.take_events(twins.scope(small.rhea), by_number, batch=True).duplicates == 1
    assert small.row(small.acme, "messaging").meters["sms.sent"].count == 1


def test_a_key_cannot_send_for_a_company_that_is_not_beneath_it(small: Small) -> None:
    event = Event(small.acme, "s", "k", "sms.sent", NOON)
    body = json.dumps([envelope(event)]).encode()
    answer = metering.take_events(small.twins.scope(small.birch), body, batch=True)
    assert (answer.accepted, [refusal.index for refusal in answer.rejected]) == (0, [0])
    stranger = json.dumps([envelope(event) | {"subject": "999999999"}]).encode()
    unknown = metering.take_events(small.twins.scope(small.birch), stranger, batch=True)
    # The answer for what exists elsewhere must not differ from the answer for what does not exist.
    assert answer.rejected[0].detail.replace(str(small.acme), "N") == unknown.rejected[0].detail.replace(
        "999999999", "N"
    )


def test_blocking_a_company_never_stops_the_record_of_its_usage(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    companies.update_company(small.twins.scope(small.rhea), small.acme, state="blocked", reason="unpaid")
    assert small.use("sms.sent", NOON).accepted == 1
    assert small.sold(small.acme, "sms.sent") == 50_000_000


def test_closing_a_company_refuses_later_usage_and_keeps_the_earlier(small: Small) -> None:
    small.sell("sms.sent", "0.05")
    small.use("sms.sent", NOON)
    companies.update_company(small.twins.scope(small.rhea), small.acme, state="closed", reason="gone")
    small.twins.oracle.closed[small.acme] = clock.now()
    assert small.use("sms.sent", clock.now() + timedelta(minutes=1)).rejected == [0]
    assert small.use("sms.sent", NOON + timedelta(hours=1)).accepted == 1
    assert small.sold(small.acme, "sms.sent") == 100_000_000
