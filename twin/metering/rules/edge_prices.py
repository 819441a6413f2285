"""Which rate the edges of one seller have, for many charges at once; decided by `pricing.rules.winning` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from twin.metering.rules.amounts import TERM_FIELDS, amounts_of, terms_row
from twin.metering.rules.buckets import microseconds
from twin.pricing.rules.winning import card_at, winning_rate
from twin.pricing.types import Assignment, PriceBook, Rate

Ints = NDArray[np.int64]
# From `start[n]` on, in microseconds since 1970, the value is `value[n]`; 0 where there is none.
Steps = tuple[Ints, Ints]
Projection = tuple[tuple[str, str], ...]
NOTHING = 0
_BEFORE_ALL = -(2**63)
_MOST_REMEMBERED = 100_000
_NO_CARD: Steps = (np.array([_BEFORE_ALL]), np.array([NOTHING]))


class EdgePrices:
    """The rates of one seller's edges as one price book has them; remembers what it worked out."""

    def __init__(self, book: PriceBook, seller_id: int) -> None:
        self._assignments = {buyer: found for (seller, buyer), found in book.assignments.items() if seller == seller_id}
        cards = {assignment.card_id for found in self._assignments.values() for assignment in found}
        self._rates = {key: found for key, found in book.rates.items() if key[0] in cards}
        self.by_id = {rate.id: rate for found in self._rates.values() for rate in found}
        self.selector_keys = {name for rate in self.by_id.values() for name, _ in rate.selector}
        self._cards: dict[int, Steps] = {}
        self._steps: dict[tuple[int, int, int], Steps] = {}
        self._projections: dict[Projection, int] = {}
        self._wanted: list[Projection] = []
        self._numbers: dict[int, int] = {}

    def knows(self, attributes_id: int) -> bool:
        """Whether `learn` was told what this set holds."""
        return attributes_id in self._numbers

    def learn(self, sets: Mapping[int, Mapping[str, str]]) -> None:
        """What attribute sets hold, as far as some selector could ask."""
        if len(self._numbers) > _MOST_REMEMBERED:
            self._numbers, self._projections, self._wanted, self._steps = {}, {}, [], {}
        for number, attributes in sets.items():
            wanted = tuple(sorted(item for item in attributes.items() if item[0] in self.selector_keys))
            if wanted not in self._projections:
                self._projections[wanted] = len(self._wanted)
                self._wanted.append(wanted)
            self._numbers[number] = self._projections[wanted]

    def rates_for(self, buyer: Ints, meter: Ints, attributes: Ints, time: Ints) -> Ints:
        """The id of the rate of each charge, 0 where there is none; attribute sets must have been learnt."""
        card = _stepped([buyer], time, lambda key: self._cards_of(key[0]))
        names, place = np.unique(attributes, return_inverse=True)
        projection = np.array([self._numbers[number] for number in names.tolist()], dtype=np.int64)[place]
        return _stepped([card, meter, projection], time, lambda key: self._rates_of(*key))

    def amounts(self, rate: Ints, quantity: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """What each quantity costs at its rate, and which amounts are too large to store."""
        return amounts_of(self._terms(rate), quantity)

    def same_terms(self, one: Ints, other: Ints) -> NDArray[np.bool_]:
        """Where two rates charge alike, whatever their numbers."""
        alike = (self._terms(one) == self._terms(other)).all(axis=1) & (one != 0) & (other != 0)
        same: NDArray[np.bool_] = alike | (one == other)
        return same

    def _terms(self, rate: Ints) -> Ints:
        ids, place = np.unique(rate, return_inverse=True)
        rows = [terms_row(self.by_id[number].terms if number else None) for number in ids.tolist()]
        return np.array(rows, dtype=np.int64).reshape(-1, TERM_FIELDS)[place]

    def _cards_of(self, buyer: int) -> Steps:
        if buyer not in self._cards:
            agreed = self._assignments.get(buyer, ())
            self._cards[buyer] = _steps([one.effective_from for one in agreed], lambda at: card_at(agreed, at))
        return self._cards[buyer]

    def _rates_of(self, card: int, meter: int, projection: int) -> Steps:
        key = (card, meter, projection)
        if key not in self._steps:
            rates = self._rates.get((card, meter), ())
            attributes = dict(self._wanted[projection])
            self._steps[key] = _steps(
                [rate.effective_from for rate in rates], lambda at: _id_of(winning_rate(rates, attributes, at))
            )
        return self._steps[key]


def _id_of(rate: Rate | None) -> int | None:
    return rate.id if rate else None


def _steps(changes: Sequence[datetime], value_at: Callable[[datetime], int | None]) -> Steps:
    """The values between the instants at which anything may change."""
    ordered = sorted(set(changes))
    if not ordered:
        return _NO_CARD
    starts = [_BEFORE_ALL, *map(microseconds, ordered)]
    values = [NOTHING, *(value_at(at) or NOTHING for at in ordered)]
    return np.array(starts, dtype=np.int64), np.array(values, dtype=np.int64)


def _stepped(keys: Sequence[Ints], time: Ints, steps_of: Callable[[tuple[int, ...]], Steps]) -> Ints:
    """For each place the value of its key's steps at its time."""
    found = np.zeros(len(time), dtype=np.int64)
    for places, key in _alike(keys):
        starts, values = steps_of(key)
        found[places] = values[0] if len(values) == 1 else values[np.searchsorted(starts, time[places], "right") - 1]
    return found


def _alike(keys: Sequence[Ints]) -> Iterator[tuple[Ints, tuple[int, ...]]]:
    """The places of each distinct combination, and the combination."""
    if not len(keys[0]):
        return
    order = np.lexsort(keys[::-1])
    ordered = [key[order] for key in keys]
    changes = np.zeros(len(order) - 1, dtype=bool)
    for key in ordered:
        changes |= key[1:] != key[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    ends = np.append(starts[1:], len(order))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield order[start:end], tuple(int(key[start]) for key in ordered)


def with_rates(book: PriceBook, rates: Sequence[Rate]) -> PriceBook:
    """The book as if these rates had been recorded last."""
    known = dict(book.rates)
    for rate in rates:
        key = (rate.card_id, rate.meter_id)
        known[key] = tuple(sorted((*known.get(key, ()), rate), key=lambda one: (one.effective_from, one.id)))
    return replace(book, rates=known)


def with_assignment(book: PriceBook, assignment: Assignment) -> PriceBook:
    """The book as if this assignment had been recorded last."""
    pair = (assignment.seller_id, assignment.buyer_id)
    agreed = sorted((*book.assignments.get(pair, ()), assignment), key=lambda one: (one.effective_from, one.id))
    return replace(book, assignments={**book.assignments, pair: tuple(agreed)})
