"""Whether new prices lie under what the same usage costs the seller itself, however many prices there are."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Final

from twin.pricing.meters import CHANNELS, METER_BY_CODE, METER_BY_ID
from twin.pricing.rules.charge import charge_nano
from twin.pricing.rules.new_rates import MOST_SELECTOR_KEYS
from twin.pricing.types import NewRate, Rate, Selector, Terms

_SECONDS_OF_A_CALL: Final = 60


@dataclass(frozen=True)
class Shortfall:
    """What one message or a minute of a call earns, and the greater amount that it costs."""

    earned: int
    cost: int


class PriceIndex:
    """Rates found as `rules.winning` would, without looking at all of them."""

    def __init__(self, rates: Iterable[Rate]) -> None:
        self._found: defaultdict[tuple[int, Selector], list[Rate]] = defaultdict(list)
        for rate in sorted(rates, key=lambda one: (one.effective_from, one.id)):
            self._found[rate.meter_id, rate.selector].append(rate)

    def winner(self, meter_id: int, attributes: Mapping[str, str], at: datetime) -> Rate | None:
        """The rate that prices usage of the meter with these attributes at that instant."""
        items = sorted(attributes.items())
        for size in range(min(len(items), MOST_SELECTOR_KEYS), -1, -1):
            begun = [self.latest(meter_id, selector, at) for selector in combinations(items, size)]
            known = [rate for rate in begun if rate is not None]
            if known:
                return max(known, key=lambda rate: (rate.effective_from, rate.id))
        return None

    def latest(self, meter_id: int, selector: Selector, at: datetime) -> Rate | None:
        """The rate of exactly this attribute set that counts at that instant."""
        rates = self._found.get((meter_id, selector), [])
        place = bisect_right(rates, at, key=lambda rate: rate.effective_from)
        return rates[place - 1] if place else None

    def more_precise(self, meter_id: int, selector: Selector, at: datetime) -> list[Rate]:
        """Rates with a price that go before one of this attribute set for part of its usage, at that instant."""
        wanted = set(selector)
        found = [
            self.latest(meter, other, at)
            for meter, other in self._found
            if meter == meter_id and len(other) > len(selector) and wanted <= set(other)
        ]
        return [rate for rate in found if rate is not None and _has_price(rate.terms)]


def _has_price(terms: Terms) -> bool:
    return terms.unit_price_nano > 0 or terms.setup_fee_nano > 0


def with_new(known: Sequence[Rate], new: Sequence[NewRate]) -> PriceIndex:
    """The prices of a card as they would be with these recorded."""
    last = max((rate.id for rate in known), default=0)
    return PriceIndex([*known, *(as_recorded(rate, last + 1 + number) for number, rate in enumerate(new))])


def as_recorded(new: NewRate, number: int) -> Rate:
    """What the new rate would be under that number; its card is left open."""
    return Rate(
        id=number,
        card_id=0,
        meter_id=METER_BY_CODE[new.meter].id,
        selector=tuple(sorted(new.selector.items())),
        terms=Terms(new.unit_price_nano, new.per, new.minimum, new.increment, new.setup_fee_nano),
        effective_from=new.effective_from,
    )


def shortfall(new: NewRate, sold: PriceIndex, paid: PriceIndex, at: datetime) -> Shortfall | None:
    """Whether usage that the new rate is for earns less than it costs at that instant.

    `sold` holds the new rate already. A message that is sent and delivered counts as one: it may be
    charged on sending at one side and on delivery at the other. A side without a price is no loss.
    """
    earned = cost = 0
    for meter_id in _counted_together(new.meter):
        sell = sold.winner(meter_id, new.selector, at)
        buy = paid.winner(meter_id, new.selector, at)
        if sell is not None and buy is not None:
            quantity = _SECONDS_OF_A_CALL if METER_BY_ID[meter_id].unit == "second" else 1
            earned += charge_nano(sell.terms, quantity)
            cost += charge_nano(buy.terms, quantity)
    return Shortfall(earned, cost) if earned < cost else None


def _counted_together(meter: str) -> Sequence[int]:
    channel, _, _ = meter.partition(".")
    codes = CHANNELS.get(channel, (meter,))
    return [METER_BY_CODE[code].id for code in codes]
