"""By which cards one company pays, paid and will pay its seller, and the form that gives it another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from twin.companies.types import Company
from twin.portal.companies_form import MOST_SELLERS, MomentField
from twin.portal.price_clashes import ClashNote
from twin.portal.prices_page import SpanRow, span_row
from twin.pricing.types import RateCard, SpanListing


class ChooseCardForm(forms.Form):
    """Which card, from when."""

    card_id = forms.IntegerField(
        label=_("Rate card"),
        error_messages={"invalid": _("There is no such rate card."), "required": _("Choose a rate card.")},
    )

    def __init__(self, *args: Any, cards: Sequence[RateCard], zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(cards) > MOST_SELLERS:
            self.fields["card_id"].help_text = _("The id stands in the address of the card's page.")
        else:
            self.fields["card_id"].widget = forms.Select(choices=[(one.id, f"{one.name} ({one.id})") for one in cards])
        self.fields["effective_from"] = MomentField(
            zone=zone,
            label=pgettext_lazy("a time", "From"),
            required=False,
            help_text=_("Local time of %(zone)s; empty means now.") % {"zone": zone.key},
        )


@dataclass(frozen=True)
class CompanyCardPage:
    """Read by the template; `form` is None for whoever sold to the company formerly."""

    company: Company
    found: SpanListing
    zone: ZoneInfo
    form: forms.Form | None
    has_cards: bool
    clash: ClashNote | None

    @property
    def rows(self) -> list[SpanRow]:
        return [span_row(one, self.zone) for one in self.found.items]

    @property
    def has_more(self) -> bool:
        return self.found.total > len(self.found.items)
