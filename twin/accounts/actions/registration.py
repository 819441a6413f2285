"""From the first form to a person: email confirmed, then phone, then everything at once.

Until then there is no person, so nothing half-made can sign in.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from twin.accounts.actions.challenges import answer_challenge, resend_challenge, start_challenge
from twin.accounts.actions.people import checked_email
from twin.accounts.errors import EmailTaken, PhoneChangesUsedUp, RegistrationNotFound
from twin.accounts.models import Consent, User
from twin.accounts.models import Registration as RegistrationRow
from twin.accounts.passwords import refuse_weak_password
from twin.accounts.types import Answer, Consents, Person, RegistrationUnderWay
from twin.accounts.under_way import (
    EMAIL_PURPOSE,
    PHONE_PURPOSE,
    REMEMBERED,
    shown_registration,
)
from twin.kernel import clock
from twin.kernel.delivery import send_mail
from twin.kernel.links import absolute
from twin.kernel.period import parse_zone
from twin.kernel.security_log import record
from twin.kernel.text import clean_text

MOST_PHONE_CHANGES: Final = 3
_LANGUAGES: Final = ("en", "ru")


def begin_registration(
    *, name: str, email: str, password: str, phone: str, time_zone: str, consents: Consents
) -> RegistrationUnderWay:
    """Remember the details and send the email code, in the active language.

    For an email that has an account everything looks and costs the same, but the owner gets a
    mail that says so and no code is right. `phone` is E.164. Raises `Invalid` kinds for
    unusable details and `TooMany` when a budget is used up.
    """
    row = _begun(name, email, password, phone, time_zone, consents)
    with transaction.atomic():
        row.email_challenge_id = _send_email_code(row.email, consents.address)
        row.save(force_insert=True)
        record("registration_begun", address=consents.address, email=row.email)
    return shown_registration(row)


def begin_invited_registration(
    *, name: str, email: str, password: str, phone: str, time_zone: str, consents: Consents
) -> RegistrationUnderWay:
    """The same for somebody whose mailbox the link of an invitation has proven: the phone is what is left.

    Raises `EmailTaken` too: whoever holds the link may know.
    """
    row = _begun(name, email, password, phone, time_zone, consents)
    if User.objects.filter(email=row.email).exists():
        raise EmailTaken(f"Somebody already signs in as {row.email}.")
    row.email_confirmed_at = row.created_at
    with transaction.atomic():
        row.save(force_insert=True)
        record("registration_begun", address=consents.address, email=row.email, invited=True)
    return shown_registration(row)


@transaction.atomic
def resend_registration_code(registration_id: UUID | str, *, address: str | None) -> RegistrationUnderWay:
    """Another code for the step the registration is at; raises what `resend_challenge` raises."""
    row = _locked(registration_id)
    under_way = shown_registration(row)
    if under_way.challenge is None:
        return _send_sms(row, address)
    purpose = EMAIL_PURPOSE if under_way.step == "email" else PHONE_PURPOSE
    resend_challenge(under_way.challenge.id, purpose=purpose, address=address)
    owner = User.objects.filter(email=row.email).first()
    if under_way.step == "email" and owner is not None:
        _tell_owner(owner)
    return shown_registration(row)


@transaction.atomic
def resume_registration(registration_id: UUID | str, *, address: str | None) -> RegistrationUnderWay:
    """Go on where somebody stopped; a new code is sent when the last one is of no use any more."""
    row = _locked(registration_id)
    under_way = shown_registration(row)
    if under_way.challenge is not None and under_way.challenge.is_open:
        return under_way
    if under_way.step == "phone":
        return _send_sms(row, address)
    row.email_challenge_id = _send_email_code(row.email, address)
    row.save(update_fields=["email_challenge"])
    return shown_registration(row)


@transaction.atomic
def confirm_registration_email(registration_id: UUID | str, *, code: str, address: str | None) -> Answer:
    """Try the code of the mail. The SMS is a step of its own: its budget must not undo this one."""
    row = _locked(registration_id)
    if row.email_challenge_id is None or row.email_confirmed_at is not None:
        raise RegistrationNotFound("The email of this registration is confirmed.")
    answer = answer_challenge(row.email_challenge_id, purpose=EMAIL_PURPOSE, code=code)
    if answer.is_right:
        row.email_confirmed_at = clock.now()
        row.save(update_fields=["email_confirmed_at"])
    record("registration_email_confirmed" if answer.is_right else "registration_email_refused", address=address)
    return answer


@transaction.atomic
def send_registration_sms(
    registration_id: UUID | str, *, address: str | None, phone: str | None = None
) -> RegistrationUnderWay:
    """Send the SMS code, to another number when one is given (E.164); only after the email is confirmed.

    Raises `TooMany` when a budget is used up, `PhoneChangesUsedUp` after three changes.
    """
    row = _locked(registration_id)
    if phone is not None and phone != row.phone:
        if row.phone_changes >= MOST_PHONE_CHANGES:
            raise PhoneChangesUsedUp("The number was changed as often as it may be.")
        row.phone = phone
        row.phone_changes = F("phone_changes") + 1
        row.save(update_fields=["phone", "phone_changes"])
    return _send_sms(row, address)


@transaction.atomic
def confirm_registration_phone(
    registration_id: UUID | str, *, code: str, address: str | None
) -> tuple[Answer, Person | None]:
    """Try the code of the SMS; when it is right the person exists from here on.

    A company for the person is the caller's to make, in the same transaction. Raises
    `EmailTaken` when somebody else finished with the same email in between.
    """
    row = _locked(registration_id)
    if row.email_confirmed_at is None or row.phone_challenge_id is None:
        raise RegistrationNotFound("This registration is not at that step.")
    answer = answer_challenge(row.phone_challenge_id, purpose=PHONE_PURPOSE, code=code)
    if not answer.is_right:
        record("registration_phone_refused", address=address)
        return answer, None
    consents = Consents(row.terms_version, row.personal_data_version, row.consented_at, row.address)
    person = _make_person(
        email=row.email,
        password=row.password,
        name=row.name,
        phone=answer.target,
        time_zone=row.time_zone,
        language=row.language,
        consents=consents,
    )
    row.person, row.password, row.finished_at = person, "", clock.now()
    row.save(update_fields=["person", "password", "finished_at"])
    record("registered", user_id=person.pk, address=address)
    return answer, person


@transaction.atomic
def register_person(
    *, name: str, email: str, password: str, phone: str, time_zone: str, language: str, consents: Consents
) -> Person:
    """A person whose email and phone were proven elsewhere: by the link of an invitation, by an SMS code.

    Raises `EmailTaken`, `PasswordTooWeak` and other `Invalid` kinds; nothing is kept then.
    """
    email = checked_email(email)
    name = clean_text(name, field="name", longest=200)
    refuse_weak_password(password, (email, name, phone))
    person = _make_person(
        email=email,
        password=make_password(password),
        name=name,
        phone=phone,
        time_zone=parse_zone(time_zone).key,
        language=language if language in _LANGUAGES else _LANGUAGES[0],
        consents=consents,
    )
    record("registered", user_id=person.pk, address=consents.address)
    return person


def unfinished_registration(*, email: str, password: str) -> UUID | None:
    """The registration somebody who cannot sign in has begun and may go on with; costs the same when there is none."""
    begun = RegistrationRow.objects.filter(
        email=email.strip().lower(), finished_at=None, created_at__gt=clock.now() - REMEMBERED
    ).order_by(F("email_confirmed_at").desc(nulls_last=True), "-created_at")
    row = begun.first()
    if row is None:
        make_password(password)
        return None
    return row.pk if check_password(password, row.password) else None


def forget_registrations(*, older_than: timedelta = REMEMBERED) -> int:
    """Delete registrations, finished or not, that nobody can go on with; how many."""
    number, _by_model = RegistrationRow.objects.filter(created_at__lt=clock.now() - older_than).delete()
    return number


def _begun(name: str, email: str, password: str, phone: str, time_zone: str, consents: Consents) -> RegistrationRow:
    """What the first form says, checked and not yet kept."""
    email = checked_email(email)
    name = clean_text(name, field="name", longest=200)
    refuse_weak_password(password, (email, name, phone))
    return RegistrationRow(
        id=uuid4(),
        email=email,
        name=name,
        password=make_password(password),
        phone=phone,
        time_zone=parse_zone(time_zone).key,
        language=_language(),
        terms_version=consents.terms_version,
        personal_data_version=consents.personal_data_version,
        consented_at=consents.given_at,
        address=consents.address,
        created_at=clock.now(),
    )


def _make_person(*, email: str, password: str, consents: Consents, **fields: Any) -> User:
    user = User(email=email, password=password, phone_verified_at=clock.now(), **fields)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken(f"Somebody already signs in as {email}.") from None
    for kind, version in (("terms", consents.terms_version), ("personal_data", consents.personal_data_version)):
        Consent.objects.create(
            user=user, kind=kind, version=version, given_at=consents.given_at, address=consents.address
        )
    return user


def _send_email_code(email: str, address: str | None) -> UUID:
    owner = User.objects.filter(email=email).first()
    sent = start_challenge(
        purpose=EMAIL_PURPOSE, channel="mail", target=email, address=address, is_decoy=owner is not None
    )
    if owner is not None:
        _tell_owner(owner)
    return sent.id


def _send_sms(row: RegistrationRow, address: str | None) -> RegistrationUnderWay:
    if row.email_confirmed_at is None:
        raise RegistrationNotFound("No SMS before the email is confirmed.")
    sent = start_challenge(purpose=PHONE_PURPOSE, channel="sms", target=row.phone, address=address)
    row.phone_challenge_id = sent.id
    row.save(update_fields=["phone_challenge"])
    return shown_registration(row)


def _tell_owner(owner: User) -> None:
    """In the owner's language, not in that of whoever tries."""
    with override(owner.language):
        text = _(
            "Somebody tried to register at Twin with your address. You have an account already: nothing was changed."
            "\n\nIf it was you, sign in: %(login)s\nIf you forgot your password, recover it: %(recovery)s\n\n"
            "If it was not you, you need not do anything."
        ) % {"login": absolute("/login"), "recovery": absolute("/recovery")}
        send_mail(to=owner.email, subject=_("You are registered at Twin already"), text=text, purpose="email_code")


def _locked(registration_id: UUID | str) -> RegistrationRow:
    row = RegistrationRow.objects.select_for_update().filter(pk=registration_id, finished_at=None).first()
    if row is None or row.created_at <= clock.now() - REMEMBERED:
        raise RegistrationNotFound("There is no registration under way.")
    return row


def _language() -> str:
    active = get_language() or ""
    return active if active in _LANGUAGES else _LANGUAGES[0]
