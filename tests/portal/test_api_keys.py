from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from tests.companies.factories import Tree, a_tree
from tests.portal.people import PASSWORD, employ
from tests.portal.security_clients import events
from twin.companies import access, actions, queries
from twin.companies.access import platform_scope
from twin.companies.types import Scope
from twin.kernel import clock

pytestmark = pytest.mark.database

FORM = {"name": "Night import", "permissions": ["reports:read", "prices:read"], "lifetime": "90"}


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def ann(world: Tree) -> Any:
    return employ(world.acme.id, "ann@example.com", "Ann Acre")


@pytest.fixture
def client(ann: Any) -> Client:
    return entered("ann@example.com")


def entered(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def own_keys(world: Tree) -> list[Any]:
    return queries.keys_of(Scope(world.acme.id, "company", frozenset()))


def secret_in(page: str) -> str:
    found = re.search(r"twin_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", page)
    assert found is not None
    return found[0]


def test_a_key_is_made_shown_once_and_works(client: Client, world: Tree) -> None:
    made = client.post("/api-keys/new", FORM)
    assert made["Location"] == "/api-keys/made"
    shown = client.get("/api-keys/made")
    assert shown["Cache-Control"] == "no-store"
    secret = secret_in(shown.text)
    scope = access.scope_for_key(secret)
    assert scope == Scope(world.acme.id, "company", frozenset({"reports:read", "prices:read"}))
    assert client.get("/api-keys/made")["Location"] == "/api-keys"
    listed = client.get("/api-keys").text
    assert "Night import" in listed
    assert secret[:13] in listed
    assert secret not in listed
    assert "Ann Acre" in listed


def test_the_secret_lies_nowhere_in_the_open(client: Client) -> None:
    client.post("/api-keys/new", FORM)
    kept = "".join(str(session.get_decoded()) for session in Session.objects.all())
    secret = secret_in(client.get("/api-keys/made").text)
    assert secret not in kept
    assert secret[14:] not in str([event.fields for event in events("api_key.created")])


def test_a_key_lives_as_long_as_was_chosen(client: Client, world: Tree) -> None:
    client.post("/api-keys/new", FORM)
    client.post("/api-keys/new", {**FORM, "lifetime": "never"})
    without_end, limited = own_keys(world)
    assert without_end.expires_at is None
    assert limited.expires_at - limited.created_at == pytest.approx(timedelta(days=90), abs=timedelta(seconds=5))
    with time_machine.travel(clock.now() + timedelta(days=91)):
        page = entered("ann@example.com").get("/api-keys").text
    assert "Expired" in page


def test_making_a_key_asks_for_the_password(client: Client, ann: Any, world: Tree) -> None:
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        asked = client.post("/api-keys/new", FORM)
        assert asked["Location"].startswith("/security/confirm")
        assert own_keys(world) == []
        done = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert "twin_" in done.text
    assert [key.name for key in own_keys(world)] == ["Night import"]


def test_nobody_gives_what_they_do_not_hold(client: Client, world: Tree) -> None:
    assert "usage:write" not in client.get("/api-keys/new").text
    refused = client.post("/api-keys/new", {**FORM, "permissions": ["usage:write"]})
    assert refused.status_code == 422
    assert own_keys(world) == []


def test_the_platforms_people_may_give_the_sending_of_usage(world: Tree) -> None:
    employ(world.twin.organisation_id, "tilda@example.com", "Tilda North")
    assert 'value="usage:write"' in entered("tilda@example.com").get("/api-keys/new").text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Write 1 to 100 characters."),
        ({"name": "x" * 101}, "Write 1 to 100 characters."),
        ({"name": "a\x07b"}, "Write 1 to 100 characters."),
        ({"permissions": []}, "Choose at least one permission."),
        ({"lifetime": "1000000"}, "Choose one of the spans."),
    ],
)
def test_what_is_wrong_is_said_by_the_field(client: Client, world: Tree, wrong: Any, sentence: str) -> None:
    refused = client.post("/api-keys/new", {**FORM, **wrong})
    assert refused.status_code == 422
    assert sentence in refused.text
    assert own_keys(world) == []


def test_a_revoked_key_is_refused_at_once_and_stays_listed(client: Client, world: Tree) -> None:
    client.post("/api-keys/new", FORM)
    secret = secret_in(client.get("/api-keys/made").text)
    [key] = own_keys(world)
    page = client.post(f"/api-keys/{key.id}/revoke", follow=True).text
    assert "The key is revoked" in page
    assert "Revoked" in page
    assert f'action="/api-keys/{key.id}/revoke"' not in page
    assert access.scope_for_key(secret) is None
    [revoked] = own_keys(world)
    client.post(f"/api-keys/{key.id}/revoke")
    assert own_keys(world) == [revoked]
    assert [event.fields["name"] for event in events("api_key.revoked")] == ["Night import"]


def test_who_made_and_revoked_a_key_is_recorded(client: Client, ann: Any, world: Tree) -> None:
    client.post("/api-keys/new", FORM)
    [event] = events("api_key.created")
    assert (event.user_id, event.company_id) == (ann.pk, world.acme.id)
    assert event.fields["permissions"] == ["reports:read", "prices:read"]
    assert event.address == "127.0.0.1"


def test_keys_of_others_are_not_found(client: Client, world: Tree) -> None:
    key, _ = actions.create_api_key(platform_scope(), world.birch.id, ["reports:read"], name="theirs")
    assert "theirs" not in client.get("/api-keys").text
    for key_id in (key.id, 2**31, 2**70, 0):
        assert client.post(f"/api-keys/{key_id}/revoke").status_code == 404
    [theirs] = queries.keys_of(Scope(world.birch.id, "company", frozenset()))
    assert theirs.revoked_at is None


def test_the_page_is_russian_for_russians(client: Client) -> None:
    client.post("/preferences/language", {"language": "ru"})
    client.post("/api-keys/new", FORM)
    page = client.get("/api-keys").text
    assert "Ключи API" in page
    assert "читать отчёты" in page
