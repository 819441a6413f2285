"""A forgotten password: one link, once, for an hour; it signs nobody in."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client

from tests.portal.newcomer import messages_to
from twin.accounts import actions
from twin.accounts.errors import RecoveryLinkDead
from twin.accounts.models import User

pytestmark = pytest.mark.database

EMAIL = "anna@nordwind.example"
OLD = "harbour-lantern-quiet-41"
NEW = "meadow-copper-thursday-7"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are beside the point here, and good hashes take their time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _anna(db_clean: object, _quick_hashes: None) -> None:
    actions.create_person(email=EMAIL, password=OLD, name="Anna Keller")


def link_of(client: Client | None = None, **more: Any) -> str:
    (client or Client()).post("/recovery", {"email": EMAIL}, **more)
    [path] = re.findall(r"(/recovery/\S+)", messages_to(EMAIL)[-1])
    return str(path)


def use(link: str, password: str = NEW, client: Client | None = None) -> Any:
    client = client or Client()
    client.get(link)
    return client.post("/recovery/new-password", {"password": password})


def enters(password: str) -> bool:
    client = Client()
    client.post("/login", {"login": EMAIL, "password": password})
    return "_auth_user_id" in client.session


def test_the_link_leads_to_a_new_password_and_to_the_sign_in() -> None:
    client = Client()
    answer = use(link_of(), client=client)

    assert answer.url == "/login"
    assert "Your password is changed. Sign in with it." in client.get("/login").text
    assert enters(NEW)
    assert not enters(OLD)


def test_it_signs_nobody_in() -> None:
    client = Client()
    use(link_of(), client=client)

    assert "_auth_user_id" not in client.session


def test_the_key_leaves_the_address_at_once() -> None:
    client = Client()

    link = link_of()
    assert client.get(link)["Location"] == "/recovery/new-password"
    assert link.removeprefix("/recovery/") not in str(dict(client.session))


def test_the_link_works_once() -> None:
    link = link_of()
    use(link)

    again = use(link, "another-different-words-9")

    assert again.status_code == 404
    assert "This link no longer works" in again.text
    assert enters(NEW)


def test_the_link_works_for_an_hour() -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        link = link_of()
        traveller.shift(timedelta(hours=1, seconds=1))
        assert use(link).status_code == 404
        traveller.shift(timedelta(minutes=1))
        link = link_of()
        traveller.shift(timedelta(minutes=59))
        assert use(link).status_code == 302


def test_two_parallel_uses_change_the_password_once() -> None:
    key = link_of().removeprefix("/recovery/")

    def finish(at: int) -> bool:
        try:
            actions.finish_recovery(key=key, password=f"{NEW}-{at}", address=None)
        except RecoveryLinkDead:
            return False
        finally:
            connections["default"].close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(finish, range(4))).count(True) == 1


@pytest.mark.parametrize("key", ["1-abc-def", "x", "-", "zzzzzzzzzzzzzzzzzzzz-1-1", "0-abc-def", "%00-1"])
def test_a_made_up_link_is_a_clear_page(key: str) -> None:
    assert Client().get(f"/recovery/{key}", follow=True).status_code == 404


def test_the_link_of_one_person_opens_nothing_of_another() -> None:
    actions.create_person(email="bert@nordwind.example", password=OLD, name="Bert")
    bert = User.objects.get(email="bert@nordwind.example")
    _number, _, token = link_of().removeprefix("/recovery/").partition("-")

    assert actions.person_of_recovery(f"{bert.pk}-{token}") is None


def test_every_session_ends_and_the_owner_is_told() -> None:
    elsewhere = Client()
    elsewhere.post("/login", {"login": EMAIL, "password": OLD})
    use(link_of())

    assert elsewhere.get("/personal-account").headers["Location"].startswith("/login")
    assert "password" in messages_to(EMAIL)[-1]
    assert len(messages_to(EMAIL)) == 2


@pytest.mark.parametrize("password", ["short", "annakeller-nordwind", "x" * 129])
def test_a_weak_password_is_refused_and_the_link_stays_good(password: str) -> None:
    link = link_of()

    assert use(link, password).status_code == 200
    assert use(link).status_code == 302


def test_the_host_of_the_link_is_the_installations_own(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.URL = "https://twin.example"
    Client().post("/recovery", {"email": EMAIL}, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})

    assert "https://twin.example/recovery/" in messages_to(EMAIL)[-1]
    assert "evil.example" not in messages_to(EMAIL)[-1]


def test_a_deactivated_person_gets_no_link() -> None:
    User.objects.filter(email=EMAIL).update(is_active=False)
    Client().post("/recovery", {"email": EMAIL})

    assert "/recovery/" not in messages_to(EMAIL)[-1]


def test_the_lock_of_wrong_passwords_is_opened_by_recovery() -> None:
    for _ in range(5):
        Client().post("/login", {"login": EMAIL, "password": "something-else-1"})
    assert not enters(OLD)
    use(link_of())

    assert enters(NEW)


def test_a_mailbox_is_not_flooded() -> None:
    link_of()

    answer = Client().post("/recovery", {"email": EMAIL})

    assert answer.status_code == 429
    assert "A message went there just now." in answer.text
    assert len(messages_to(EMAIL)) == 1


def test_what_is_no_address_is_said_at_the_field() -> None:
    assert "This is not an email address" in Client().post("/recovery", {"email": "x"}).text
