"""A limit that is reached is said in words with 429, and nothing done before is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.portal.newcomer import DETAILS, EMAIL, PHONE, Newcomer, code_to, found_platform
from twin.accounts.models import Registration, User
from twin.kernel.models import Dispatch, SecurityEvent
from twin.portal.limits import wait_words

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are beside the point here, and good hashes take their time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def newcomer() -> Newcomer:
    found_platform()
    return Newcomer()


def test_a_blown_fuse_is_explained_and_the_confirmed_email_stays_confirmed(newcomer: Newcomer, settings: Any) -> None:
    settings.SMS_DAILY = 0
    newcomer.give_details()
    refused = newcomer.type_email_code()

    assert refused.status_code == 429
    assert "We cannot send SMS there at the moment" in refused.text
    assert not Dispatch.objects.filter(channel="sms").exists()
    settings.SMS_DAILY = 10
    assert newcomer.client.get("/registration/phone").status_code == 200
    assert newcomer.client.post("/registration/phone/again").headers["Location"] == "/registration/phone"
    assert newcomer.type_phone_code().url == "/login"


def test_a_refused_number_can_be_replaced_by_another(newcomer: Newcomer, settings: Any) -> None:
    other = Newcomer(details=DETAILS | {"email": "other@example.org"})
    for each in (newcomer, other):
        each.give_details()
    newcomer.type_email_code()

    assert other.type_email_code().status_code == 429
    changed = other.client.post("/registration/phone/number", {"phone_country": "DE", "phone": "1512 3454418"})
    assert changed.headers["Location"] == "/registration/phone"


def test_a_refused_change_of_number_is_said_at_the_field(newcomer: Newcomer) -> None:
    newcomer.give_details()
    newcomer.type_email_code()
    answer = newcomer.client.post("/registration/phone/number", {"phone_country": "DE", "phone": "1512 3454417"})

    assert answer.status_code == 429
    assert "A message went there just now." in answer.text
    assert Registration.objects.get().phone == PHONE


def test_details_are_not_lost_when_mails_are_too_many(newcomer: Newcomer) -> None:
    newcomer.give_details()
    again = Newcomer().give_details()

    assert again.status_code == 429
    assert 'value="Jonas Weber"' in again.text
    assert Registration.objects.count() == 1
    assert SecurityEvent.objects.using("owner").filter(event="sending_refused").count() == 1


def test_one_network_cannot_use_up_the_mails_of_all(newcomer: Newcomer) -> None:
    answers = [
        Newcomer(client=Client(REMOTE_ADDR="192.0.2.1")).give_details(email=f"n{at}@example.org").status_code
        for at in range(31)
    ]

    assert answers == [302] * 30 + [429]
    assert Newcomer(client=Client(REMOTE_ADDR="198.51.100.1")).give_details(email="m@example.org").status_code == 302


def test_after_three_resends_the_page_says_how_to_go_on(newcomer: Newcomer) -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        newcomer.give_details()
        for _ in range(3):
            traveller.shift(timedelta(seconds=31))
            assert newcomer.client.post("/registration/email/again").status_code == 302
        traveller.shift(timedelta(seconds=31))
        refused = newcomer.client.post("/registration/email/again")

        assert refused.status_code == 429
        assert "The code was sent three times." in refused.text
        assert newcomer.type_email_code(code_to(EMAIL)).url == "/registration/phone"


def test_limits_never_make_a_person_of_half_a_registration(newcomer: Newcomer, settings: Any) -> None:
    settings.SMS_DAILY = 0
    newcomer.give_details()
    newcomer.type_email_code()

    assert not User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(milliseconds=1), "1 second"),
        (timedelta(seconds=30), "30 seconds"),
        (timedelta(minutes=9, seconds=59), "10 minutes"),
        (timedelta(hours=1), "60 minutes"),
        (timedelta(hours=24), "24 hours"),
    ],
)
def test_the_wait_is_said_in_whole_words(wait: timedelta, words: str) -> None:
    assert wait_words(wait) == words
