"""Whatever happens at the doors is recorded: who, from where, when; and the doors answer 429 when hammered."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from tests.portal.newcomer import EMAIL, PASSWORD, Newcomer
from tests.portal.people import PASSWORD as OLD
from tests.portal.people import employ
from tests.world import build_world

pytestmark = pytest.mark.database

PEER = "203.0.113.77"


def events() -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select event, user_id is not null, host(address), extract(timezone from at) from kernel_securityevent"
            " order by id"
        )
        return list(cursor.fetchall())


def names() -> list[str]:
    return [row[0] for row in events()]


def test_registering_and_the_ways_in_and_out_are_recorded() -> None:
    build_world()
    newcomer = Newcomer(Client(REMOTE_ADDR=PEER))
    newcomer.register()
    newcomer.client.post("/login", {"login": EMAIL, "password": PASSWORD + "x"})
    newcomer.sign_in()
    newcomer.client.post("/logout")
    newcomer.client.post("/recovery", {"email": EMAIL})
    expected = [
        ("registration_begun", False),
        ("registration_email_confirmed", False),
        ("registered", True),
        ("sign_in_failed", True),
        ("signed_in", True),
        ("signed_out", True),
        ("recovery_asked", True),
    ]
    # The world itself was made by deeds that are on record too.
    found = [
        row for row in events() if not row[0].startswith(("company", "api_key", "rate", "default_card", "employee"))
    ]
    assert [(row[0], row[1]) for row in found] == expected
    assert {row[2] for row in found} == {PEER}


def test_a_changed_password_is_recorded() -> None:
    world = build_world()
    person = employ(world.acme.id, "ann@example.com", "Ann Acre")
    client = Client(REMOTE_ADDR=PEER)
    client.post("/login", {"login": person.email, "password": OLD})
    wrong = {"current": "not-the-password-4", "new": "another-harbour-lantern-52"}
    assert "signed_in" in names()
    client.post("/security/password", wrong)
    assert client.post("/security/password", wrong | {"current": OLD}).status_code < 500
    assert {"password_change_refused", "password_changed"} <= set(names())


@pytest.mark.parametrize("path", ["/login", "/recovery", "/registration"])
def test_a_hammered_door_answers_429_and_never_500(path: str) -> None:
    build_world()
    cache.clear()
    form = {"login": "", "password": "", "email": "nobody@example.com"}
    statuses = [Client(REMOTE_ADDR=PEER).post(path, form).status_code for _ in range(45)]
    assert max(statuses) < 500
    if path != "/registration":
        assert 429 in statuses
        told = Client(REMOTE_ADDR=PEER).post(path, form, headers={"Accept": "application/json"})
        assert (told.status_code, told.json()["status"]) == (429, 429)
        assert int(told["Retry-After"]) > 0
    # Others are not kept out with the one who hammers.
    assert Client(REMOTE_ADDR="203.0.113.78").post(path, form).status_code == 200 or path == "/recovery"
