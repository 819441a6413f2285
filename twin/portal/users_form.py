"""The forms about people: invite, role, limit, block, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.companies.types import Company
from twin.portal.people_words import ROLES

LONGEST_EMAIL: Final = 254
# Beyond that nobody chooses from a list.
MOST_CHOICES: Final = 200
_KEEP_KEYS: Final = _("Let the API keys this person made go on; otherwise they are revoked")


class InviteForm(forms.Form):
    """Whom to invite, as what, and where several companies come into question, to which."""

    name = forms.CharField(
        label=pgettext_lazy("name of a person", "Name"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    email = forms.CharField(
        label=_("Email"),
        max_length=LONGEST_EMAIL,
        help_text=_("The invitation goes there. It can be accepted with this address only."),
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=tuple(ROLES.items()), initial="administrator")
    company = forms.IntegerField(
        label=_("Company"),
        error_messages={"invalid": _("There is no such company."), "required": _("Choose a company.")},
    )

    def __init__(self, *args: Any, companies: Sequence[Company], own_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(companies) == 1:
            del self.fields["company"]
            return
        field = self.fields["company"]
        field.initial = own_id
        if len(companies) > MOST_CHOICES:
            field.label, field.help_text = _("Id of the company"), _("It stands in the list of companies.")
            return
        choices = [(one.id, f"{one.name} ({one.id})") for one in companies]
        field.widget = forms.Select(choices=choices)


class RoleForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Role"),
        choices=tuple(ROLES.items()),
        help_text=_(
            "Administrators manage people, prices and settings; finance reads reports and invoices;"
            " chat operators work with chats."
        ),
    )


class DialogsForm(forms.Form):
    """Empty leaves it to the company's default."""

    max_dialogs = forms.IntegerField(
        label=_("Maximum number of dialogs"),
        required=False,
        min_value=1,
        max_value=10_000,
        error_messages={
            name: _("Write a whole number from 1 to 10,000, or leave it empty.")
            for name in ("invalid", "min_value", "max_value")
        },
        widget=forms.NumberInput({"inputmode": "numeric", "min": "1", "max": "10000"}),
    )


class BlockForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("The person reads it when they try to sign in."),
        error_messages={"required": _("Give a reason of 1 to 500 characters.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    keep_keys = forms.BooleanField(label=_KEEP_KEYS, required=False)


class RemoveForm(forms.Form):
    keep_keys = forms.BooleanField(label=_KEEP_KEYS, required=False)
