"""From cells to the money of companies, services and steps; exact whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

import numpy as np

from twin.pricing.meters import METER_BY_ID, METERS, SERVICES
from twin.reports.rules.exact import Figures, grid, roomy
from twin.reports.rules.layout import METER_IDS
from twin.reports.types import Cells, MeterFigures, Sums

_MEASURES: Final = ("count", "sell", "buy", "unrated")
_SERVICE_OF: Final = np.array(
    [SERVICES.index(METER_BY_ID[number].service) if number in METER_BY_ID else 0 for number in range(len(METERS) + 1)]
)


def total(cells: Cells) -> Sums:
    """Everything together."""
    return _sums([int(getattr(cells, name).sum(dtype=object)) if len(cells.count) else 0 for name in _MEASURES])


def by_service(cells: Cells) -> dict[str, Sums]:
    """An entry for every service."""
    row = _SERVICE_OF[cells.meter]
    table = _table(cells, row, len(SERVICES))
    return dict(zip(SERVICES, table, strict=True))


def by_meter(cells: Cells) -> dict[str, MeterFigures]:
    """An entry for every meter that was used, whoever used it."""
    numbers, row = np.unique(cells.meter, return_inverse=True)
    measures = [_column(cells, name, row, len(numbers)) for name in ("count", "quantity", "buy", "sell", "unrated")]
    figures = [MeterFigures(*each) for each in zip(*measures, strict=True)]
    return dict(zip((METER_BY_ID[number].code for number in numbers.tolist()), figures, strict=True))


def unrated_of(cells: Cells, meters: Sequence[str]) -> int:
    """How many events of these meters lack a price."""
    chosen = np.isin(cells.meter, [METER_IDS[meter] for meter in meters])
    return int(cells.unrated[chosen].sum())


def together(parts: Sequence[Sums]) -> Sums:
    """The sum of sums."""
    return _sums([sum(getattr(part, name) for part in parts) for name in _MEASURES])


@dataclass(frozen=True)
class Comparison:
    """What each of these companies (ascending ids) used now and before, one array entry per company."""

    ids: Figures
    now: Mapping[str, Figures]
    before: Mapping[str, Figures]

    def biggest(self, most: int) -> list[int]:
        """Places of those that pay most, then use most; without the ones that used nothing."""
        count, sell = self.now["count"].tolist(), self.now["sell"].tolist()
        used = np.flatnonzero(self.now["count"] != 0).tolist()
        return nsmallest(most, used, key=lambda place: (-sell[place], -count[place], place))

    def falling(self) -> Figures:
        """Places of those that pay less than before, or the same for less usage."""
        gain = self.now["sell"] - self.before["sell"]
        places: Figures = np.flatnonzero((gain < 0) | ((gain == 0) & (self.now["count"] < self.before["count"])))
        return places

    def deepest(self, most: int) -> list[int]:
        """Of the falling ones those with the largest loss, then those that use so much less."""
        gain = (self.now["sell"] - self.before["sell"]).tolist()
        more = (self.now["count"] - self.before["count"]).tolist()
        return nsmallest(most, self.falling().tolist(), key=lambda place: (gain[place], more[place], place))

    def sums_at(self, place: int) -> tuple[Sums, Sums]:
        """Now and before."""
        now, before = ([int(side[name][place]) for name in _MEASURES] for side in (self.now, self.before))
        return Sums(*now), Sums(*before)


def compare(ids: Sequence[int], now: Cells, before: Cells) -> Comparison:
    """Both periods side by side for these companies; usage of any other is left out."""
    ordered = np.array(sorted(ids), dtype=np.int64)
    return Comparison(ordered, _placed(ordered, now), _placed(ordered, before))


def _placed(ids: Figures, cells: Cells) -> dict[str, Figures]:
    wanted = cells.company.astype(np.int64)
    known = np.isin(wanted, ids)
    row = np.searchsorted(ids, wanted[known])
    return {
        name: grid(roomy(getattr(cells, name))[known], row, np.zeros_like(row), (len(ids), 1))[:, 0]
        for name in _MEASURES
    }


def _table(cells: Cells, row: Figures, height: int) -> list[Sums]:
    columns = [_column(cells, name, row, height) for name in _MEASURES]
    return [Sums(*each) for each in zip(*columns, strict=True)]


def _column(cells: Cells, name: str, row: Figures, height: int) -> list[int]:
    column: Figures = grid(getattr(cells, name), row, np.zeros_like(row), (height, 1))[:, 0]
    return [int(value) for value in column.tolist()]


def _sums(figures: Sequence[int]) -> Sums:
    return Sums(*figures)
