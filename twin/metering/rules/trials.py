"""What usage would have cost at other prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twin.metering.rules.clashes import RatesOfMeter
from twin.metering.types import CardUsage, RateUse, Trial, TrialLine
from twin.pricing.rules.charge import charge_nano
from twin.pricing.types import NewRate, Rate, Terms


@dataclass
class _Sums:
    count: int = 0
    sell: int = 0
    sell_then: int = 0
    buy: int = 0
    unrated: int = 0
    still_unrated: int = 0
    buy_unrated: int = 0


def tried(usage: Iterable[CardUsage], known: Mapping[int, Rate], rates: Sequence[NewRate]) -> Trial:
    """Each group as its new price would have charged it, as if that had counted the whole time.

    A new rate stands in for the one that charged unless that one is more precise; where none
    fits, what was charged stays.
    """
    of_meter = {meter: _numbered(rates, meter) for meter in {rate.meter for rate in rates}}
    sums: dict[tuple[int, str], _Sums] = {}
    uses: dict[int, list[int]] = {}
    for one in usage:
        new = _new_price(one, known.get(one.rate_id), of_meter.get(one.meter))
        _add(sums.setdefault((one.buyer_id, one.meter), _Sums()), one, new)
        use = uses.setdefault(one.rate_id, [0, 0, 0])
        for place, figure in enumerate((one.count, one.count * one.quantity, one.sell)):
            use[place] += figure
    lines = [TrialLine(buyer_id, meter, **vars(found)) for (buyer_id, meter), found in sums.items()]
    return Trial(tuple(lines), tuple(RateUse(rate_id, *use) for rate_id, use in uses.items() if rate_id))


def _numbered(rates: Sequence[NewRate], meter: str) -> RatesOfMeter:
    return RatesOfMeter((number, rate) for number, rate in enumerate(rates) if rate.meter == meter)


def _new_price(usage: CardUsage, now: Rate | None, rates: RatesOfMeter | None) -> NewRate | None:
    fitting = rates.fitting(usage.attributes) if rates is not None else ()
    best = max(fitting, key=lambda one: (len(one[1].selector), one[1].effective_from, one[0]), default=None)
    if best is None or (now is not None and len(best[1].selector) < len(now.selector)):
        return None
    return best[1]


def _add(sums: _Sums, usage: CardUsage, new: NewRate | None) -> None:
    is_unrated = usage.rate_id == 0
    sums.count += usage.count
    sums.sell += usage.sell
    sums.sell_then += usage.sell if new is None else usage.count * charge_nano(_terms(new), usage.quantity)
    sums.buy += usage.buy
    sums.unrated += usage.count if is_unrated else 0
    sums.still_unrated += usage.count if is_unrated and new is None else 0
    sums.buy_unrated += usage.buy_unrated


def _terms(rate: NewRate) -> Terms:
    return Terms(rate.unit_price_nano, rate.per, rate.minimum, rate.increment, rate.setup_fee_nano)
