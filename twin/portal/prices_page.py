"""What the pages of prices show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from twin.kernel.period import instant_text
from twin.portal.listing import Head, ListAsked, Pager, Segment
from twin.portal.price_clashes import ClashNote
from twin.portal.prices_lists import (
    RATE_STATE_TITLES,
    SPAN_STATE_TITLES,
    BuyersAsked,
    CardsAsked,
    RatesAsked,
    segments_of,
)
from twin.portal.rules.figures import count_text, exact_text
from twin.portal.words import moment_words
from twin.pricing.meters import METER_BY_ID
from twin.pricing.rules.margins import Shortfall
from twin.pricing.types import AssignmentSpan, CardDirectory, ListedRate, Rate, RateCard, RateListing, SpanListing
from twin.pricing.words import METER_TITLES

BUYERS_SHOWN: Final = 10


@dataclass(frozen=True)
class RateRow:
    """One recorded rate; `state` is planned, current or past."""

    meter: str
    code: str
    selector: str
    price: str
    per: str
    minimum: str
    increment: str
    setup_fee: str
    since: str
    instant: str
    state: str


@dataclass(frozen=True)
class CardRow:
    card: RateCard
    buyers: str
    rates: str


@dataclass(frozen=True)
class PricesPage:
    """Own cards; `buys` is false for the platform, which buys from nobody."""

    asked: CardsAsked
    found: CardDirectory
    buys: bool
    form: forms.Form

    @property
    def heads(self) -> list[Head]:
        return self.asked.heads

    @property
    def cards(self) -> list[CardRow]:
        language = get_language() or "en"
        return [
            CardRow(one.card, count_text(one.buyers, language), count_text(one.rates, language))
            for one in self.found.items
        ]

    @property
    def pager(self) -> Pager:
        return Pager(self.asked, len(self.found.items), self.found.total)


@dataclass(frozen=True)
class RatesList:
    """Recorded prices with search, states and pages."""

    asked: ListAsked
    found: RateListing
    zone: ZoneInfo
    currency: str

    @property
    def rows(self) -> list[RateRow]:
        return [rate_row(one, self.zone) for one in self.found.items]

    @property
    def segments(self) -> list[Segment]:
        return segments_of(self.asked, RATE_STATE_TITLES, self.found.counts)

    @property
    def pager(self) -> Pager:
        return Pager(self.asked, len(self.found.items), self.found.total)

    @property
    def is_empty(self) -> bool:
        """There is nothing, whatever one looks for."""
        return not self.found.total and not self.asked.search and not any(self.found.counts.values())

    @property
    def every_href(self) -> str:
        return self.asked.path


@dataclass(frozen=True)
class CardPage:
    """One card: its rates with their history, who pays by it, and the forms that change it."""

    card: RateCard
    asked: RatesAsked
    list: RatesList
    buyers: SpanListing
    rate_form: forms.Form
    assign_form: forms.Form
    copy_form: forms.Form
    costs: Sequence[str]
    clash: ClashNote | None

    @property
    def currency(self) -> str:
        return self.list.currency

    @property
    def has_rates(self) -> bool:
        return not self.list.is_empty

    @property
    def buyers_count(self) -> str:
        return count_text(self.buyers.counts["now"], get_language() or "en")

    @property
    def has_more_buyers(self) -> bool:
        return self.buyers.counts["all"] > len(self.buyers.items)


@dataclass(frozen=True)
class SpanRow:
    """From when to when somebody pays by a card, in local words and as instants; `until` is empty while it lasts."""

    span: AssignmentSpan
    state: str
    since: str
    since_instant: str
    until: str
    until_instant: str
    recorded: str


@dataclass(frozen=True)
class BuyersPage:
    """Who pays, paid and will pay by one card."""

    card: RateCard
    asked: BuyersAsked
    found: SpanListing
    zone: ZoneInfo

    @property
    def rows(self) -> list[SpanRow]:
        return [span_row(one, self.zone) for one in self.found.items]

    @property
    def segments(self) -> list[Segment]:
        return segments_of(self.asked, SPAN_STATE_TITLES, self.found.counts)

    @property
    def pager(self) -> Pager:
        return Pager(self.asked, len(self.found.items), self.found.total)


def rate_row(one: ListedRate, zone: ZoneInfo) -> RateRow:
    language, rate, terms = get_language() or "en", one.rate, one.rate.terms
    code = METER_BY_ID[rate.meter_id].code
    return RateRow(
        meter=str(METER_TITLES[code]),
        code=code,
        selector=selector_words(dict(rate.selector)),
        price=exact_text(terms.unit_price_nano, language),
        per=count_text(terms.per, language),
        minimum=count_text(terms.minimum, language),
        increment=count_text(terms.increment, language),
        setup_fee=exact_text(terms.setup_fee_nano, language),
        since=moment_words(rate.effective_from, zone),
        instant=instant_text(rate.effective_from),
        state=one.state,
    )


def span_row(one: AssignmentSpan, zone: ZoneInfo) -> SpanRow:
    return SpanRow(
        span=one,
        state=_span_words(one.state),
        since=moment_words(one.start, zone),
        since_instant=instant_text(one.start),
        until=moment_words(one.end, zone) if one.end else "",
        until_instant=instant_text(one.end) if one.end else "",
        recorded=moment_words(one.recorded_at.replace(microsecond=0), zone),
    )


def _span_words(state: str) -> str:
    return _("replaced at once") if state == "replaced" else str(_SPAN_WORDS[state])


_SPAN_WORDS: Final[Mapping[str, str | Promise]] = SPAN_STATE_TITLES


def selector_words(selector: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(selector.items()))


def shortfall_words(loss: Shortfall) -> str:
    """What the same usage costs the seller, where that is more than the new price earns."""
    language = get_language() or "en"
    return _("This earns %(earned)s where you pay %(spent)s yourself.") % {
        "earned": exact_text(loss.earned, language),
        "spent": exact_text(loss.cost, language),
    }


def price_words(rate: Rate) -> str:
    """`country=DE: 0.0500`, a price of a meter that is known."""
    text = exact_text(rate.terms.unit_price_nano, get_language() or "en")
    return f"{selector_words(dict(rate.selector)) or METER_TITLES[METER_BY_ID[rate.meter_id].code]}: {text}"
