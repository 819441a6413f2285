"""A stranger cannot tell who has an account: answers are equal byte for byte, apart from what was typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.portal.newcomer import DETAILS, EMAIL, PHONE, Newcomer, found_platform, messages_to, other_than
from twin.accounts import actions
from twin.accounts.models import User
from twin.kernel.models import Dispatch

pytestmark = pytest.mark.database

TAKEN = "anna@nordwind.example"
FREE = "bert@nordwind.example"
OWNERS_PASSWORD = "harbour-lantern-quiet-41"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are beside the point here, and good hashes take their time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _owner(db_clean: object, _quick_hashes: None) -> None:
    found_platform()
    actions.create_person(email=TAKEN, password=OWNERS_PASSWORD, name="Anna")


def essence(answer: Any, email: str) -> tuple[int, str, str]:
    """What a stranger sees, without the address typed and the token every form has anew."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
    return answer.status_code, answer.headers.get("Location", ""), text.replace(email, "EMAIL")


def walk(email: str) -> list[tuple[int, str, str]]:
    """Everything a stranger can do with an address that is not theirs."""
    stranger = Newcomer(details=DETAILS | {"email": email})
    answers = [stranger.give_details(), stranger.client.get("/registration/email")]
    wrong = "000000"
    answers += [stranger.type_email_code(wrong) for _ in range(4)]
    answers += [stranger.client.post("/registration/email/again"), stranger.client.get("/registration/phone")]
    answers += [stranger.sign_in(), Client().get("/registration")]
    return [essence(answer, email) for answer in answers]


def test_registration_answers_alike_for_taken_and_free_addresses() -> None:
    # Seconds are counted down on the pages, and nothing else may differ.
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        assert walk(TAKEN) == walk(FREE)


def test_the_headers_are_alike_too() -> None:
    answers = [Newcomer(details=DETAILS | {"email": email}).give_details() for email in (TAKEN, FREE)]
    told = [
        {name: value for name, value in each.headers.items() if name not in ("X-Request-ID", "Expires")}
        for each in answers
    ]

    assert told[0] == told[1]


def test_the_owner_gets_a_mail_with_the_ways_in_and_the_stranger_no_code() -> None:
    Newcomer(details=DETAILS | {"email": TAKEN}).give_details()

    [text] = messages_to(TAKEN)
    assert "You have an account already" in text
    assert "/login" in text
    assert "/recovery" in text
    assert re.search(r"\b\d{6}\b", text) is None


def test_the_mail_to_the_owner_is_in_the_owners_language() -> None:
    User.objects.filter(email=TAKEN).update(language="ru")
    Newcomer(details=DETAILS | {"email": TAKEN}).give_details()

    assert "У вас уже есть учётная запись" in messages_to(TAKEN)[0]


def test_an_address_is_taken_in_any_letter_case() -> None:
    Newcomer(details=DETAILS | {"email": "  ANNA@Nordwind.Example "}).give_details()

    assert "You have an account already" in messages_to(TAKEN)[0]


def test_a_taken_phone_is_a_phone_like_any_other() -> None:
    first, second = Newcomer(), Newcomer(details=DETAILS | {"email": FREE})
    User.objects.filter(email=TAKEN).update(phone=PHONE)

    first.give_details()
    step = first.type_email_code()
    assert step.url == "/registration/phone"
    assert [text.replace("Twin code", "") != "" for text in messages_to(PHONE)] == [True]
    assert first.type_phone_code().url == "/login"
    second.give_details(phone="1512 3454418")
    assert second.type_email_code().url == step.url


def test_recovery_answers_alike_for_known_and_unknown_addresses() -> None:
    answers = [essence(Client().post("/recovery", {"email": email}), email) for email in (TAKEN, FREE)]

    assert answers[0] == answers[1]
    assert [Dispatch.objects.filter(recipient=email).count() for email in (TAKEN, FREE)] == [1, 1]


def test_sign_in_answers_alike_for_known_and_unknown_addresses() -> None:
    answers = [
        essence(Client().post("/login", {"login": email, "password": "something-else-1"}), email)
        for email in (TAKEN, FREE)
    ]

    assert answers[0] == answers[1]


def test_after_too_many_tries_known_and_unknown_addresses_are_refused_alike() -> None:
    told = []
    for email, address in ((TAKEN, "192.0.2.1"), (FREE, "192.0.2.2")):
        client = Client(REMOTE_ADDR=address)
        answers = [client.post("/login", {"login": email, "password": "something-else-1"}) for _ in range(7)]
        told.append([essence(answer, email) for answer in answers])

    assert told[0] == told[1]
    assert "Too many tries" in told[0][-1][2]


def test_a_deactivated_account_is_named_only_after_the_right_password() -> None:
    User.objects.filter(email=TAKEN).update(is_active=False)
    wrong, right = (
        Client().post("/login", {"login": TAKEN, "password": password}, follow=True)
        for password in ("something-else-1", OWNERS_PASSWORD)
    )

    assert "switched off" not in wrong.text
    assert "This account is switched off." in right.text
    assert "_auth_user_id" not in right.client.session


def test_limits_of_mails_are_reached_alike() -> None:
    told = []
    for email in (TAKEN, FREE):
        answers = [Newcomer(details=DETAILS | {"email": email}).give_details() for _ in range(2)]
        told.append([essence(answer, email) for answer in answers])

    assert told[0] == told[1]
    assert told[0][1][0] == 429
    assert "A message went there just now." in told[0][1][2]


def test_no_wrong_code_helps_with_a_taken_address() -> None:
    stranger = Newcomer(details=DETAILS | {"email": TAKEN})
    stranger.give_details()

    for code in ("000000", "123456", other_than("123456")):
        assert stranger.type_email_code(code).status_code == 200
    assert User.objects.filter(email=EMAIL).count() == 0
