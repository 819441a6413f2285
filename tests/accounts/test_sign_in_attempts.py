"""Guessing at the sign-in is slowed down; the count lives in the database, shared by all processes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from twin.accounts.actions import create_person
from twin.accounts.models import User

pytestmark = pytest.mark.database

PASSWORD = "harbour-lantern-quiet-41"
WRONG = "something-else-entirely-1"


@pytest.fixture(autouse=True)
def _static_files_as_they_lie(settings: Any) -> None:
    """No collectstatic before the tests."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


def enters(email: str, password: str, address: str = "127.0.0.1") -> bool:
    client = Client(REMOTE_ADDR=address)
    client.post("/login", {"login": email, "password": password})
    return "_auth_user_id" in client.session


def test_the_right_password_enters() -> None:
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    assert enters("ada@example.org", PASSWORD)


def test_after_five_wrong_passwords_the_right_one_waits_too() -> None:
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    for _ in range(5):
        assert not enters("ada@example.org", WRONG)
    assert not enters("ADA@example.org", PASSWORD)


def test_guesses_at_one_person_do_not_lock_another_out() -> None:
    for name in ("ada", "bob"):
        create_person(email=f"{name}@example.org", password=PASSWORD, name=name)
    for _ in range(5):
        enters("ada@example.org", WRONG)
    assert enters("bob@example.org", PASSWORD, address="127.0.0.2")


def test_a_made_up_forwarding_header_does_not_reset_the_count() -> None:
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    for number in range(6):
        Client(headers={"x-forwarded-for": f"10.0.0.{number}"}).post(
            "/login", {"login": "ada@example.org", "password": WRONG}
        )
    assert not enters("ada@example.org", PASSWORD)


def test_a_person_deactivated_while_signed_in_is_out_at_the_next_request() -> None:
    person = create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    client = Client()
    client.post("/login", {"login": "ada@example.org", "password": PASSWORD})
    assert "_auth_user_id" in client.session
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get("/personal-account")["Location"].startswith("/login")


def test_there_is_no_other_way_to_register_than_ours() -> None:
    for address in ("/signup", "/accounts/signup/", "/account/signup"):
        assert Client().post(address, {"email": "eve@example.org", "password1": PASSWORD}).status_code == 404
    assert not User.objects.exists()
