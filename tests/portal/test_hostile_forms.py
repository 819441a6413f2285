"""Whatever is typed into the forms outside, the answer is a page, never an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.portal.newcomer import DETAILS, Newcomer, found_platform
from twin.accounts.models import Registration, User

pytestmark = pytest.mark.database

HOSTILE = [
    "\x00",
    "a\x00b@example.org",
    "<script>alert(1)</script>",
    "{{ 7*7 }}{% now %}",
    "' or 1=1 --",
    "\u202eelpmaxe",
    "\u0000\u0001\u001f",
    "\r\nBcc: evil@example.org",
    "a" * 100_000,
    "🦀" * 300,
    '"quoted name"@example.org',
    "user@[127.0.0.1]",
    f"{'l' * 65}@example.org",
    "ada@example.org\n",
    "юзер@почта.рф",
    "%00%0d%0a",
    "０１２３４５",
    "-1",
]


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are beside the point here, and good hashes take their time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_limits(db_clean: object, monkeypatch: pytest.MonkeyPatch) -> None:
    found_platform()
    monkeypatch.setattr("twin.accounts.rules.budgets.MAIL_LIMITS", ())


@pytest.mark.parametrize("field", ["name", "email", "password", "phone", "phone_country", "time_zone"])
def test_registration_answers_every_text_with_a_page(field: str) -> None:
    for text in HOSTILE:
        answer = Newcomer(details=DETAILS | {field: text}).give_details()
        assert answer.status_code in (200, 302, 429), text[:40]
        if answer.status_code == 200:
            assert "<script>alert" not in answer.text
            assert "49{" not in answer.text
    assert User.objects.count() == 0
    assert not Registration.objects.filter(email__regex=r"[\x01-\x20\"\[]").exists()


def test_codes_of_every_kind_are_wrong_codes() -> None:
    for text in HOSTILE:
        newcomer = Newcomer(details=DETAILS | {"email": f"n{HOSTILE.index(text)}@example.org"})
        newcomer.give_details()
        assert newcomer.type_email_code(text).status_code == 200


@pytest.mark.parametrize(("path", "field"), [("/recovery", "email"), ("/login", "login"), ("/login", "password")])
def test_sign_in_and_recovery_answer_every_text_with_a_page(path: str, field: str) -> None:
    for at, text in enumerate(HOSTILE):
        fields: dict[str, Any] = {"login": "ada@example.org", "password": "some-password-1", "email": "a@example.org"}
        answer = Client(REMOTE_ADDR=f"192.0.2.{at}").post(path, fields | {field: text})
        assert answer.status_code in (200, 302, 429), text[:40]
        assert "<script>alert" not in answer.text


def test_files_lists_and_nothing_are_forms_too() -> None:
    for path in ("/registration", "/recovery", "/login"):
        for body in ({}, {"email": ["a@example.org", "b@example.org"], "login": ["a", "b"]}):
            assert Client().post(path, body).status_code == 200
        assert Client().post(path, b"\xff\xfe\x00", content_type="application/octet-stream").status_code == 200
        assert Client().put(path).status_code in (405, 200)
