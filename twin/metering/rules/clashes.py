"""Which new rates would change what is charged already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from twin.pricing.types import NewRate, Rate

_Named = tuple[str, ...]
_Numbered = tuple[int, NewRate]


@dataclass(frozen=True)
class ChargedUsage:
    """Usage of one meter charged alike: by which rate, with which attributes, until when and whose it was then."""

    rate_id: int
    attributes: Mapping[str, str]
    last_at: datetime
    company_id: int


class RatesOfMeter:
    """New rates of one meter, found by the attributes of usage however many rates there are."""

    def __init__(self, rates: Iterable[_Numbered]) -> None:
        self._by_names: defaultdict[_Named, defaultdict[_Named, list[_Numbered]]]
        self._by_names = defaultdict(lambda: defaultdict(list))
        for number, rate in rates:
            names = tuple(sorted(rate.selector))
            self._by_names[names][tuple(rate.selector[name] for name in names)].append((number, rate))

    def fitting(self, attributes: Mapping[str, str]) -> Iterator[_Numbered]:
        """Those whose every attribute the usage has with exactly that text."""
        for names, by_values in self._by_names.items():
            if all(name in attributes for name in names):
                yield from by_values.get(tuple(attributes[name] for name in names), ())


def would_change(new: NewRate, now: Rate, last_at: datetime) -> bool:
    """Whether a fitting rate, recorded last, would win over the one that charged usage up to then, at other terms."""
    if last_at < new.effective_from:
        return False
    if (len(new.selector), new.effective_from) < (len(now.selector), now.effective_from):
        return False
    return (new.unit_price_nano, new.per, new.minimum, new.increment, new.setup_fee_nano) != (
        now.terms.unit_price_nano, now.terms.per, now.terms.minimum, now.terms.increment, now.terms.setup_fee_nano
    )  # fmt: skip
