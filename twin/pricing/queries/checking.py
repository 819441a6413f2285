"""What to think about before new prices are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.queries.prices import prices_in_force, rates_of
from twin.pricing.rules.margins import PriceIndex, Shortfall, shortfall, with_new
from twin.pricing.types import NewRate, Rate


@scoped
def shortfalls(scope: Scope, card_id: int, rates: Sequence[NewRate], at: datetime) -> dict[int, Shortfall]:
    """Of new rates for a card of the asker those that would earn less than the asker pays itself, by their place.

    Each from its own beginning on, or from `at` on where that is later; by the card that the asker pays by then.
    """
    if not rates:
        return {}
    last = max(at, *(rate.effective_from for rate in rates))
    paid = PriceIndex(prices_in_force(scope, last).paid)
    sold = with_new(rates_of(scope, card_id), rates)
    found = {number: shortfall(rate, sold, paid, max(at, rate.effective_from)) for number, rate in enumerate(rates)}
    return {number: loss for number, loss in found.items() if loss is not None}


@scoped
def more_precise_prices(scope: Scope, card_id: int, rate: NewRate) -> list[Rate]:
    """Rates of a card of the asker that go on charging part of the usage for which the new rate says "free"."""
    index = PriceIndex(rates_of(scope, card_id))
    selector = tuple(sorted(rate.selector.items()))
    return index.more_precise(METER_BY_CODE[rate.meter].id, selector, rate.effective_from)
