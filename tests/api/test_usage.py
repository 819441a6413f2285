"""Usage over HTTP, sentence by sentence of the contract."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.client import BATCH, PROBLEM, SINGLE, Api, event
from tests.world import World
from twin.kernel.clock import now
from twin.kernel.period import instant_text

NOTHING = {"accepted": 0, "duplicates": 0, "unrated": 0, "conflicts": [], "rejected": []}


def test_one_event_is_answered_with_the_same_body(api: Api, world: World) -> None:
    answer = api.send("POST", "/usage/events", world.twin, event(world.acme.id, "1"), content_type=SINGLE)
    assert (answer.status, answer.json) == (200, NOTHING | {"accepted": 1})
    assert answer.media_type == "application/json"


@pytest.mark.parametrize("content_type", [f"{BATCH}; charset=utf-8", BATCH.upper(), f'{BATCH};charset="UTF-8"'])
def test_the_content_type_may_have_parameters(api: Api, world: World, content_type: str) -> None:
    raw = json.dumps([event(world.acme.id, "1")]).encode()
    answer = api.send("POST", "/usage/events", world.twin, raw=raw, content_type=content_type)
    assert answer.json["accepted"] == 1


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", f"{BATCH}; charset=utf-16"])
def test_other_content_types_are_refused(api: Api, shared_world: World, content_type: str) -> None:
    answer = api.send("POST", "/usage/events", shared_world.twin, raw=b"[]", content_type=content_type)
    assert (answer.status, answer.media_type) == (415, PROBLEM)


@pytest.mark.parametrize("raw", [b"", b"[", b"[{]", b"nonsense", b'["\xff"]', b"[" * 100_000])
def test_an_unreadable_batch_is_refused_whole(api: Api, shared_world: World, raw: bytes) -> None:
    answer = api.send("POST", "/usage/events", shared_world.twin, raw=raw, content_type=BATCH)
    assert (answer.status, answer.media_type) == (400, PROBLEM)


@pytest.mark.parametrize("body", [{}, "text", 1, None, True])
def test_a_batch_is_a_list(api: Api, shared_world: World, body: object) -> None:
    raw = json.dumps(body).encode()
    answer = api.send("POST", "/usage/events", shared_world.twin, raw=raw, content_type=BATCH)
    assert (answer.status, answer.media_type) == (422, PROBLEM)


def test_an_empty_batch_is_taken(api: Api, shared_world: World) -> None:
    assert api.usage(shared_world.twin).json == NOTHING


def test_ten_thousand_events_are_taken_and_one_more_is_too_long(api: Api, world: World) -> None:
    events = [event(world.acme.id, str(number)) for number in range(10_001)]
    refused = api.usage(world.twin, *events)
    assert (refused.status, refused.media_type) == (413, PROBLEM)
    assert api.usage(world.twin, *events[:10_000]).json == NOTHING | {"accepted": 10_000}


def test_a_company_is_named_by_id_or_external_code(api: Api, world: World) -> None:
    assert api.usage(world.rhea, event("external:acme", "1")).json["accepted"] == 1
    assert api.usage(world.twin, event(world.acme.id, "1")).json["duplicates"] == 1


def test_a_replay_is_a_duplicate_and_a_changed_one_a_conflict(api: Api, world: World) -> None:
    api.usage(world.twin, event(world.acme.id, "1"))
    changed = event(world.acme.id, "1", data={"meter": "sms.sent", "quantity": 2})
    for _ in range(2):
        answer = api.usage(world.twin, event(world.acme.id, "1"), changed).json
        assert (answer["accepted"], answer["duplicates"]) == (0, 1)
        assert [(item["index"], item["id"]) for item in answer["conflicts"]] == [(1, "1")]
    recorded = api.get("/usage/conflicts", world.rhea).json["items"]
    assert [(item["company_id"], item["source"], item["id"], item["quantity"]) for item in recorded] == [
        (world.acme.id, "smsc-1", "1", 2)
    ]
    assert api.get("/usage/conflicts", world.strand).json["items"] == []


def _data(**changes: Any) -> dict[str, Any]:
    return {"data": {"meter": "sms.sent"} | changes}


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "0"},
        {"subject": "999999"},
        {"subject": "99999999999999999999"},
        {"subject": "external:nobody"},
        {"subject": 5},
        {"subject": "+5"},
        {"subject": None},
        {"specversion": "0.3"},
        {"type": "other"},
        {"source": ""},
        {"source": "s" * 129},
        {"source": "a\x00"},
        {"id": ""},
        {"id": 7},
        {"id": "i" * 257},
        {"id": "a\x00"},
        {"time": None},
        {"time": "2026-03-01T12:00:00"},
        {"time": "2026-03-01T12:00:60Z"},
        {"time": "2026-02-30T12:00:00Z"},
        {"time": 1767225600},
        {"time": "2025-12-31T23:59:59.999999Z"},
        {"time": instant_text(now() + timedelta(hours=12))},
        {"data": None},
        {"data": []},
        _data(meter="sms"),
        _data(meter=None),
        _data(quantity=-1),
        _data(quantity=1.5),
        _data(quantity="1"),
        _data(quantity=True),
        _data(quantity=None),
        _data(quantity=10**12 + 1),
        _data(quantity=10**30),
        _data(attributes={"a": 1}),
        _data(attributes={"a": "x" * 129}),
        _data(attributes={str(number): "x" for number in range(17)}),
        _data(attributes={"a": "\x00"}),
        _data(attributes=[]),
    ],
)
def test_a_bad_item_is_named_with_the_reason_and_the_good_ones_are_taken(
    api: Api, shared_world: World, change: dict[str, Any]
) -> None:
    first, second = str(uuid4()), str(uuid4())
    acme = shared_world.acme.id
    answer = api.usage(shared_world.twin, event(acme, first), event(acme, "bad") | change, event(acme, second))
    assert answer.status == 200, answer.content
    assert answer.json["accepted"] == 2
    assert [item["index"] for item in answer.json["rejected"]] == [1]
    assert answer.json["rejected"][0]["detail"]


@pytest.mark.parametrize("item", ["null", "1", '"text"', "[]", "true"])
def test_an_item_that_is_no_object_is_rejected_alone(api: Api, shared_world: World, item: str) -> None:
    raw = f"[{item}, {json.dumps(event(shared_world.acme.id, str(uuid4())))}]".encode()
    answer = api.send("POST", "/usage/events", shared_world.twin, raw=raw, content_type=BATCH).json
    assert (answer["accepted"], [item["index"] for item in answer["rejected"]]) == (1, [0])


def test_half_a_character_spoils_its_item_only(api: Api, world: World) -> None:
    good = json.dumps(event(world.acme.id, "good"))
    bad = json.dumps(event(world.acme.id, "half")).replace("half", "\\ud800")
    answer = api.send("POST", "/usage/events", world.twin, raw=f"[{bad}, {good}]".encode(), content_type=BATCH)
    assert answer.status == 200, answer.content
    assert (answer.json["accepted"], [item["index"] for item in answer.json["rejected"]]) == (1, [0])


def test_a_whole_number_is_one_however_it_is_written(api: Api, world: World) -> None:
    raw = json.dumps([event(world.acme.id, "1")]).replace('"quantity": 1', '"quantity": 1.0').encode()
    assert api.send("POST", "/usage/events", world.twin, raw=raw, content_type=BATCH).json["accepted"] == 1
    assert api.usage(world.twin, event(world.acme.id, "1")).json["duplicates"] == 1


def test_a_strangers_company_is_told_apart_by_nothing(api: Api, world: World) -> None:
    answer = api.usage(world.rhea, event(world.dune.id, "1"), event(999_999, "2")).json
    first, second = (item["detail"] for item in answer["rejected"])
    assert first.replace(str(world.dune.id), "N") == second.replace("999999", "N")


def test_what_the_envelope_has_besides_is_ignored(api: Api, world: World) -> None:
    extra = event(world.acme.id, "1", traceparent="00-1", datacontenttype="application/json", dataschema="x")
    assert api.usage(world.twin, extra).json == NOTHING | {"accepted": 1}
    assert api.usage(world.twin, event(world.acme.id, "1")).json == NOTHING | {"duplicates": 1}
