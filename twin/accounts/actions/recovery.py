"""A forgotten password: a link by mail, used once, that lets its reader choose a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.utils.http import base36_to_int, int_to_base36
from django.utils.translation import gettext as _
from django.utils.translation import override

from twin.accounts.actions.budget import spend
from twin.accounts.actions.people import checked_email
from twin.accounts.errors import RecoveryLinkDead
from twin.accounts.models import User
from twin.accounts.notices import tell
from twin.accounts.passwords import refuse_weak_password
from twin.accounts.sessions import end_sessions
from twin.accounts.types import Person
from twin.kernel.delivery import send_mail
from twin.kernel.links import absolute
from twin.kernel.security_log import record

# The link's life is Django's PASSWORD_RESET_TIMEOUT; the text below names it.
LINK: Final = "/recovery/%s"
_LIFETIME: Final = timedelta(hours=1)
# Fits any answer, holds nothing: an unknown address costs the same work as a known one.
_NOBODY: Final = User(pk=0, email="nobody@invalid.example")


class _Links(PasswordResetTokenGenerator):
    """Dead after use: the token is made of the password's hash, the last sign-in and the email."""

    key_salt = "twin.accounts.recovery"


@transaction.atomic
def start_recovery(*, email: str, address: str | None) -> None:
    """Mail a link to the owner of the email, or say to a stranger that there is no account.

    Both cost and look the same. Raises `EmailUnusable`, and `TooMany` when the mailbox or the
    place has got too many.
    """
    email = checked_email(email)
    spend("mail", purpose="recovery", target=email, address=address)
    person = User.objects.filter(email=email, is_active=True).first()
    link = absolute(LINK % _key_of(person or _NOBODY))
    record("recovery_asked", user_id=person.pk if person else None, address=address)
    if person is not None:
        with override(person.language):
            text = _(
                "Somebody asked to recover the password of your Twin account. To choose a new one, open this link "
                "within an hour; it works once:\n\n%(link)s\n\nIf it was not you, you need not do anything: your "
                "password stays as it is."
            ) % {"link": link}
            send_mail(to=email, subject=_("Recover your password"), text=text, purpose="recovery", expires_in=_LIFETIME)
        return
    text = _(
        "Somebody asked to recover a password at Twin with your address, but it has no account there.\n\nIf it was "
        "you, try the address you registered with, or register: %(link)s\n\nIf it was not you, you "
        "need not do anything."
    ) % {"link": absolute("/registration")}
    send_mail(
        to=email, subject=_("No Twin account with this address"), text=text, purpose="recovery", expires_in=_LIFETIME
    )


def person_of_recovery(key: str) -> Person | None:
    """Whose password the link lets choose anew; None when it is used, too old, or was never sent."""
    number, _dot, token = key.partition("-")
    try:
        person = User.objects.filter(pk=base36_to_int(number), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return person if person is not None and _Links().check_token(person, token) else None


@transaction.atomic
def finish_recovery(*, key: str, password: str, address: str | None) -> str:
    """Set the new password, end every session, tell the owner by mail; the email to sign in with.

    It signs nobody in, and a second factor stays asked for. Raises `RecoveryLinkDead`, also in
    the second of two parallel uses, and `PasswordTooWeak`.
    """
    found = person_of_recovery(key)
    if found is None:
        raise RecoveryLinkDead("The link was used or is too old.")
    person = User.objects.select_for_update().get(pk=found.pk)
    if person_of_recovery(key) is None:
        raise RecoveryLinkDead("The link was used or is too old.")
    refuse_weak_password(password, (person.email, person.name, person.phone))
    person.set_password(password)
    person.save(update_fields=["password"])
    end_sessions(user_id=person.pk)
    record("password_recovered", user_id=person.pk, address=address)
    tell(person, "password_changed", address=address or "")
    return person.email


def _key_of(person: User) -> str:
    return f"{int_to_base36(person.pk)}-{_Links().make_token(person)}"
