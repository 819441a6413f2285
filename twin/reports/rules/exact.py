"""Arrays of integers that neither overflow nor become floating point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[Any]


def roomy(values: Figures) -> Figures:
    """The same integers in a type in which any sums of them, and differences of two such sums, are exact.

    int64 while the absolute values together stay below 2**62, else Python's own integers.
    """
    if values.dtype == object:
        return values
    whole = values.astype(np.int64, casting="safe", copy=False)
    # |x| < (|x >> 32| + 1) * 2**32, and the shifted values can be added without overflow.
    high = int(np.abs(whole >> 32).sum()) + whole.size
    return whole if high < 2**30 else whole.astype(object)


def grid(values: Figures, row: Figures, column: Figures, shape: tuple[int, int]) -> Figures:
    """A table of zeros to which every value is added at its row and column."""
    exact = roomy(values)
    table: Figures = np.zeros(shape, dtype=exact.dtype)
    np.add.at(table, (row, column), exact)
    return table


def integers(values: Figures) -> list[int]:
    """Python integers."""
    return [int(value) for value in values.tolist()]
