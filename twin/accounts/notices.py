"""Mails that tell people what happened to their account, in their language, to the old address too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import dateformat, translation
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from twin.accounts.models import User
from twin.kernel import clock
from twin.kernel.delivery import send_mail
from twin.kernel.links import absolute

PURPOSE: Final = "notice"
RECOVERY: Final = "/recovery"
SECURITY: Final = "/security"

# What happened, in a subject and a sentence. No subject holds a name, a code or a link.
NOTICES: Final[dict[str, tuple[Promise, Promise]]] = {
    "password_changed": (
        _("Your password was changed"),
        _("The password of your account was changed. Every other browser was signed out."),
    ),
    "email_changed": (
        _("Your email address was changed"),
        _("You sign in with %(new)s from now on; %(old)s is no longer known to your account."),
    ),
    "phone_changed": (_("Your phone number was changed"), _("The phone number of your account is %(new)s now.")),
    "app_added": (
        _("An authenticator app was added"),
        _("Signing in to your account asks for a code of the authenticator app from now on."),
    ),
    "app_removed": (
        _("The authenticator app was removed"),
        _("Signing in to your account no longer asks for a code of the authenticator app."),
    ),
    "passkey_added": (_("A passkey was added"), _("The passkey “%(name)s” can be used to sign in to your account.")),
    "passkey_removed": (
        _("A passkey was removed"),
        _("The passkey “%(name)s” can no longer be used to sign in to your account."),
    ),
    "recovery_codes_renewed": (
        _("New recovery codes were made"),
        _("Your account has new recovery codes. The ones before no longer work."),
    ),
    "recovery_code_used": (
        _("A recovery code was used"),
        _("Somebody signed in to your account with one of the recovery codes. Left: %(left)s."),
    ),
    "factors_reset": (
        _("Your second factor was removed"),
        _("The link we sent you was used: passkeys, authenticator app and recovery codes of your account are gone."),
    ),
}


def tell(person: User, happened: str, *, address: str, to: Sequence[str] = (), **values: object) -> None:
    """Queue the mail in the caller's transaction, to the person and whoever else is named in `to`."""
    subject, sentence = NOTICES[happened]
    with translation.override(person.language):
        text = _text(person, str(sentence) % values, address)
        for recipient in dict.fromkeys((person.email, *to)):
            send_mail(to=recipient, subject=str(subject), text=text, purpose=PURPOSE)


def _text(person: User, sentence: str, address: str) -> str:
    return "\n\n".join(
        (
            gettext("Hello %(name)s,") % {"name": person.name or person.email},
            sentence,
            gettext("When: %(moment)s. From the address: %(address)s.")
            % {"moment": moment_words(person), "address": address},
            gettext(
                "If this was not you, choose a new password at %(recovery)s at once and tell your administrator."
                " What is set up for your account stands at %(security)s."
            )
            % {"recovery": absolute(RECOVERY), "security": absolute(SECURITY)},
        )
    )


def moment_words(person: User) -> str:
    """Now, as the person's clock shows it, with the zone."""
    try:
        zone = ZoneInfo(person.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    local = clock.now().astimezone(zone)
    day = dateformat.format(local, pgettext("format of a date", "j M Y"))
    return f"{day}, {local:%H:%M} ({zone.key})"
