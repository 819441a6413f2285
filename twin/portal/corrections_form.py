"""The forms of corrections: which charges, and why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from twin.companies.types import Company
from twin.kernel.period import Period
from twin.portal.companies_form import MomentField, seller_field
from twin.pricing.words import METER_TITLES

_ANY: Final = ""


class CorrectionForm(forms.Form):
    """Which charges are looked at; `both` is offered to who may decide for the edge above too."""

    def __init__(self, *args: Any, zone: ZoneInfo, buyers: Iterable[Company], above: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("Local time of %(zone)s.") % {"zone": zone.key}
        self.fields["from"] = MomentField(zone=zone, label=pgettext_lazy("a time", "From"), help_text=hint)
        self.fields["to"] = MomentField(zone=zone, label=pgettext_lazy("a time", "To"), help_text=hint)
        buyer = seller_field(list(buyers), gettext_lazy("Company"))
        buyer.required = False
        if isinstance(buyer.widget, forms.Select):
            buyer.widget.choices = [(_ANY, _("All companies")), *buyer.widget.choices]
        self.fields["buyer_id"] = buyer
        meters = [(code, METER_TITLES[code]) for code in METER_TITLES]
        self.fields["meter"] = forms.ChoiceField(
            label=pgettext_lazy("what is counted", "Meter"), choices=[(_ANY, _("All meters")), *meters], required=False
        )
        if above:
            label = _("Also what you pay %(seller)s for this usage") % {"seller": above}
            self.fields["both"] = forms.BooleanField(label=label, required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = given.get("from"), given.get("to")
        if start and end and start >= end:
            raise ValidationError(_("The end must lie after the beginning."), code="period")
        return given

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["from"], self.cleaned_data["to"])

    @property
    def meters(self) -> list[str] | None:
        code = self.cleaned_data["meter"]
        return [code] if code else None


class ReasonForm(forms.Form):
    """Why charges are corrected."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        help_text=gettext_lazy("It is recorded with the correction, for good."),
        error_messages={"required": gettext_lazy("Give a reason of 1 to 500 characters.")},
        widget=forms.TextInput({"autocomplete": "off"}),
    )
