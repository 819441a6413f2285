"""Which selling rates of today lie under what the reseller pays for the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from twin.pricing.meters import METER_BY_CODE, METERS
from twin.pricing.rules.charge import charge_nano
from twin.pricing.rules.winning import winning_rate
from twin.pricing.types import Rate, Selector
from twin.reports.rules.layout import METER_IDS, PRICES

# A message may be charged on sending at one side and on delivery at the other: both meters are one thing sold.
_PAIRS: Final = tuple(meters for meters in PRICES.values() if any(meter.endswith(".sent") for meter in meters))
_PAIRED: Final = frozenset(meter for pair in _PAIRS for meter in pair)
_THINGS: Final = (*_PAIRS, *((meter.code,) for meter in METERS if meter.code not in _PAIRED))
_SECONDS_OF_A_CALL: Final = 60

Winners = tuple[tuple[int, int], ...]
RatesByMeter = Mapping[int, Sequence[Rate]]


@dataclass(frozen=True)
class Loss:
    """What `quantity` units with these attributes earn and cost, the first being less."""

    meters: tuple[str, ...]
    attributes: Mapping[str, str]
    quantity: int
    sell: int
    buy: int


def losses(sold: Sequence[Rate], paid: Sequence[Rate], at: datetime) -> list[Loss]:
    """Every attribute set that some rate names and for which the winning rates of `at` lose money; largest first.

    A side without a price is no loss but unrated usage, which is another matter.
    """
    sells, buys = _by_meter(sold), _by_meter(paid)
    found: list[Loss] = []
    for meters in _THINGS:
        found.extend(_losses_of(meters, sells, buys, at))
    return sorted(found, key=lambda one: (one.sell - one.buy, one.meters, sorted(one.attributes.items())))


def _by_meter(rates: Sequence[Rate]) -> RatesByMeter:
    found: defaultdict[int, list[Rate]] = defaultdict(list)
    for rate in rates:
        found[rate.meter_id].append(rate)
    return found


def _losses_of(meters: tuple[str, ...], sells: RatesByMeter, buys: RatesByMeter, at: datetime) -> Iterator[Loss]:
    ids = [METER_IDS[meter] for meter in meters]
    quantity = _SECONDS_OF_A_CALL if METER_BY_CODE[meters[0]].unit == "second" else 1
    known: set[Winners] = set()
    for selector in _selectors([rate for side in (sells, buys) for number in ids for rate in side.get(number, ())]):
        attributes = dict(selector)
        pairs = [_winners(sells.get(number, ()), buys.get(number, ()), attributes, at) for number in ids]
        priced = [pair for pair in pairs if pair is not None]
        winners = tuple((sell.id, buy.id) for sell, buy in priced)
        if winners in known:
            continue
        known.add(winners)
        earned = sum(charge_nano(sell.terms, quantity) for sell, _ in priced)
        cost = sum(charge_nano(buy.terms, quantity) for _, buy in priced)
        if earned < cost:
            named = tuple(meter for meter, pair in zip(meters, pairs, strict=True) if pair is not None)
            yield Loss(named, attributes, quantity, earned, cost)


def _selectors(rates: Sequence[Rate]) -> list[Selector]:
    """Those that are asked about, the most general first."""
    return sorted({rate.selector for rate in rates}, key=lambda selector: (len(selector), selector))


def _winners(
    sells: Sequence[Rate], buys: Sequence[Rate], attributes: Mapping[str, str], at: datetime
) -> tuple[Rate, Rate] | None:
    sell, buy = winning_rate(sells, attributes, at), winning_rate(buys, attributes, at)
    return None if sell is None or buy is None else (sell, buy)
