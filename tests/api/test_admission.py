"""A flood of usage is told to come again, and leaves room for everybody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections
from django.http import HttpRequest
from django.test import RequestFactory

from tests.api.client import BATCH, PROBLEM, Api, event
from tests.world import World
from twin.api.admission import MIB, Admission, Limits, leave, usage
from twin.api.errors import TooBusy

FLOOD, NEIGHBOUR = 1, 2
Enter = Callable[[int, int], HttpRequest]


@pytest.fixture
def enter() -> Enter:
    """Take a request of so many bytes in hand, under small limits."""
    admission = Admission(Limits(all_bytes=50, own_bytes=30, own_requests=3))

    def one(organisation_id: int, size: int) -> HttpRequest:
        request = RequestFactory().post("/", data=b"x" * size, content_type=BATCH)
        admission.enter(request, organisation_id)
        return request

    return one


def test_one_organisation_has_so_many_requests_in_hand_and_another_still_enters(enter: Enter) -> None:
    held = [enter(FLOOD, 1) for _ in range(3)]
    with pytest.raises(TooBusy):
        enter(FLOOD, 1)
    enter(NEIGHBOUR, 1)
    leave(held[0])
    leave(held[0])
    enter(FLOOD, 1)
    with pytest.raises(TooBusy):
        enter(FLOOD, 1)


def test_bytes_are_bounded_for_one_and_for_all_but_the_first_always_enters(enter: Enter) -> None:
    held = enter(FLOOD, 25)
    with pytest.raises(TooBusy):
        enter(FLOOD, 6)
    enter(NEIGHBOUR, 24)
    with pytest.raises(TooBusy):
        enter(NEIGHBOUR, 2)
    enter(3, 1_000)
    leave(held)
    enter(FLOOD, 1_000)


@pytest.fixture
def flooded(world: World) -> Iterator[World]:
    """Rhea has as much in hand as it may."""
    held = []
    try:
        for _ in range(100):
            request = RequestFactory().post("/", data=b"x", content_type=BATCH)
            usage.enter(request, world.rhea.id)
            held.append(request)
    except TooBusy:
        yield world
    for request in held:
        leave(request)


def test_a_flood_is_answered_429_and_others_are_taken(api: Api, flooded: World) -> None:
    refused = api.usage(flooded.rhea, event(flooded.acme.id, "1"))
    assert (refused.status, refused.media_type, refused.headers["retry-after"]) == (429, PROBLEM, "1")
    assert api.usage(flooded.twin, event(flooded.acme.id, "2")).json["accepted"] == 1
    assert api.get("/usage/conflicts", flooded.rhea).status == 200
    with connections["owner"].cursor() as cursor:
        cursor.execute("select count(*) from kernel_securityevent where event = 'limit_reached'")
        assert cursor.fetchone() == (0,)


def test_what_was_answered_is_not_in_hand_any_more(api: Api, world: World) -> None:
    for number in range(60):
        assert api.usage(world.rhea, event(world.acme.id, str(number))).status == 200
        assert api.send("POST", "/usage/events", world.rhea, raw=b"[", content_type=BATCH).status == 400


def test_full_batches_of_one_organisation_fill_no_more_than_ten_mebibytes_of_a_process() -> None:
    held: list[HttpRequest] = []

    def enter_mebibyte(organisation_id: int) -> None:
        request = RequestFactory().post("/", content_type=BATCH, CONTENT_LENGTH=str(MIB))
        usage.enter(request, organisation_id)
        held.append(request)

    try:
        for _ in range(10):
            enter_mebibyte(FLOOD)
        with pytest.raises(TooBusy):
            enter_mebibyte(FLOOD)
        enter_mebibyte(NEIGHBOUR)
    finally:
        for request in held:
            leave(request)
