"""The forms about companies beneath: create, edit, block, close, move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.companies.types import Company
from twin.portal.fields import TimeZoneField
from twin.portal.rules.periods import MomentUnreadable, read_moment
from twin.portal.users_form import LONGEST_EMAIL

# Beyond that nobody chooses from a list.
MOST_SELLERS: Final = 200


class MomentField(forms.CharField):
    """A local time of the given zone; gives the instant in UTC, None where nothing was typed."""

    def __init__(self, *, zone: ZoneInfo, **options: Any) -> None:
        super().__init__(max_length=40, widget=forms.DateTimeInput({"type": "datetime-local", "step": "1"}), **options)
        self._zone = zone

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_moment(text, self._zone).instant.astimezone(UTC)
        except MomentUnreadable:
            raise ValidationError(
                _("This date and time cannot be read. Write it like 2026-10-01T00:00:00."), code="moment"
            ) from None


def seller_field(sellers: Sequence[Company], label: Any) -> forms.IntegerField:
    """Chosen from a list where there are few, else named by its id."""
    field = forms.IntegerField(
        label=label, error_messages={"invalid": _("There is no such company."), "required": _("Choose a company.")}
    )
    if len(sellers) > MOST_SELLERS:
        field.help_text = _("The id stands in the list of companies.")
        return field
    field.widget = forms.Select(choices=[(one.id, f"{one.name} ({one.id})") for one in sellers])
    return field


class DetailsForm(forms.Form):
    """What a seller says of a company beneath it."""

    name = forms.CharField(label=pgettext_lazy("name of a company", "Name"), max_length=200)
    external_id = forms.CharField(
        label=_("External id"),
        required=False,
        max_length=64,
        help_text=_("Its number in your own system. No two companies of one seller share it."),
    )
    time_zone = TimeZoneField(label=_("Time zone"), help_text=_("Its days and months begin by it."))


class CreateForm(DetailsForm):
    """A company with the person who will administer it."""

    kind = forms.ChoiceField(
        label=pgettext_lazy("of a company", "Kind"),
        choices=(("company", _("Company")), ("reseller", _("Reseller"))),
        initial="company",
        help_text=_("A reseller sells to companies of its own. A company can become one later, never the other way."),
    )
    admin_name = forms.CharField(
        label=_("Name of the administrator"), max_length=200, widget=forms.TextInput({"autocomplete": "off"})
    )
    admin_email = forms.CharField(
        label=_("Email of the administrator"),
        max_length=LONGEST_EMAIL,
        help_text=_("An invitation goes there, valid for 7 days."),
        widget=forms.EmailInput({"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, sellers: Sequence[Company], own_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(sellers) > 1:
            self.fields["parent_id"] = seller_field(sellers, _("Seller"))
            self.fields["parent_id"].initial = own_id


class StateForm(forms.Form):
    """Why a company is blocked or closed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("The people of the company read it when they sign in."),
        error_messages={"required": _("Give a reason of 1 to 500 characters.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )


class MoveForm(forms.Form):
    """Under whom, from when."""

    def __init__(self, *args: Any, sellers: Sequence[Company], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent_id"] = seller_field(sellers, _("New seller"))
        self.fields["effective_from"] = MomentField(
            zone=zone,
            label=pgettext_lazy("a time", "From"),
            required=False,
            help_text=_("Local time of %(zone)s; empty means now.") % {"zone": zone.key},
        )
