"""What a re-rating changes or would change, added up: by change of rate and by company."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.metering.types import CompanyFigures, RateFigures, ReratingFigures

Ints = NDArray[np.int64]
# count, quantity, before, after; unbounded.
_Sums = list[int]


@dataclass
class Tally:
    """Running sums of one run; `looked_at` counts events, changed or not."""

    looked_at: int = 0
    by_rate: dict[tuple[int, int, int, int], _Sums] = field(default_factory=dict)
    by_company: dict[tuple[int, int], _Sums] = field(default_factory=dict)

    def add(self, edge: int, changed: ChangedCharges) -> None:
        """Add what changes on one side: edge 0 is the seller's own, 1 the one above."""
        sums = (changed.quantity, changed.before, changed.after)
        for key, found in _summed((changed.meter, changed.old_rate, changed.new_rate), sums):
            _into(self.by_rate, (edge, *key), found)
        for key, found in _summed((changed.company,), sums):
            _into(self.by_company, (edge, *key), found)

    def figures(self) -> ReratingFigures:
        rates = [RateFigures(*key, *sums) for key, sums in sorted(self.by_rate.items())]
        companies = [CompanyFigures(*key, *sums) for key, sums in sorted(self.by_company.items())]
        return ReratingFigures(self.looked_at, tuple(rates), tuple(companies))

    def as_json(self) -> dict[str, Any]:
        """As it is kept; whole numbers of any size."""
        return {
            "looked_at": self.looked_at,
            "by_rate": [[*key, *sums] for key, sums in sorted(self.by_rate.items())],
            "by_company": [[*key, *sums] for key, sums in sorted(self.by_company.items())],
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any] | None) -> Tally:
        tally = cls()
        if kept:
            tally.looked_at = kept["looked_at"]
            tally.by_rate = {(row[0], row[1], row[2], row[3]): row[4:] for row in kept["by_rate"]}
            tally.by_company = {(row[0], row[1]): row[2:] for row in kept["by_company"]}
        return tally


@dataclass(frozen=True)
class ChangedCharges:
    """Changed charges of one side in parallel columns; a new rate of 0: there is no price any more."""

    company: Ints
    meter: Ints
    quantity: Ints
    old_rate: Ints
    new_rate: Ints
    before: Ints
    after: Ints


def _into(sums: dict[Any, _Sums], key: Any, found: _Sums) -> None:
    known = sums.setdefault(key, [0, 0, 0, 0])
    for place, value in enumerate(found):
        known[place] += value


def _summed(keys: tuple[Ints, ...], values: tuple[Ints, ...]) -> Iterable[tuple[tuple[int, ...], _Sums]]:
    """For each distinct key the number of rows and the exact sums."""
    if not len(keys[0]):
        return
    order = np.lexsort(keys[::-1])
    changes = np.zeros(len(order) - 1, dtype=bool)
    for key in keys:
        ordered = key[order]
        changes |= ordered[1:] != ordered[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    counts = np.diff(np.append(starts, len(order)))
    # A sum of amounts may leave 63 bits: halves of 32 bits cannot within one part.
    sums = [_exact_sums(value[order], starts) for value in values]
    for place, start in enumerate(starts.tolist()):
        yield tuple(int(key[order[start]]) for key in keys), [int(counts[place]), *(one[place] for one in sums)]


def _exact_sums(values: Ints, starts: Ints) -> list[int]:
    high, low = np.add.reduceat(values >> 32, starts), np.add.reduceat(values & 0xFFFFFFFF, starts)
    return [(int(above) << 32) + int(below) for above, below in zip(high, low, strict=True)]
