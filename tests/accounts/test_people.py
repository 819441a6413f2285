"""People: one email each in any letter case, passwords that resist guessing."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError, connections, transaction

from twin.accounts.actions import create_person
from twin.accounts.errors import EmailTaken, EmailUnusable, PasswordTooWeak
from twin.accounts.models import Consent, User
from twin.accounts.rules.passwords import check_password
from twin.kernel import clock

PASSWORD = "harbour-lantern-quiet-41"


@pytest.mark.database
def test_an_email_belongs_to_one_person_in_any_letter_case() -> None:
    create_person(email="Ada@Example.org", password=PASSWORD, name="Ada")
    with pytest.raises(EmailTaken):
        create_person(email="aDA@example.ORG ", password=PASSWORD, name="Another")
    assert [user.email for user in User.objects.all()] == ["ada@example.org"]


@pytest.mark.database
def test_the_database_itself_refuses_the_same_email_in_another_case() -> None:
    create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ADA@example.org", name="Another")


@pytest.mark.database
@pytest.mark.parametrize("typed", ["ada@example.org", "ADA@Example.ORG"])
def test_a_person_signs_in_with_email_in_any_case_and_password(typed: str) -> None:
    person = create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    found = authenticate(None, email=typed, password=PASSWORD)
    assert found is not None
    assert found.pk == person.pk
    assert authenticate(None, email=typed, password=PASSWORD + "x") is None


@pytest.mark.database
def test_a_deactivated_person_does_not_sign_in() -> None:
    person = create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert authenticate(None, email="ada@example.org", password=PASSWORD) is None


@pytest.mark.database
def test_passwords_are_kept_as_argon2_only() -> None:
    person = create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    stored = User.objects.get(pk=person.pk).password
    assert stored.startswith("argon2$argon2id$")
    assert PASSWORD not in stored


@pytest.mark.database
@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "a b@example.org", "ada@example.org\x00", "x" * 250 + "@example.org"]
)
def test_what_is_no_email_makes_nobody(email: str) -> None:
    with pytest.raises(EmailUnusable):
        create_person(email=email, password=PASSWORD, name="Ada")
    assert not User.objects.exists()


@pytest.mark.database
@pytest.mark.parametrize("phone", ["123", "+0123456789", "+49 171 1234567", "0049171123456"])
def test_only_e164_phones_are_stored(phone: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ada@example.org", None, name="Ada", phone=phone)


@pytest.mark.database
def test_a_consent_is_recorded_once_per_version() -> None:
    person = create_person(email="ada@example.org", password=PASSWORD, name="Ada")
    given = {"user_id": person.pk, "kind": "terms", "given_at": clock.now(), "address": "2001:db8::1"}
    Consent.objects.create(version="2026-01", **given)
    Consent.objects.create(version="2026-02", **given)
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(version="2026-01", **given)


@pytest.mark.database
def test_the_app_role_may_use_the_cache_that_counts_attempts() -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select count(*) from twin_cache")
        assert cursor.fetchone() is not None
        cursor.execute("select has_table_privilege('twin_cache', 'insert, update, delete')")
        assert cursor.fetchone() == (True,)


@pytest.mark.parametrize("password", ["", "short", "elevenchars", "password1234", "aaaaaaaaaaaaaaaa", "x" * 1001])
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak) as refusal:
        check_password(password)
    assert refusal.value.errors[0].loc == ("password",)


def test_words_about_the_person_do_not_make_a_password_strong() -> None:
    check_password("ottokarwunderlich")
    with pytest.raises(PasswordTooWeak):
        check_password("ottokarwunderlich", ("Ottokar Wunderlich", "ottokarwunderlich@example.org"))


@pytest.mark.parametrize("password", [PASSWORD, "четыре разных слова вместе", PASSWORD * 5])
def test_long_and_unlikely_passwords_are_taken(password: str) -> None:
    check_password(password)
