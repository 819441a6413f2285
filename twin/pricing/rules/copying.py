"""A price list made from another one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from twin.pricing.meters import METER_BY_ID
from twin.pricing.rules.winning import current_rates
from twin.pricing.types import NewRate, Rate


def changed_by(rates: Iterable[Rate], percent: Decimal, at: datetime) -> list[NewRate]:
    """The rates that count at `at`, each price and fee changed by so many per cent, from then on.

    Rounded once, half up, to the ninth decimal.
    """
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
        for rate in current_rates(rates, at)
    ]


def _changed(nano: int, percent: Decimal) -> int:
    return int((Decimal(nano) * (100 + percent)).scaleb(-2).quantize(Decimal(1), rounding=ROUND_HALF_UP))
