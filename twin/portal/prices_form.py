"""The forms of prices: a card, a rate, an assignment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.companies.types import Company
from twin.kernel import clock
from twin.kernel.errors import Invalid
from twin.portal.companies_form import MomentField, seller_field
from twin.portal.report_words import CHANNEL_TITLES
from twin.pricing.meters import CHANNELS
from twin.pricing.rules.channels import rates_of_channel
from twin.pricing.rules.new_rates import HIGHEST_PER, HIGHEST_QUANTITY, price_nano
from twin.pricing.rules.rate_files import read_selector
from twin.pricing.types import NewRate
from twin.pricing.words import METER_TITLES

_OF_CHANNELS: Final = tuple(meter for meters in CHANNELS.values() for meter in meters)
_LOCAL: Final = _("Local time of %(zone)s; empty means now.")


class PriceField(forms.CharField):
    """A decimal number with a point or a comma; gives nano-units."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=24, widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}), **options
        )

    def clean(self, value: Any) -> int:
        text = super().clean(value)
        try:
            return price_nano(text.replace(",", ".")) if text else 0
        except Invalid:
            raise ValidationError(
                _("Write a decimal number from 0 with at most 9 decimals, such as 0.0745."), code="price"
            ) from None


class SelectorField(forms.CharField):
    """`country=DE, operator=1` or a JSON object; gives the attributes as a dictionary."""

    def clean(self, value: Any) -> dict[str, str]:
        try:
            return read_selector(super().clean(value))
        except ValueError:
            raise ValidationError(_("Write attributes like country=DE, operator=1."), code="selector") from None


class CardForm(forms.Form):
    """A new, empty card."""

    name = forms.CharField(label=pgettext_lazy("name of a rate card", "Name"), max_length=200)
    default = forms.BooleanField(label=_("New companies start with it"), required=False)


class RateForm(forms.Form):
    """One price from an instant on; of a channel either on sending or on delivery."""

    meter = forms.ChoiceField(
        label=pgettext_lazy("what is counted", "Meter"),
        choices=[
            (_("Channels"), [(channel, CHANNEL_TITLES[channel]) for channel in CHANNELS]),
            (_("Chat, calls and bots"), [(one, METER_TITLES[one]) for one in METER_TITLES if one not in _OF_CHANNELS]),
            (_("One meter of a channel alone"), [(one, METER_TITLES[one]) for one in _OF_CHANNELS]),
        ],
    )
    charged_on = forms.ChoiceField(
        label=_("A message is charged"),
        choices=[("sent", _("on sending")), ("delivered", _("on delivery"))],
        initial="delivered",
        required=False,
        widget=forms.RadioSelect,
        help_text=_("For a channel. The other of the two is recorded as free, so that nobody pays twice."),
    )
    selector = SelectorField(
        label=_("Only for"),
        required=False,
        max_length=1_200,
        help_text=_("Attributes such as country=DE; empty means all usage. The more precise price wins."),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    unit_price = PriceField(label=_("Price"))
    per = forms.IntegerField(label=_("For how many units"), min_value=1, max_value=HIGHEST_PER, initial=1)
    minimum = forms.IntegerField(label=_("At least so many units"), min_value=0, max_value=HIGHEST_QUANTITY, initial=0)
    increment = forms.IntegerField(
        label=_("Rounded up to whole"),
        min_value=1,
        max_value=HIGHEST_QUANTITY,
        initial=1,
        help_text=_("60 counts seconds of calls by whole minutes."),
    )
    setup_fee = PriceField(label=_("Fee for each event"), required=False, initial="0")

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["effective_from"] = MomentField(
            zone=zone, label=pgettext_lazy("a time", "From"), required=False, help_text=_LOCAL % {"zone": zone.key}
        )

    def ask_below_cost(self) -> None:
        """Offer the tick by which somebody says that the loss is meant."""
        self.fields["below_cost"] = forms.BooleanField(label=_("Record it although it lies below the cost"))

    def ask_precise(self, names: str) -> None:
        """Offer the tick by which somebody says that more precise prices go on charging."""
        self.fields["keep_precise"] = forms.BooleanField(label=_("Keep these prices: %(prices)s") % {"prices": names})

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("meter") in CHANNELS and not given.get("charged_on"):
            self.add_error("charged_on", _("Choose when a message is charged."))
        return given

    def rates(self) -> list[NewRate]:
        """What is to be recorded: one price, or that of a channel with its counterpart."""
        price, charged_on = self._price(), self.cleaned_data["charged_on"]
        if price.meter not in CHANNELS:
            return [price]
        return rates_of_channel(price, price.meter, "sent" if charged_on == "sent" else "delivered")

    def _price(self) -> NewRate:
        given = self.cleaned_data
        start: datetime | None = given["effective_from"]
        return NewRate(
            meter=given["meter"],
            selector=given["selector"],
            unit_price_nano=given["unit_price"],
            per=given["per"],
            minimum=given["minimum"],
            increment=given["increment"],
            setup_fee_nano=given["setup_fee"],
            effective_from=start or clock.now(),
        )


class AssignForm(forms.Form):
    """Who pays by the card, from when."""

    def __init__(self, *args: Any, buyers: Sequence[Company], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["buyer_id"] = seller_field(buyers, _("Company"))
        self.fields["effective_from"] = MomentField(
            zone=zone, label=pgettext_lazy("a time", "From"), required=False, help_text=_LOCAL % {"zone": zone.key}
        )


class CopyForm(forms.Form):
    """A card with the present prices of another one, each changed by a percentage."""

    name = forms.CharField(label=pgettext_lazy("name of a rate card", "Name"), max_length=200)
    percent = forms.DecimalField(
        label=_("Change in per cent"),
        min_value=-100,
        max_value=1000,
        max_digits=6,
        decimal_places=2,
        initial=0,
        help_text=_("10 makes every price a tenth higher, -10 a tenth lower; rounded to 9 decimals."),
    )
