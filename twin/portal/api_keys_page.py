"""What the pages of the API keys show, and the form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from twin.companies.types import (
    BILLING_READ,
    BILLING_WRITE,
    COMPANIES_READ,
    COMPANIES_WRITE,
    PERMISSIONS,
    PRICES_READ,
    PRICES_WRITE,
    REPORTS_READ,
    USAGE_WRITE,
    ApiKey,
)
from twin.kernel import clock
from twin.portal.rules.figures import count_text
from twin.portal.words import date_words, moment_words

PERMISSION_WORDS: Final[dict[str, Promise]] = {
    USAGE_WRITE: _("send usage"),
    REPORTS_READ: _("read reports"),
    COMPANIES_READ: _("read companies"),
    COMPANIES_WRITE: _("create and change companies"),
    PRICES_READ: _("read prices"),
    PRICES_WRITE: _("set prices"),
    BILLING_READ: _("read invoices and balances"),
    BILLING_WRITE: _("issue invoices and record payments"),
}
_LIFETIMES: Final[dict[str, Promise]] = {
    "30": _("30 days"),
    "90": _("90 days"),
    "365": _("One year"),
    "never": _("Without end"),
}
_SOON: Final = timedelta(days=14)


class ApiKeyForm(forms.Form):
    """What the key is for, what it may do, how long; only permissions that the maker holds are offered."""

    name = forms.CharField(
        label=_("What it is for"),
        max_length=100,
        help_text=_("For example the program that uses it. A key for each program: then one can be revoked alone."),
        error_messages={"required": _("Write 1 to 100 characters."), "max_length": _("Write 1 to 100 characters.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    permissions = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one permission."),
            "invalid_choice": _("Choose from the permissions below."),
        },
    )
    lifetime = forms.ChoiceField(
        label=_("How long it lives"),
        choices=tuple(_LIFETIMES.items()),
        initial="90",
        help_text=_("Afterwards it is refused. It can be revoked at any time before."),
        error_messages={name: _("Choose one of the spans.") for name in ("required", "invalid_choice")},
    )

    def __init__(self, *args: Any, held: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["permissions"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(name, PERMISSION_WORDS[name]) for name in PERMISSIONS if name in held]

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return clock.now() + timedelta(days=int(days)) if days != "never" else None


@dataclass(frozen=True)
class KeyRow:
    """A key in words; `state` is `active`, `expired` or `revoked`."""

    key: ApiKey
    permissions: tuple[tuple[str, str], ...]
    made: str
    expires: str
    used: str
    ended: str
    state: str
    ends_soon: bool


@dataclass(frozen=True)
class ApiKeysPage:
    """Read by the template: the keys that work first, then those that ended."""

    keys: Sequence[ApiKey]
    zone: ZoneInfo

    @property
    def rows(self) -> list[KeyRow]:
        return sorted((self._row(key) for key in self.keys), key=lambda row: row.state != "active")

    @property
    def count_words(self) -> str:
        working = sum(_state_of(key) == "active" for key in self.keys)
        number = count_text(working, get_language() or "en")
        return ngettext("%(n)s key works", "%(n)s keys work", working) % {"n": number}

    def _row(self, key: ApiKey) -> KeyRow:
        state = _state_of(key)
        return KeyRow(
            key=key,
            permissions=tuple((name, str(PERMISSION_WORDS[name])) for name in key.scopes),
            made=self._day(key.created_at),
            expires=self._day(key.expires_at) if key.expires_at else gettext("never"),
            used=moment_words(key.last_used_at.replace(microsecond=0), self.zone) if key.last_used_at else "",
            ended=self._day(key.revoked_at or key.expires_at),
            state=state,
            ends_soon=state == "active" and key.expires_at is not None and key.expires_at - clock.now() < _SOON,
        )

    def _day(self, moment: datetime | None) -> str:
        return date_words(moment.astimezone(self.zone)) if moment else ""


def _state_of(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= clock.now() else "active"
