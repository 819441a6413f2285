"""The form of how a seller bills."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.billing.actions.settings import LONGEST_TEXT
from twin.billing.errors import BillingInvalid
from twin.billing.rules.rounding import minor_text, typed_minor
from twin.billing.types import Settings
from twin.portal.statement_page import POLICY_WORDS

_SERIES_HINT: Final = _("Letters A–Z, digits, - / and point; numbers follow it: INV-000001.")


def refusal_words(field: str, message: str) -> str:
    """Why a setting was refused, in the reader's language."""
    if "different" in message:
        return str(_("Invoices, credit notes and top-ups need three different series."))
    if field.endswith("series"):
        return str(_("Letters A–Z, digits, - / and point; a letter or a digit at both ends."))
    if field == "logo":
        return str(_("This is no whole picture in PNG or JPEG, or it is too large."))
    return str(_("This cannot be used here."))


class BillingForm(forms.Form):
    """All settings but the logo. The threshold is an amount of the seller's currency."""

    series = forms.CharField(label=_("Series of invoices"), max_length=12, help_text=_SERIES_HINT)
    credit_series = forms.CharField(label=_("Series of credit notes"), max_length=12)
    top_up_series = forms.CharField(label=_("Series of top-up requests"), max_length=12)
    closes_automatically = forms.BooleanField(label=_("Months are closed and invoiced by themselves"), required=False)
    grace = forms.IntegerField(
        label=_("Grace, in hours"),
        min_value=0,
        max_value=28 * 24,
        help_text=_("So long after its end a month waits for late usage."),
    )
    payment_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=365)
    tax_kind = forms.ChoiceField(
        label=_("Tax"),
        choices=[
            ("rate", _("A percentage is added")),
            ("exempt", _("No tax")),
            ("reverse_charge", _("Reverse charge: the buyer owes the tax")),
        ],
    )
    tax_percent = forms.DecimalField(
        label=_("Tax, per cent"), min_value=0, max_value=100, max_digits=7, decimal_places=4, required=False
    )
    tax_text = forms.CharField(
        label=_("Text about the tax"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text=_("Printed beneath the sums, for instance why no tax is due."),
    )
    late_policy = forms.ChoiceField(
        label=_("Usage that comes after its month was closed"), choices=list(POLICY_WORDS.items())
    )
    late_threshold = forms.CharField(
        label=_("Ask when late usage changes the amount by more than"),
        max_length=20,
        required=False,
        help_text=_("Empty: never ask."),
    )
    language = forms.ChoiceField(
        label=_("Language of the documents"), choices=[("en", "English"), ("ru", pgettext_lazy("language", "Russian"))]
    )
    footer = forms.CharField(
        label=_("Text at the foot of every document"),
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea({"rows": 3}),
    )

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.currency = currency

    def clean_late_threshold(self) -> int | None:
        text = self.cleaned_data["late_threshold"].strip()
        if not text:
            return None
        try:
            found = typed_minor(text, self.currency)
        except BillingInvalid:
            raise forms.ValidationError(_("Write an amount such as 100 or 99.50."), code="amount") from None
        if found < 0:
            raise forms.ValidationError(_("Write an amount such as 100 or 99.50."), code="amount")
        return found

    def settings(self) -> Settings:
        """What was given; only after `is_valid`."""
        given = dict(self.cleaned_data)
        return Settings(
            grace=timedelta(hours=given.pop("grace")),
            late_threshold_minor=given.pop("late_threshold"),
            tax_percent=given.pop("tax_percent") or Decimal(0),
            **given,
        )


def initial_of(settings: Settings, currency: str) -> dict[str, Any]:
    """The settings as the form shows them."""
    threshold = settings.late_threshold_minor
    return {
        **{name: getattr(settings, name) for name in BillingForm.base_fields if hasattr(settings, name)},
        "grace": settings.grace // timedelta(hours=1),
        "tax_percent": settings.tax_percent.normalize() if settings.tax_percent else "",
        "late_threshold": "" if threshold is None else minor_text(threshold, currency),
    }


class LogoForm(forms.Form):
    """A picture for the documents."""

    logo = forms.FileField(
        label=_("Picture"),
        help_text=_("PNG or JPEG, at most 200 kB. It stands at the top of every new document."),
        widget=forms.FileInput({"accept": "image/png,image/jpeg"}),
    )
