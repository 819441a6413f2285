"""What recording a file of prices on a card would mean, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from twin.pricing.meters import METER_BY_CODE
from twin.pricing.rules.rate_files import FileLine
from twin.pricing.types import NewRate, Rate, Selector, Terms

LineState = Literal["new", "same", "replaced"]
_Place = tuple[int, Selector, datetime]


@dataclass(frozen=True)
class PlannedLine:
    """`same`: recorded so already. `replaced`: a later line says otherwise of the same, which alone would count."""

    number: int
    rate: NewRate
    state: LineState
    replaced_by: int = 0


def planned(lines: Iterable[FileLine], known: Sequence[Rate]) -> list[PlannedLine]:
    """The lines that name a price, in their order; only what is `new` need be recorded.

    Of equals the one recorded last counts, so of one meter, attributes and instant only the last line matters.
    """
    usable = [(line.number, line.rate) for line in lines if line.rate is not None]
    last = {_place(rate): number for number, rate in usable}
    recorded = {(rate.meter_id, rate.selector, rate.effective_from): rate for rate in sorted(known, key=_number)}
    return [_planned(number, rate, last[_place(rate)], recorded.get(_place(rate))) for number, rate in usable]


def _planned(number: int, rate: NewRate, last: int, recorded: Rate | None) -> PlannedLine:
    if number != last:
        return PlannedLine(number, rate, "replaced", last)
    is_same = recorded is not None and recorded.terms == _terms(rate)
    return PlannedLine(number, rate, "same" if is_same else "new")


def _place(rate: NewRate) -> _Place:
    return METER_BY_CODE[rate.meter].id, tuple(sorted(rate.selector.items())), rate.effective_from


def _terms(rate: NewRate) -> Terms:
    return Terms(rate.unit_price_nano, rate.per, rate.minimum, rate.increment, rate.setup_fee_nano)


def _number(rate: Rate) -> int:
    return rate.id
