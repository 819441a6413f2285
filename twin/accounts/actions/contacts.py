"""What people change about who and where they are: name, time zone, email, phone.

Email and phone change only after a code was typed in that went to the new one.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID
from zoneinfo import available_timezones

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from twin.accounts.actions.challenges import answer_challenge, start_challenge
from twin.accounts.actions.people import checked_email
from twin.accounts.errors import ContactUnchanged, EmailTaken
from twin.accounts.models import User
from twin.accounts.notices import RECOVERY, tell
from twin.accounts.rules.phones import checked_phone
from twin.accounts.types import Answer, Challenge
from twin.kernel import clock
from twin.kernel.delivery import send_mail
from twin.kernel.errors import invalid_field
from twin.kernel.links import absolute
from twin.kernel.masking import mask_email, mask_phone
from twin.kernel.security_log import record
from twin.kernel.text import clean_text

EMAIL_CHANGE: Final = "email_change"
PHONE_CHANGE: Final = "phone_change"


@transaction.atomic
def change_profile(*, user_id: int, name: str, time_zone: str) -> None:
    """Keep the name and the zone in which the person is shown times; raises `Invalid`."""
    name = clean_text(name, field="name", longest=200)
    if time_zone not in available_timezones():
        raise invalid_field("This time zone is not known.", "time_zone")
    User.objects.filter(pk=user_id).update(name=name, time_zone=time_zone)


@transaction.atomic
def start_email_change(*, user_id: int, email: str, address: str) -> Challenge:
    """Send a code to the new address; the address of the person stays until it is typed in.

    An address that signs somebody else in gets no code but a mail
    saying that it was tried; the asker cannot tell the difference.
    Raises `EmailUnusable`, `ContactUnchanged`, `TooMany`.
    """
    email = checked_email(email)
    person = User.objects.get(pk=user_id)
    if email == person.email:
        raise ContactUnchanged("This is the address already.")
    owner = User.objects.filter(email=email).first()
    started = start_challenge(
        purpose=EMAIL_CHANGE, channel="mail", target=email, address=address, user_id=user_id, is_decoy=owner is not None
    )
    record("email_change_asked", user_id=user_id, address=address, new=mask_email(email))
    if owner is not None:
        _tell_owner(owner)
    return started


def confirm_email_change(*, user_id: int, challenge_id: UUID | str, code: str, address: str) -> Answer:
    """With the right code the new address is the one that signs in; the old and the new one are told.

    Raises `EmailTaken` when somebody else came to sign in with it meanwhile.
    """
    answer = answer_challenge(challenge_id, purpose=EMAIL_CHANGE, code=code, user_id=user_id)
    if not answer.is_right:
        record("email_change_refused", user_id=user_id, address=address)
        return answer
    try:
        with transaction.atomic():
            person = User.objects.select_for_update().get(pk=user_id)
            old, person.email = person.email, answer.target
            person.save(update_fields=["email"])
            record("email_changed", user_id=user_id, address=address, old=mask_email(old), new=mask_email(person.email))
            tell(person, "email_changed", address=address, to=[old], old=old, new=person.email)
    except IntegrityError:
        raise EmailTaken("Somebody already signs in with this address.") from None
    return answer


@transaction.atomic
def start_phone_change(*, user_id: int, phone: str, address: str, region: str | None = None) -> Challenge:
    """Send a code to the new number. Raises `PhoneUnusable`, `ContactUnchanged`, `TooMany`."""
    phone = checked_phone(phone, countries=settings.SMS_COUNTRIES, region=region)
    person = User.objects.get(pk=user_id)
    if phone == person.phone and person.phone_verified_at is not None:
        raise ContactUnchanged("This is the number already.")
    started = start_challenge(purpose=PHONE_CHANGE, channel="sms", target=phone, address=address, user_id=user_id)
    record("phone_change_asked", user_id=user_id, address=address, new=mask_phone(phone))
    return started


def confirm_phone_change(*, user_id: int, challenge_id: UUID | str, code: str, address: str) -> Answer:
    """With the right code the number is the person's; told by mail, the old number not being a way in."""
    answer = answer_challenge(challenge_id, purpose=PHONE_CHANGE, code=code, user_id=user_id)
    if not answer.is_right:
        record("phone_change_refused", user_id=user_id, address=address)
        return answer
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user_id)
        old, person.phone, person.phone_verified_at = person.phone, answer.target, clock.now()
        person.save(update_fields=["phone", "phone_verified_at"])
        record("phone_changed", user_id=user_id, address=address, old=mask_phone(old), new=mask_phone(person.phone))
        tell(person, "phone_changed", address=address, new=mask_phone(person.phone))
    return answer


def _tell_owner(owner: User) -> None:
    with translation.override(owner.language):
        send_mail(
            to=owner.email,
            subject=_("Somebody tried to use your email address"),
            text=_(
                "Somebody tried to make %(email)s the address of another account. Nothing was changed: it stays yours."
                "\n\nIf that was you and you forgot the password of this account, recover it at %(recovery)s."
            )
            % {"email": owner.email, "recovery": absolute(RECOVERY)},
            purpose="notice",
        )
