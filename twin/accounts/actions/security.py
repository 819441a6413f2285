"""What people change about getting in: password, second factors, sessions.

Each is one transaction that also writes the security event and
queues the mail telling the person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from twin.accounts.errors import CodeWrong, FactorNeeded, FactorTaken, FactorUnknown, PasswordUnchanged, PasswordWrong
from twin.accounts.factors import PASSKEY, RECOVERY_CODES, TOTP, factors_of, has_second_factor
from twin.accounts.models import User
from twin.accounts.notices import tell
from twin.accounts.sessions import end_sessions
from twin.kernel import clock
from twin.kernel.security_events import Event
from twin.kernel.security_log import record
from twin.kernel.text import clean_text

LONGEST_PASSKEY_NAME: Final = 60


def change_password(*, user_id: int, current: str, new: str, address: str, session_key: str | None) -> None:
    """The new password in place of the current one; every session but that of `session_key` ends.

    Raises `PasswordWrong` when `current` is not the password, Django's `ValidationError` when the
    new one is not good enough; nothing is changed then.
    """
    if not User.objects.get(pk=user_id).check_password(current):
        record("password_change_refused", user_id=user_id, address=address)
        raise PasswordWrong("This is not your current password.")
    with transaction.atomic():
        person = _locked(user_id)
        if new == current:
            raise PasswordUnchanged("This is the current password.")
        validate_password(new, person)
        person.set_password(new)
        person.save(update_fields=["password"])
        end_sessions(user_id=user_id, keep=session_key)
        record("password_changed", user_id=user_id, address=address)
        tell(person, "password_changed", address=address)


def new_app_secret() -> str:
    """A seed for an authenticator app, 160 bits."""
    return str(totp.generate_totp_secret())


@transaction.atomic
def add_app(*, user_id: int, secret: str, code: str, address: str) -> bool:
    """Sign-in asks for codes of the app with this secret from now on; True when recovery codes were made too.

    The code shows that the app holds the secret; it is used up by
    that and opens no sign-in any more. Raises `CodeWrong`, or
    `FactorTaken` when there is an app already.
    """
    person = _locked(user_id)
    if Authenticator.objects.filter(user_id=user_id, type=TOTP).exists():
        raise FactorTaken("An authenticator app is set up already; remove it first.")
    if not totp.validate_totp_code(secret, code):
        raise CodeWrong("This code does not fit. Enter the one the app shows now.")
    added = totp.TOTP.activate(person, secret)
    # Each code counts once. allauth remembers the ones of sign-ins only.
    if not added.validate_code(code):
        raise CodeWrong("This code does not fit. Enter the one the app shows now.")
    return _added(person, "app_added", address)


@transaction.atomic
def add_passkey(*, user_id: int, name: str, credential: dict[str, Any], address: str) -> bool:
    """The passkey signs the person in from now on; True when recovery codes were made too.

    The credential must have been verified against the challenge that was given out.
    """
    person = _locked(user_id)
    name = clean_text(name, field="name", longest=LONGEST_PASSKEY_NAME)
    WebAuthn.add(person, name, credential)
    return _added(person, "passkey_added", address, name=name)


@transaction.atomic
def rename_passkey(*, user_id: int, passkey_id: int, name: str) -> None:
    """Raises `FactorUnknown` for what is no passkey of this person."""
    passkey = _factor(user_id, passkey_id)
    if passkey.type != PASSKEY:
        raise FactorUnknown("There is no such passkey.")
    passkey.data["name"] = clean_text(name, field="name", longest=LONGEST_PASSKEY_NAME)
    passkey.save(update_fields=["data"])


@transaction.atomic
def remove_factor(*, user_id: int, factor_id: int, address: str, keep_one: bool = False) -> None:
    """The app or passkey is forgotten; with the last one go the recovery codes.

    Raises `FactorUnknown` for what is not of this person, and
    `FactorNeeded` when it is the last and `keep_one` says that the
    person's role demands one.
    """
    person = _locked(user_id)
    factor = _factor(user_id, factor_id)
    if keep_one and factors_of(user_id).number == 1:
        raise FactorNeeded("Your role needs a second factor: add another one before you remove this one.")
    happened: Event = "passkey_removed" if factor.type == PASSKEY else "app_removed"
    name = str(factor.data.get("name", ""))
    factor.delete()
    if not has_second_factor(user_id):
        Authenticator.objects.filter(user_id=user_id).delete()
    record(happened, user_id=user_id, address=address, name=name)
    tell(person, happened, address=address, name=name)


@transaction.atomic
def renew_recovery_codes(*, user_id: int, address: str) -> None:
    """New codes in place of the old ones. Raises `FactorUnknown` when there is nothing they could stand in for."""
    person = _locked(user_id)
    if not has_second_factor(user_id):
        raise FactorUnknown("Recovery codes stand in for a second factor: set one up first.")
    Authenticator.objects.filter(user_id=user_id, type=RECOVERY_CODES).delete()
    RecoveryCodes.activate(person)
    record("recovery_codes_renewed", user_id=user_id, address=address)
    tell(person, "recovery_codes_renewed", address=address)


@transaction.atomic
def note_factor_used(*, user_id: int, factor_type: str, address: str) -> None:
    """Somebody got past the second step; a recovery code, being rare, is told to the person by mail."""
    record("second_factor_accepted", user_id=user_id, address=address, factor=factor_type)
    if factor_type == RECOVERY_CODES:
        left = factors_of(user_id).codes_left
        tell(User.objects.get(pk=user_id), "recovery_code_used", address=address, left=left)


@transaction.atomic
def reset_factors(*, user_id: int, address: str) -> None:
    """All second factors of the person are forgotten and every session ends."""
    person = _locked(user_id)
    Authenticator.objects.filter(user_id=user_id).delete()
    end_sessions(user_id=user_id)
    record("second_factors_reset", user_id=user_id, address=address)
    tell(person, "factors_reset", address=address)


def begin_second_factor_duty(*, user_id: int) -> datetime:
    """From when a second factor is demanded of the person: now, unless it was noted before."""
    User.objects.filter(pk=user_id, second_factor_since=None).update(second_factor_since=clock.now())
    since = User.objects.values_list("second_factor_since", flat=True).get(pk=user_id)
    return since or clock.now()


def end_second_factor_duty(*, user_id: int) -> None:
    """The person's role demands none any more; should it again, the days of grace begin anew."""
    User.objects.filter(pk=user_id).update(second_factor_since=None)


def _added(person: User, happened: Literal["app_added", "passkey_added"], address: str, name: str = "") -> bool:
    makes_codes = not Authenticator.objects.filter(user_id=person.pk, type=RECOVERY_CODES).exists()
    if makes_codes:
        RecoveryCodes.activate(person)
    record(happened, user_id=person.pk, address=address, name=name)
    tell(person, happened, address=address, name=name)
    return makes_codes


def _locked(user_id: int) -> User:
    """The person, held so that two changes of the same account wait for each other."""
    return User.objects.select_for_update().get(pk=user_id)


def _factor(user_id: int, factor_id: int) -> Any:
    found = Authenticator.objects.filter(user_id=user_id, pk=factor_id).exclude(type=RECOVERY_CODES).first()
    if found is None:
        raise FactorUnknown("There is no such second factor.")
    return found
