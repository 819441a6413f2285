"""How long a sign-in lasts, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from tests.portal.people import PASSWORD, People
from twin.accounts.models import User

EMAIL = "rhea@example.com"
PAGE = "/reports/reseller-companies"


@pytest.fixture
def traveller(people: People) -> Iterator[Any]:
    """Begins on a fixed morning, after the small world was made."""
    with time_machine.travel("2026-11-20T06:00:00Z", tick=False) as travelling:
        yield travelling


@pytest.fixture(autouse=True)
def _as_before(people: People) -> Iterator[None]:
    """Nobody is signed in at the beginning, and the person of these tests is as they were at the end."""
    kept = User.objects.filter(email=EMAIL).values("password", "is_active").get()
    yield
    User.objects.filter(email=EMAIL).update(**kept)
    Session.objects.all().delete()
    UserSession.objects.all().delete()
    cache.clear()


def enter(**more: str) -> Client:
    client = Client()
    client.post("/login", {"login": EMAIL, "password": PASSWORD, **more})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return not client.get(PAGE).headers.get("Location", "").startswith("/login")


def test_two_idle_hours_end_a_session_with_its_record(traveller: Any) -> None:
    client = enter()
    key = client.session.session_key
    traveller.shift(timedelta(hours=1, minutes=59))
    assert is_in(client)
    traveller.shift(timedelta(hours=2))
    assert not is_in(client)
    assert not Session.objects.filter(session_key=key).exists()
    assert "Your session has ended. Sign in again." in client.get("/login").text


def test_twelve_hours_end_a_session_however_busy(traveller: Any) -> None:
    client = enter()
    for _ in range(11):
        traveller.shift(timedelta(hours=1))
        assert is_in(client)
    traveller.shift(timedelta(hours=1))
    assert not is_in(client)


def test_remember_me_lasts_thirty_days_and_not_longer(traveller: Any) -> None:
    client = enter(remember="on")
    for days in (13, 16):
        traveller.shift(timedelta(days=days))
        assert is_in(client)
    traveller.shift(timedelta(days=1))
    assert not is_in(client)


def test_without_remember_me_the_cookie_ends_with_the_browser() -> None:
    assert enter().cookies["sessionid"]["max-age"] == ""
    assert enter(remember="on").cookies["sessionid"]["max-age"] == 30 * 24 * 3600


def test_without_remember_me_the_record_on_the_server_is_short_too(traveller: Any) -> None:
    client = enter()

    record = Session.objects.get(session_key=client.session.session_key)
    assert record.expire_date.isoformat() == "2026-11-20T18:00:00+00:00"


def test_signing_in_gives_a_new_session_key() -> None:
    client = Client()
    client.get("/login")
    client.post("/registration", {})
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = str(planted)
    client.post("/login", {"login": EMAIL, "password": PASSWORD})

    assert client.session.session_key != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_signing_out_kills_the_record_so_a_copied_cookie_is_worth_nothing() -> None:
    client = enter()
    copied = Client()
    copied.cookies["sessionid"] = client.cookies["sessionid"].value
    assert is_in(copied)
    client.post("/logout")

    assert not is_in(copied)


def test_a_deactivated_person_is_out_at_the_next_request() -> None:
    client = enter(remember="on")
    User.objects.filter(email=EMAIL).update(is_active=False)

    assert not is_in(client)


def test_a_changed_password_ends_the_other_sessions() -> None:
    client = enter()
    person = User.objects.get(email=EMAIL)
    person.set_password("meadow-copper-thursday-7")
    person.save()

    assert not is_in(client)


def test_reading_pages_writes_the_session_once_a_minute_at_most(traveller: Any, django_assert_num_queries: Any) -> None:
    client = enter()
    seen = client.session["twin_seen"]
    traveller.shift(timedelta(seconds=59))
    client.get(PAGE)
    assert client.session["twin_seen"] == seen
    traveller.shift(timedelta(seconds=1))
    client.get(PAGE)
    assert client.session["twin_seen"] == seen + 60


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        " //evil.example",
        "/%09/evil.example",
        "https://testserver@evil.example/",
        "https://testserver.evil.example/",
        "\thttps://evil.example",
    ],
)
def test_signing_in_leads_nowhere_else(elsewhere: str) -> None:
    answer = Client().post("/login", {"login": EMAIL, "password": PASSWORD, "next": elsewhere})

    target = answer.headers["Location"]
    assert target.startswith("/")
    assert not target.startswith(("//", "/\\"))
    assert "evil" not in target or target.startswith("/%09/")


def test_signing_in_leads_to_the_page_that_was_asked_for() -> None:
    answer = Client().post("/login", {"login": EMAIL, "password": PASSWORD, "next": f"{PAGE}?tab=chat"})

    assert answer.headers["Location"] == f"{PAGE}?tab=chat"
