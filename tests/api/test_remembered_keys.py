"""A key of usage is not looked up for every request, and still stops at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connections

from tests.api.client import Api, event
from tests.world import World
from twin.companies import access
from twin.companies import actions as companies
from twin.companies.types import Scope
from twin.kernel.clock import now


def key_of(world: World) -> int:
    scope = access.scope_for_key(world.rhea.key)
    assert scope is not None
    assert scope.key_id is not None
    return scope.key_id


def test_a_revoked_key_takes_nothing_more(api: Api, world: World) -> None:
    assert api.usage(world.rhea, event(world.acme.id, "1")).json["accepted"] == 1
    companies.revoke_api_key(world.twin.scope, company_id=world.rhea.id, key_id=key_of(world))

    assert api.usage(world.rhea, event(world.acme.id, "2")).status == 401
    assert api.usage(world.rhea).status == 401
    assert api.usage(world.rhea, {"id": "not an event"}).status == 401
    assert api.usage(world.twin, event(world.acme.id, "2")).json["accepted"] == 1


def test_a_blocked_company_sends_nothing_more(api: Api, world: World) -> None:
    api.usage(world.rhea, event(world.acme.id, "1"))
    companies.update_company(world.twin.scope, world.rhea.id, state="blocked", reason="unpaid")
    assert api.usage(world.rhea, event(world.acme.id, "2")).status == 403

    companies.update_company(world.twin.scope, world.rhea.id, state="active", reason="paid")
    assert api.usage(world.rhea, event(world.acme.id, "2")).json["accepted"] == 1


def test_a_key_is_looked_up_once_a_minute(api: Api, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    look_up = access.scope_for_key

    def look_up_noticed(secret: str) -> Scope | None:
        asked.append(secret)
        return look_up(secret)

    access.forget_scope(world.rhea.key)  # of an earlier test in the same world
    monkeypatch.setattr(access, "scope_for_key", look_up_noticed)
    for number in range(3):
        api.usage(world.rhea, event(world.acme.id, str(number)))
    assert asked == [world.rhea.key]
    with time_machine.travel(now() + timedelta(minutes=1), tick=False):
        api.usage(world.rhea, event(world.acme.id, "late"))
    assert asked == [world.rhea.key] * 2


def test_a_connection_that_died_is_made_anew(api: Api, world: World) -> None:
    def send(number: int) -> int:
        try:
            return api.usage(world.twin, event(world.acme.id, f"n{number}")).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as other:
        assert other.submit(send, 1).result() == 200
        with connections["writer"].cursor() as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
            )
            assert cursor.fetchall()
        assert other.submit(send, 2).result() == 200
    assert api.usage(world.twin, event(world.acme.id, "n2")).json["duplicates"] == 1
