"""App, passkeys and codes lost: staff have a link sent, the person alone can use it.

What it takes together is what it took to set the account up: the
mailbox, the password, and the confirmed phone where there is one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext as _
from django.utils.translation import override

from twin.accounts.actions.budget import spend
from twin.accounts.actions.challenges import answer_challenge, start_challenge
from twin.accounts.actions.security import reset_factors
from twin.accounts.errors import FactorUnknown, PasswordWrong, RecoveryLinkDead
from twin.accounts.factors import has_second_factor
from twin.accounts.models import User
from twin.accounts.types import Answer, Challenge, Person
from twin.kernel.delivery import send_mail
from twin.kernel.links import absolute
from twin.kernel.security_log import record

FACTOR_RESET: Final = "factor_reset"
LINK: Final = "/second-factor-reset/%s"
# The link's life is Django's PASSWORD_RESET_TIMEOUT; the text below names it.
_LIFETIME: Final = timedelta(hours=1)


class _Links(PasswordResetTokenGenerator):
    """Dead after use, after a sign-in, after another password, and once a second factor was used or changed."""

    key_salt = "twin.accounts.factor_reset"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        factors = Authenticator.objects.filter(user_id=user.pk).order_by("pk").values_list("pk", "last_used_at")
        return f"{super()._make_hash_value(user, timestamp)}{list(factors)}"


@transaction.atomic
def start_factor_reset(*, user_id: int, by_user_id: int, address: str) -> None:
    """Mail the person the link; nothing is removed by that. Raises `FactorUnknown`, `TooMany`."""
    person = User.objects.get(pk=user_id)
    if not person.is_active or not has_second_factor(user_id):
        raise FactorUnknown("This person has no second factor.")
    spend("mail", purpose=FACTOR_RESET, target=person.email, address=address, user_id=by_user_id)
    record("factor_reset_started", user_id=user_id, address=address, by=by_user_id)
    with override(person.language):
        send_mail(
            to=person.email,
            subject=_("Remove your second factor"),
            text=_(
                "An administrator asked for this mail because you cannot use your second factor any more. Open this "
                "link within an hour to remove it; you need your password, and a code is sent to your phone:"
                "\n\n%(link)s\n\nIf you did not ask for it, do not open the link and tell your administrator."
            )
            % {"link": absolute(LINK % f"{int_to_base36(person.pk)}-{_Links().make_token(person)}")},
            purpose="factor_recovery",
            expires_in=_LIFETIME,
        )


def person_of_factor_reset(key: str) -> Person | None:
    """Whose second factor the link may remove; None when it is used, too old, or was never sent."""
    number, _dot, token = key.partition("-")
    try:
        person = User.objects.filter(pk=base36_to_int(number), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return person if person is not None and _Links().check_token(person, token) else None


def begin_factor_reset(*, key: str, password: str, address: str) -> Challenge | None:
    """With link and password: a code goes to the confirmed phone; None where there is none, and it is done at once.

    Raises `RecoveryLinkDead`, `PasswordWrong`, `TooMany`.
    """
    person = _person(key)
    if not person.check_password(password):
        record("factor_reset_refused", user_id=person.pk, address=address)
        raise PasswordWrong("This is not the password.")
    if person.phone and person.phone_verified_at is not None:
        return start_challenge(
            purpose=FACTOR_RESET, channel="sms", target=person.phone, address=address, user_id=person.pk
        )
    reset_factors(user_id=person.pk, address=address)
    return None


def finish_factor_reset(*, key: str, challenge_id: UUID | str, code: str, address: str) -> Answer:
    """With the right code all second factors are gone and every session ends. Raises `RecoveryLinkDead`."""
    person = _person(key)
    answer = answer_challenge(challenge_id, purpose=FACTOR_RESET, code=code, user_id=person.pk)
    if answer.is_right:
        reset_factors(user_id=person.pk, address=address)
    else:
        record("factor_reset_refused", user_id=person.pk, address=address)
    return answer


def _person(key: str) -> User:
    found = person_of_factor_reset(key)
    if found is None:
        raise RecoveryLinkDead("The link was used or is too old.")
    return User.objects.get(pk=found.pk)
