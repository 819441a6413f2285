"""What the pages of prices show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from twin.companies.types import Company
from twin.kernel.period import instant_text
from twin.portal.report_words import METER_TITLES
from twin.portal.rules.figures import count_text, exact_text
from twin.portal.words import moment_words
from twin.pricing.meters import METER_BY_CODE, METER_BY_ID
from twin.pricing.rules.charge import charge_nano
from twin.pricing.rules.winning import winning_rate
from twin.pricing.types import NewRate, Rate, RateCard, Terms

_SECONDS_OF_A_CALL: Final = 60


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
    """Own cards, and what the own seller charges; `buys` is false for the platform, which buys from nobody."""

    cards: Sequence[CardRow]
    bought: Sequence[RateRow]
    buys: bool
    currency: str
    form: forms.Form


@dataclass(frozen=True)
class CardPage:
    """One card: all its rates with their history, who pays by it, and the forms that change it."""

    card: RateCard
    rates: Sequence[RateRow]
    buyers: Sequence[Company]
    currency: str
    rate_form: forms.Form
    assign_form: forms.Form
    copy_form: forms.Form
    cost: str


def rate_rows(rates: Sequence[Rate], at: datetime, zone: ZoneInfo) -> list[RateRow]:
    """By meter, then attributes, then newest first."""
    ordered = sorted(rates, key=lambda one: (one.effective_from, one.id), reverse=True)
    ordered.sort(key=lambda one: (one.meter_id, one.selector))
    current = current_ids(rates, at)
    return [_row(rate, "planned" if rate.effective_from > at else _state(rate, current), zone) for rate in ordered]


def current_ids(rates: Sequence[Rate], at: datetime) -> set[int]:
    """Of each meter and attribute set the rate that counts now."""
    latest: dict[tuple[int, object], Rate] = {}
    for rate in sorted(rates, key=lambda one: (one.effective_from, one.id)):
        if rate.effective_from <= at:
            latest[rate.meter_id, rate.selector] = rate
    return {rate.id for rate in latest.values()}


def _state(rate: Rate, current: set[int]) -> str:
    return "current" if rate.id in current else "past"


def _row(rate: Rate, state: str, zone: ZoneInfo) -> RateRow:
    language, terms = get_language() or "en", rate.terms
    code = METER_BY_ID[rate.meter_id].code
    return RateRow(
        meter=str(METER_TITLES[code]),
        code=code,
        selector=", ".join(f"{name}={value}" for name, value in rate.selector),
        price=exact_text(terms.unit_price_nano, language),
        per=count_text(terms.per, language),
        minimum=count_text(terms.minimum, language),
        increment=count_text(terms.increment, language),
        setup_fee=exact_text(terms.setup_fee_nano, language),
        since=moment_words(rate.effective_from, zone),
        instant=instant_text(rate.effective_from),
        state=state,
    )


def cost_above(new: NewRate, paid: Sequence[Rate]) -> str:
    """What the same usage costs the seller, where that is more than the new price earns; else empty."""
    meter = METER_BY_CODE[new.meter]
    bought = [rate for rate in paid if rate.meter_id == meter.id]
    cost = winning_rate(bought, new.selector, max([new.effective_from, *(one.effective_from for one in bought)]))
    if cost is None:
        return ""
    quantity = _SECONDS_OF_A_CALL if meter.unit == "second" else 1
    terms = Terms(new.unit_price_nano, new.per, new.minimum, new.increment, new.setup_fee_nano)
    earned, spent = charge_nano(terms, quantity), charge_nano(cost.terms, quantity)
    if earned >= spent:
        return ""
    language = get_language() or "en"
    return _("This earns %(earned)s where you pay %(spent)s yourself.") % {
        "earned": exact_text(earned, language),
        "spent": exact_text(spent, language),
    }


def changed_by(rates: Sequence[Rate], percent: Decimal, at: datetime) -> list[NewRate]:
    """The rates that count at `at`, each price changed by so many per cent, from then on."""
    current = current_ids(rates, at)
    return [
        NewRate(
            meter=METER_BY_ID[rate.meter_id].code,
            selector=dict(rate.selector),
            unit_price_nano=_changed(rate.terms.unit_price_nano, percent),
            per=rate.terms.per,
            minimum=rate.terms.minimum,
            increment=rate.terms.increment,
            setup_fee_nano=_changed(rate.terms.setup_fee_nano, percent),
            effective_from=at,
        )
        for rate in rates
        if rate.id in current
    ]


def _changed(nano: int, percent: Decimal) -> int:
    return int((Decimal(nano) * (100 + percent) / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def card_rows(cards: Sequence[RateCard], buyers: Mapping[int, int], rates: Mapping[int, int]) -> list[CardRow]:
    language = get_language() or "en"
    return [
        CardRow(card, count_text(buyers.get(card.id, 0), language), count_text(rates.get(card.id, 0), language))
        for card in cards
    ]
