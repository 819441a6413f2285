"""The rule about passwords where Django and django-allauth ask for one, in the words of the active language."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from twin.accounts.errors import PasswordReason, PasswordTooWeak
from twin.accounts.passwords import refuse_weak_password

SENTENCES: Final[dict[PasswordReason, Promise]] = {
    "short": gettext_lazy("The password needs at least 12 characters."),
    "long": gettext_lazy("The password may have at most 128 characters."),
    "guessable": gettext_lazy(
        "This password is easy to guess. Make it longer, for example of four unrelated words, "
        "without your name or email."
    ),
    "known": gettext_lazy("This password is on the lists attackers try first. Choose another one."),
}


class StrongPassword:
    """In AUTH_PASSWORD_VALIDATORS, so that no way of setting a password passes it by."""

    def validate(self, password: str, user: Any = None) -> None:
        context = [getattr(user, name, "") or "" for name in ("email", "name", "phone")] if user else []
        try:
            refuse_weak_password(password, context)
        except PasswordTooWeak as error:
            raise ValidationError(str(SENTENCES[error.reason]), code=error.reason) from None

    def get_help_text(self) -> str:
        return _("At least 12 characters, better 15; a few unrelated words work well.")
