"""What a person has set up beside the password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator

TOTP: Final = "totp"
PASSKEY: Final = "webauthn"
RECOVERY_CODES: Final = "recovery_codes"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey under the name its owner gave it."""

    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """Second factors of one person; recovery codes alone are none, they only stand in for one."""

    app_id: int | None = None
    app_added_at: datetime | None = None
    app_used_at: datetime | None = None
    passkeys: tuple[Passkey, ...] = ()
    codes_left: int | None = None
    codes_made: int = 0

    @property
    def exist(self) -> bool:
        return self.app_id is not None or bool(self.passkeys)

    @property
    def number(self) -> int:
        return len(self.passkeys) + (self.app_id is not None)


def factors_of(user_id: int) -> Factors:
    """All of them, with when they were last used."""
    app_id: int | None = None
    app_added_at: datetime | None = None
    app_used_at: datetime | None = None
    codes_left: int | None = None
    passkeys: list[Passkey] = []
    for each in Authenticator.objects.filter(user_id=user_id).order_by("created_at", "pk"):
        if each.type == TOTP:
            app_id, app_added_at, app_used_at = each.pk, each.created_at, each.last_used_at
        elif each.type == PASSKEY:
            passkeys.append(Passkey(each.pk, each.data["name"], each.created_at, each.last_used_at))
        else:
            codes_left = len(each.wrap().get_unused_codes())
    return Factors(app_id, app_added_at, app_used_at, tuple(passkeys), codes_left, app_settings.RECOVERY_CODE_COUNT)


def has_second_factor(user_id: int) -> bool:
    """Whether a sign-in of this person asks for more than the password."""
    return bool(Authenticator.objects.filter(user_id=user_id).exclude(type=RECOVERY_CODES).exists())


def recovery_codes_of(user_id: int) -> list[str]:
    """The codes that still work; only for the page that shows them right after they were made."""
    kept = Authenticator.objects.filter(user_id=user_id, type=RECOVERY_CODES).first()
    return list(kept.wrap().get_unused_codes()) if kept else []
