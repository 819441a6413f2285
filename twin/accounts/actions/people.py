"""Making people, and what they change about themselves."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator, validate_email
from django.db import IntegrityError, transaction

from twin.accounts.errors import EmailTaken, EmailUnusable
from twin.accounts.models import User
from twin.accounts.passwords import refuse_weak_password
from twin.accounts.types import Person
from twin.kernel.errors import FieldError
from twin.kernel.text import clean_text

LONGEST_EMAIL: Final = 254
# Quoted names and numbers in brackets are addresses too, but nobody has one and few servers take them.
_UNQUOTED: Final = RegexValidator(r"^[^\s@,;:<>()\[\]\"\\]{1,64}@[^\s@,;:<>()\[\]\"\\]+\Z")


def create_person(*, email: str, password: str, name: str, time_zone: str = "UTC") -> Person:
    """A new person who signs in with that email, in any letter case.

    Raises `EmailUnusable`, `EmailTaken` or `PasswordTooWeak`; nothing is kept then.
    """
    email = checked_email(email)
    name = clean_text(name, field="name", longest=200)
    refuse_weak_password(password, (email, name))
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name, time_zone=time_zone)
    except IntegrityError:
        raise EmailTaken(f"Somebody already signs in as {email}.") from None


def checked_email(email: str) -> str:
    """The address in the form it is kept in; raises `EmailUnusable`."""
    email = email.strip().lower()
    try:
        MaxLengthValidator(LONGEST_EMAIL)(email)
        validate_email(email)
        _UNQUOTED(email)
    except ValidationError:
        message = f"{email[:64]!r} is not an email address."
        raise EmailUnusable(message, [FieldError(("email",), message)]) from None
    return email


def choose_appearance(*, user_id: int, language: str | None = None, theme: str | None = None) -> None:
    """Keep the language or the theme a person chose; what is not given stays.

    The values are the database's to refuse: pages offer only those that exist.
    """
    chosen = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    User.objects.filter(pk=user_id).update(**chosen)
