"""Other prices tried on usage that happened: the form, and what would have come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from twin.kernel.period import Period
from twin.metering.types import RateUse, Trial, TrialLine
from twin.portal.companies_form import MomentField
from twin.portal.prices_form import PriceField
from twin.portal.prices_page import selector_words
from twin.portal.report_words import Figure, figure_of
from twin.portal.rules.figures import count_text, exact_text
from twin.portal.rules.periods import presets
from twin.portal.words import moment_words
from twin.pricing.meters import METER_BY_CODE, METER_BY_ID
from twin.pricing.types import NewRate, Rate, RateCard, Selector
from twin.pricing.words import METER_TITLES

K = TypeVar("K")

PRICES_OFFERED: Final = 40
COMPANIES_SHOWN: Final = 100
LONGEST: Final = timedelta(days=400)
_PRESETS: Final[dict[str, Promise]] = {
    "last_month": gettext_lazy("Last month"),
    "this_month": gettext_lazy("This month"),
    "last_7_days": gettext_lazy("Last 7 days"),
}


class TrialForm(forms.Form):
    """The period, a percentage for all prices, and a price of its own for single ones."""

    percent = forms.DecimalField(
        label=gettext_lazy("Change all prices by per cent"),
        required=False,
        min_value=-100,
        max_value=1000,
        max_digits=6,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, zone: ZoneInfo, rates: Iterable[Rate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = _("Local time of %(zone)s.") % {"zone": zone.key}
        self.fields["from"] = MomentField(zone=zone, label=pgettext_lazy("a time", "From"), help_text=hint)
        self.fields["to"] = MomentField(zone=zone, label=pgettext_lazy("a time", "To"), help_text=hint)
        self.offer(rates)

    def offer(self, rates: Iterable[Rate]) -> None:
        """Fields for other prices; may be called after the form was read, for those that nothing was given for."""
        for rate in rates:
            self.fields.setdefault(f"price_{rate.id}", PriceField(label=_("New price"), required=False))

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = given.get("from"), given.get("to")
        if start and end and not start < end <= start + LONGEST:
            raise ValidationError(_("The end must lie after the beginning, at most 400 days later."), code="period")
        return given

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["from"], self.cleaned_data["to"])

    def price_of(self, rate: Rate) -> int | None:
        """The price tried for this rate alone; None where none was given."""
        name = f"price_{rate.id}"
        return self.cleaned_data.get(name) if self.data.get(name, "").strip() else None


def usual_period(now: datetime, zone: ZoneInfo) -> Period:
    return presets(now, zone)["last_month"]


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).replace(tzinfo=None, microsecond=0).isoformat()


@dataclass(frozen=True)
class OfferedPrice:
    """A rate that charged usage of the period, and the field for another price."""

    meter: str
    code: str
    selector: str
    price: str
    per: str
    used: str
    sell: Figure
    field: Any


@dataclass(frozen=True)
class TrialRow:
    """What was paid, would have been paid, and what that changes; `margin` is None where nobody is above."""

    title: str
    href: str
    count: str
    now: Figure
    then: Figure
    difference: Figure
    margin: Figure
    margin_then: Figure


@dataclass(frozen=True)
class TrialPage:
    """Read by the template; without `tried` there are no other prices yet."""

    card: RateCard
    form: TrialForm
    zone: ZoneInfo
    period: Period
    currency: str
    has_seller: bool
    trial: Trial
    rates: Mapping[int, Rate]
    tried: Sequence[NewRate]
    names: Mapping[int, str]
    now: datetime
    content: str = ""

    @property
    def is_tried(self) -> bool:
        return bool(self.tried) and not self.form.errors

    @property
    def period_words(self) -> str:
        return f"{moment_words(self.period.start, self.zone)} – {moment_words(self.period.end, self.zone)}"

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Title, address, and whether it is the one shown."""
        known = presets(self.now, self.zone)
        return [(str(title), self._href(known[code]), known[code] == self.period) for code, title in _PRESETS.items()]

    def _href(self, period: Period) -> str:
        kept = {name: value for name, value in self.form.data.items() if name not in ("from", "to") and value}
        pairs = {"from": local_text(period.start, self.zone), "to": local_text(period.end, self.zone), **kept}
        return f"{reverse('portal:card_trial', args=[self.card.id])}?{urlencode(pairs)}"

    @property
    def offered(self) -> list[OfferedPrice]:
        """The rates that earned most, each with a field."""
        return [
            self._offered(use)
            for use in offered_uses(self.trial, self.rates)
            if f"price_{use.rate_id}" in self.form.fields
        ]

    def _offered(self, use: RateUse) -> OfferedPrice:
        rate, language = self.rates[use.rate_id], get_language() or "en"
        code = METER_BY_ID[rate.meter_id].code
        return OfferedPrice(
            meter=str(METER_TITLES[code]),
            code=code,
            selector=selector_words(dict(rate.selector)),
            price=exact_text(rate.terms.unit_price_nano, language),
            per=count_text(rate.terms.per, language),
            used=count_text(use.count, language),
            sell=figure_of(use.sell),
            field=self.form[f"price_{use.rate_id}"],
        )

    @cached_property
    def total(self) -> TrialRow:
        return _row(_("Total"), "", self.trial.lines)

    @cached_property
    def by_meter(self) -> list[TrialRow]:
        """Those for which anybody pays anything."""
        groups = _grouped([line for line in self.trial.lines if line.sell or line.sell_then or line.buy], _meter_of)
        return [
            _row(str(METER_TITLES[meter]), "", groups[meter])
            for meter in sorted(groups, key=lambda code: METER_BY_CODE[code].id)
        ]

    @cached_property
    def by_company(self) -> list[TrialRow]:
        """Those with the greatest difference first."""
        rows = [(_difference(lines), buyer_id, lines) for buyer_id, lines in self._companies.items()]
        rows.sort(key=lambda one: (-abs(one[0]), one[1]))
        return [self._company(buyer_id, lines) for _gap, buyer_id, lines in rows[:COMPANIES_SHOWN]]

    @cached_property
    def _companies(self) -> dict[int, list[TrialLine]]:
        return _grouped(self.trial.lines, lambda line: line.buyer_id)

    @property
    def more_companies(self) -> str:
        rest = len(self._companies) - COMPANIES_SHOWN
        words = ngettext("and %(n)s more company", "and %(n)s more companies", rest)
        return words % {"n": count_text(rest, get_language() or "en")} if rest > 0 else ""

    def _company(self, buyer_id: int, lines: Sequence[TrialLine]) -> TrialRow:
        name = self.names.get(buyer_id, str(buyer_id))
        query = urlencode(
            {
                "from": local_text(self.period.start, self.zone),
                "to": local_text(self.period.end, self.zone),
                "time_zone": self.zone.key,
            }
        )
        return _row(name, f"{reverse('portal:drill_down', args=[buyer_id])}?{query}", lines)

    @property
    def notes(self) -> list[str]:
        """What the figures leave out."""
        sums = {name: sum(getattr(line, name) for line in self.trial.lines) for name in _UNRATED}
        language = get_language() or "en"
        return [str(words) % {"n": count_text(sums[name], language)} for name, words in _UNRATED.items() if sums[name]]


_UNRATED: Final[dict[str, Promise]] = {
    "unrated": gettext_lazy("Without a price now: %(n)s events. Where a price is tried for them, they count."),
    "still_unrated": gettext_lazy("Still without a price: %(n)s events."),
    "buy_unrated": gettext_lazy(
        "Without a price of your own seller: %(n)s events. The margin is too high by their cost."
    ),
}


def offered_uses(trial: Trial, rates: Mapping[int, Rate]) -> list[RateUse]:
    """What earned most, the rates of one meter and attribute set as one: the latest of them."""
    together: defaultdict[tuple[int, Selector], list[RateUse]] = defaultdict(list)
    for use in trial.uses:
        together[rates[use.rate_id].meter_id, rates[use.rate_id].selector].append(use)
    sums = [_together(uses, rates) for uses in together.values()]
    return sorted(sums, key=lambda use: (-use.sell, -use.count, use.rate_id))[:PRICES_OFFERED]


def _together(uses: Sequence[RateUse], rates: Mapping[int, Rate]) -> RateUse:
    latest = max(uses, key=lambda use: (rates[use.rate_id].effective_from, use.rate_id))
    count, quantity, sell = (sum(getattr(use, name) for use in uses) for name in ("count", "quantity", "sell"))
    return RateUse(latest.rate_id, count, quantity, sell)


def tried_prices(form: TrialForm, current: Sequence[NewRate], offered: Iterable[Rate]) -> list[NewRate]:
    """What is tried: all prices changed by a percentage, those with a price of their own by that."""
    own = [(rate, form.price_of(rate)) for rate in offered]
    single = [_at_price(rate, price) for rate, price in own if price is not None]
    places = {(one.meter, tuple(sorted(one.selector.items()))) for one in single}
    return [one for one in current if (one.meter, tuple(sorted(one.selector.items()))) not in places] + single


def _at_price(rate: Rate, price: int) -> NewRate:
    terms = rate.terms
    return NewRate(
        meter=METER_BY_ID[rate.meter_id].code,
        selector=dict(rate.selector),
        unit_price_nano=price,
        per=terms.per,
        minimum=terms.minimum,
        increment=terms.increment,
        setup_fee_nano=terms.setup_fee_nano,
        effective_from=rate.effective_from,
    )


def _grouped(lines: Iterable[TrialLine], key: Callable[[TrialLine], K]) -> dict[K, list[TrialLine]]:
    groups: defaultdict[K, list[TrialLine]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    return dict(groups)


def _meter_of(line: TrialLine) -> str:
    return line.meter


def _difference(lines: Iterable[TrialLine]) -> int:
    return sum(line.sell_then - line.sell for line in lines)


def _row(title: str, href: str, lines: Sequence[TrialLine]) -> TrialRow:
    sell, then, buy = (sum(getattr(line, name) for line in lines) for name in ("sell", "sell_then", "buy"))
    return TrialRow(
        title=title,
        href=href,
        count=count_text(sum(line.count for line in lines), get_language() or "en"),
        now=figure_of(sell),
        then=figure_of(then),
        difference=figure_of(then - sell),
        margin=figure_of(sell - buy),
        margin_then=figure_of(then - buy),
    )
