"""The lists of the prices pages as asked for in the address: cards, rates of a card, what one pays, who pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

from twin.portal.listing import Head, ListAsked, Segment
from twin.portal.rules.figures import count_text
from twin.pricing.meters import METERS
from twin.pricing.queries import CARD_ORDERS, LISTED_A_PAGE, RATE_STATES, SPAN_STATES
from twin.pricing.words import METER_TITLES

RATE_STATE_TITLES: Final[dict[str, Promise]] = {
    "all": pgettext_lazy("prices", "All"),
    "current": pgettext_lazy("prices", "In force"),
    "planned": pgettext_lazy("prices", "Planned"),
    "past": pgettext_lazy("prices", "Replaced"),
}
SPAN_STATE_TITLES: Final[dict[str, Promise]] = {
    "now": pgettext_lazy("companies that pay by a card", "Now"),
    "planned": pgettext_lazy("companies that pay by a card", "Planned"),
    "past": pgettext_lazy("companies that pay by a card", "Before"),
    "all": pgettext_lazy("companies that pay by a card", "All"),
}
_CARD_COLUMNS: Final[dict[str, Promise]] = {
    "name": pgettext_lazy("name of a rate card", "Name"),
    "buyers": gettext_lazy("Companies"),
    "rates": gettext_lazy("Recorded prices"),
}


@dataclass(frozen=True)
class CardsAsked(ListAsked):
    """Own cards."""

    route = "portal:prices"
    codes = ("all",)
    orders = CARD_ORDERS
    rows_a_page = LISTED_A_PAGE

    @property
    def heads(self) -> list[Head]:
        return [self.head(name, str(title), is_figure=name != "name") for name, title in _CARD_COLUMNS.items()]


@dataclass(frozen=True)
class PaidAsked(ListAsked):
    """The prices that the asker itself pays."""

    route = "portal:prices_paid"
    codes = RATE_STATES
    orders = ()
    rows_a_page = LISTED_A_PAGE


@dataclass(frozen=True)
class RatesAsked(PaidAsked):
    """The prices of one card."""

    route = "portal:rate_card"

    card_id: int = 0

    @property
    def path(self) -> str:
        return reverse(self.route, args=[self.card_id])


@dataclass(frozen=True)
class BuyersAsked(RatesAsked):
    """Who pays by one card."""

    route = "portal:card_assign"
    codes = SPAN_STATES

    segment: str = "now"


def meters_named(search: str) -> list[int]:
    """The meters of which code or title, in the active language, hold the text."""
    part = search.strip().casefold()
    if not part:
        return []
    return [one.id for one in METERS if part in one.code or part in str(METER_TITLES[one.code]).casefold()]


def segments_of(asked: ListAsked, titles: Mapping[str, Promise], counts: Mapping[str, int]) -> list[Segment]:
    language = get_language() or "en"
    return [asked.segment_of(code, str(title), count_text(counts[code], language)) for code, title in titles.items()]
