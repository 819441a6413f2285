"""Which passwords are taken: long ones that resist guessing, whatever their characters."""

from __future__ import annotations

import gzip
import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client

from twin.accounts.actions import create_person
from twin.accounts.errors import PasswordTooWeak
from twin.accounts.models import User
from twin.accounts.passwords import refuse_weak_password
from twin.accounts.rules.passwords import check_password
from twin.kernel.models import SecurityEvent

COMMON = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
PASSWORD = "harbour-lantern-quiet-41"


def reason_of(password: str, *context: str) -> str:
    with pytest.raises(PasswordTooWeak) as caught:
        check_password(password, context)
    return caught.value.reason


def test_twelve_characters_are_enough_and_eleven_are_not() -> None:
    check_password("xkq-vurt-99z")
    assert reason_of("xkq-vurt-99") == "short"


def test_128_characters_are_taken_and_129_refused() -> None:
    check_password((PASSWORD * 6)[:128])
    assert reason_of((PASSWORD * 6)[:129]) == "long"


def test_nothing_beyond_the_72_characters_the_meter_sees_is_cut_off() -> None:
    long = (PASSWORD * 6)[:128]
    hashed = Argon2PasswordHasher().encode(long, "a-salt-of-its-own")

    assert Argon2PasswordHasher().verify(long, hashed)
    assert not Argon2PasswordHasher().verify(long[:127] + "!", hashed)
    assert not Argon2PasswordHasher().verify(long.upper(), hashed)


@pytest.mark.parametrize(
    "password",
    [
        "всё-просто-но-длинно",
        "🦀🌊🏔️🎻🧭🪁🛶🎈🪵🔭🧩🎲",
        "four plain english words here",
        "xkqvurtzzmhplo",
        "83019275640183",
    ],
)
def test_no_kind_of_character_is_demanded(password: str) -> None:
    check_password(password)


def test_passwords_of_the_top_lists_are_refused() -> None:
    with gzip.open(COMMON, "rt", encoding="utf-8") as lines:
        long_enough = [line.strip() for line in lines if len(line.strip()) >= 12]

    assert len(long_enough) > 100
    assert [password for password in long_enough if _is_taken(password)] == []


def _is_taken(password: str) -> bool:
    try:
        refuse_weak_password(password)
    except PasswordTooWeak:
        return False
    return True


@pytest.mark.parametrize(
    "password",
    [
        "jonas.weber@elbtal-energie.example",
        "JonasWeberElbtal",
        "twin-twin-twin-twin",
        "Twin2026Twin2026",
        "weber4915123454417",
        "elbtal-energie-1",
    ],
)
def test_words_about_the_person_and_the_product_make_no_password(password: str) -> None:
    assert (
        reason_of(password, "jonas.weber@elbtal-energie.example", "Jonas Weber", "+4915123454417", "Elbtal Energie")
        == "guessable"
    )


def test_django_and_allauth_ask_the_same_rule() -> None:
    with pytest.raises(ValidationError) as caught:
        password_validation.validate_password("jonasweberjonas", User(name="Jonas Weber", email="j@example.org"))

    assert caught.value.error_list[0].code == "guessable"


def breached_list(folder: Path, passwords: list[str]) -> str:
    file = folder / "breached.txt"
    digests = sorted(hashlib.sha1(password.encode()).hexdigest().upper() for password in passwords)  # noqa: S324 - as the lists have it
    file.write_text("".join(f"{digest}:{at}\n" for at, digest in enumerate(digests)))
    return str(file)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_breached_passwords_are_refused_where_there_is_a_list(tmp_path: Path, settings: Any, size: int) -> None:
    breached = [f"kiesel-wolke-9-anker-{at}" for at in range(size)]
    settings.BREACHED_PASSWORDS = breached_list(tmp_path, breached)

    for password in breached:
        with pytest.raises(PasswordTooWeak) as caught:
            refuse_weak_password(password)
        assert caught.value.reason == "known"
    refuse_weak_password(PASSWORD)


def test_a_list_that_cannot_be_read_refuses_nothing_and_the_log_says_so(settings: Any, caplog: Any) -> None:
    settings.BREACHED_PASSWORDS = "/nonexistent/list"

    refuse_weak_password(PASSWORD)

    assert "breached_passwords_unreadable" in caplog.text


@pytest.mark.database
def test_a_hash_of_weaker_settings_is_made_anew_at_the_next_sign_in(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    weaker = Argon2PasswordHasher()
    weaker.time_cost = 1
    User.objects.update(password=weaker.encode(PASSWORD, "a-salt-of-its-own"))

    Client().post("/login", {"login": "ada@example.org", "password": PASSWORD})

    assert "t=2,p=8$" in User.objects.get().password


@pytest.mark.database
def test_of_24_parallel_wrong_passwords_five_are_looked_at(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")

    def guess(at: int) -> int:
        try:
            client = Client(REMOTE_ADDR=f"192.0.2.{at}")
            return client.post(
                "/login", {"login": "ada@example.org", "password": f"wrong-guess-number-{at}"}
            ).status_code
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(guess, range(24)))

    assert 1 <= SecurityEvent.objects.using("owner").filter(event="sign_in_failed").count() <= 5


def test_there_is_no_admin_page_beside_the_sign_in() -> None:
    assert Client().get("/admin/").status_code == 404
