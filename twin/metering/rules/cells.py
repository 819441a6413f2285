"""Totals as columns: one cell per (hour, company, meter), sums that never wrap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

# int64, or Python integers (dtype object) once a sum leaves 63 bits.
Column = NDArray[Any]
Keys = NDArray[np.int64]

KEYS = ("bucket", "company", "meter")
SUMS = ("count", "quantity", "buy", "sell", "unrated")
_LIMIT = 2**63 - 1
# About 20 MB of columns; more makes a report no faster.
_CELLS_AT_ONCE = 200_000
# Fewer cells are sorted sooner than a grid is laid out and looked through.
_WORTH_A_GRID = 50_000
# Places of a grid of companies by meters: 32,768 companies, 40 MB.
_METERS = 32
_MOST_PLACES = 2**20


@dataclass(frozen=True)
class Cells:
    """Parallel columns. Amounts in nano-units; a column of sums is int64, or objects when beyond 63 bits.

    `bucket` counts UTC hours or days since 1970, as the place where the cells are kept says.
    `unrated` counts events that lack a price on one of the seller's two edges.
    """

    bucket: Keys
    company: Keys
    meter: Keys
    count: Column
    quantity: Column
    buy: Column
    sell: Column
    unrated: Column

    def __len__(self) -> int:
        return len(self.bucket)

    @classmethod
    def empty(cls) -> Cells:
        return _NONE

    @property
    def company_id(self) -> Keys:
        """As the floors above call it."""
        return self.company

    @property
    def meter_id(self) -> Keys:
        """As the floors above call it."""
        return self.meter

    def columns(self) -> tuple[Column, ...]:
        """In the order of KEYS and SUMS."""
        return (
            self.bucket, self.company, self.meter, self.count, self.quantity, self.buy, self.sell, self.unrated
        )  # fmt: skip

    def taken(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Cells:
        """The cells at these places."""
        return Cells(*(column[which] for column in self.columns()))

    def at_bucket(self, bucket: Keys | int) -> Cells:
        """The same cells filed under other buckets."""
        keys = np.broadcast_to(np.asarray(bucket, dtype=np.int64), (len(self),))
        return Cells(keys, *self.columns()[1:])

    def negative(self) -> Cells:
        """What takes these cells away again."""
        return Cells(self.bucket, self.company, self.meter, *(-column for column in self.columns()[len(KEYS) :]))


_NONE = Cells(*(np.empty(0, dtype=np.int64) for _ in KEYS + SUMS))


def joined(parts: Sequence[Cells]) -> Cells:
    """All cells one after the other; the same key may occur several times."""
    filled = [part for part in parts if len(part)]
    if not filled:
        return Cells.empty()
    if len(filled) == 1:
        return filled[0]
    return Cells(*(np.concatenate(columns) for columns in zip(*(p.columns() for p in filled), strict=True)))


def summed(cells: Cells) -> Cells:
    """One cell per (bucket, company, meter), ordered so; cells of nothing but zeros vanish."""
    total, _ = _totals(cells, ())
    return total


def summed_by_group(groups: Keys, cells: Cells) -> dict[int, Cells]:
    """`summed` for the cells of every group by itself, in one pass."""
    total, firsts = _totals(cells, (groups,))
    values, starts = np.unique(groups[firsts], return_index=True)
    ends = np.append(starts[1:], len(total))
    return {int(group): total.taken(slice(start, end)) for group, start, end in zip(values, starts, ends, strict=True)}


def _totals(cells: Cells, before: tuple[Keys, ...]) -> tuple[Cells, NDArray[np.int64]]:
    """Cells summed by `before` and their own keys, and for each the place of one that went into it."""
    if not len(cells):
        return cells, np.empty(0, dtype=np.int64)
    order, starts = _runs((*before, cells.bucket, cells.company, cells.meter))
    firsts = order[starts]
    sums = [group_sums(getattr(cells, name)[order], starts) for name in SUMS]
    total = Cells(cells.bucket[firsts], cells.company[firsts], cells.meter[firsts], *sums)
    kept = np.zeros(len(starts), dtype=bool)
    for column in sums:
        kept |= (column != 0).astype(bool)
    return (total, firsts) if kept.all() else (total.taken(kept), firsts[kept])


def _runs(keys: tuple[Keys, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An order by the keys, the first counting most, and where in it each run of equal keys begins."""
    mixed = _mixed(keys)
    if mixed is not None:
        # One number is sorted many times faster than several keys; equal ones may stand in any order.
        order = np.argsort(mixed)
        ordered = mixed[order]
        new = ordered[1:] != ordered[:-1]
    else:
        order = np.lexsort(keys[::-1])
        new = np.zeros(len(order) - 1, dtype=bool)
        for key in keys:
            ordered = key[order]
            new |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(np.concatenate(([True], new)))


def _mixed(keys: tuple[Keys, ...]) -> Keys | None:
    """All keys as one number of the same order; None when they are too far apart for 63 bits."""
    lows = [int(key.min()) for key in keys]
    spans = [int(key.max()) - low + 1 for key, low in zip(keys, lows, strict=True)]
    if prod(spans) > _LIMIT:
        return None
    mixed = keys[0].astype(np.int64) - lows[0]
    for key, low, span in zip(keys[1:], lows[1:], spans[1:], strict=True):
        mixed = mixed * span + (key - low)
    return mixed


def group_sums(values: Column, starts: NDArray[np.int64]) -> Column:
    """Sum of each run of `values` that begins at `starts`; exact whatever its size."""
    if values.dtype == np.object_:
        return narrowed(np.add.reduceat(values, starts))
    longest = int(np.diff(np.append(starts, len(values))).max())
    if _largest(values) * longest <= _LIMIT:
        return np.add.reduceat(values, starts)
    return narrowed(np.add.reduceat(values.astype(object), starts))


def narrowed(values: Column) -> Column:
    """Back to int64 where every value fits."""
    if all(-_LIMIT <= value <= _LIMIT for value in values):
        return values.astype(np.int64)
    return values


def _largest(values: NDArray[np.int64]) -> int:
    return max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0


def cells_of_rows(rows: Sequence[tuple[int, ...]]) -> Cells:
    """Cells from a few rows of all columns, one after the other."""
    return Cells(*(narrowed(column) for column in np.array(rows, dtype=object).T))


def total_of(parts: Iterable[Cells], added_up: Callable[[Cells], Cells] = summed) -> Cells:
    """The sum of all parts, added up as they come: unpacked they are many times what they make together."""
    waiting: list[Cells] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size > _CELLS_AT_ONCE:
            waiting = [added_up(joined(waiting))]
            size = 0
    whole = added_up(joined(waiting))
    return whole if added_up is summed else summed(whole)


class Grid:
    """Sums of many parts by company and meter, whatever their buckets: each number goes to its place, none is sorted.

    Few cells, and what has no place in it (a large number of a company or meter, a sum beyond 63 bits), are added up
    as `total_of` does.
    """

    def __init__(self, worth_it: int = _WORTH_A_GRID) -> None:
        self._left = worth_it  # cells that still fit beside the grid
        self._waiting: list[Cells] = []
        self._sums = np.zeros((len(SUMS), 0), dtype=np.int64)
        self._largest = [0] * len(SUMS)
        self._others: list[Cells] = []

    def add(self, part: Cells) -> None:
        """A part in which no two cells have the same company and meter."""
        self._left -= len(part)
        self._waiting.append(part)
        if self._left < 0:
            for waiting in self._waiting:
                self._put(waiting)
            self._waiting = []

    def total(self) -> Cells:
        """One cell per company and meter, ordered so, bucket 0; cells of nothing but zeros vanish."""
        beside = [*self._others, *(part.at_bucket(0) for part in self._waiting)]
        cells = self._cells()
        return total_of([cells, *beside]) if beside else cells

    def _put(self, part: Cells) -> None:
        if not len(part):
            return
        places = self._places(part)
        columns = [getattr(part, name) for name in SUMS]
        if places is None or any(column.dtype == np.object_ for column in columns):
            self._others.append(part.at_bucket(0))
            return
        added = [_largest(column) for column in columns]
        largest = [known + one for known, one in zip(self._largest, added, strict=True)]
        if max(largest) > _LIMIT:
            self._others.append(part.at_bucket(0))
            return
        self._largest = largest
        for sums, column, one in zip(self._sums, columns, added, strict=True):
            if one:
                np.add.at(sums, places, column)  # half the time of sums[places] += column

    def _places(self, part: Cells) -> Keys | None:
        most = (int(part.company.max()) + 1) * _METERS
        if most > _MOST_PLACES or int(part.meter.max()) >= _METERS:
            return None
        if most > self._sums.shape[1]:
            grown = np.zeros((len(SUMS), most), dtype=np.int64)
            grown[:, : self._sums.shape[1]] = self._sums
            self._sums = grown
        places: Keys = part.company * _METERS + part.meter
        return places

    def _cells(self) -> Cells:
        places = np.flatnonzero((self._sums != 0).any(axis=0))
        nothing = np.zeros(len(places), dtype=np.int64)
        return Cells(nothing, places // _METERS, places % _METERS, *(sums[places] for sums in self._sums))
