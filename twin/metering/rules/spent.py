"""What every buyer owes its seller in all: sums by (seller, buyer) for journals and the table of folded ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from twin.metering.rules.cells import Cells, Column, group_sums, narrowed

# Numbers of companies have 31 bits.
_BUYERS = 2**32


def spent_by_seller(seller: NDArray[np.int64], buyer: NDArray[np.int64], amount: Column) -> dict[int, Cells]:
    """One cell per buyer, in its company and sell column, for every seller; what is 0 vanishes."""
    charged = np.flatnonzero((amount != 0).astype(bool))
    if not len(charged):
        return {}
    pair = seller[charged] * _BUYERS + buyer[charged]
    order = np.argsort(pair)
    ordered = pair[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sums = group_sums(amount[charged][order], starts)
    pairs = ordered[starts]
    sellers, firsts = np.unique(pairs // _BUYERS, return_index=True)
    ends = np.append(firsts[1:], len(pairs))
    return {
        int(one): _cells(pairs[start:end] % _BUYERS, sums[start:end])
        for one, start, end in zip(sellers, firsts, ends, strict=True)
    }


def spent_of_edges(edges: Iterable[tuple[int, int, int]]) -> dict[int, Cells]:
    """The same for a few edges: seller, buyer, amount."""
    columns = np.array(list(edges), dtype=object).reshape(-1, 3).T
    return spent_by_seller(columns[0].astype(np.int64), columns[1].astype(np.int64), narrowed(columns[2]))


def _cells(buyer: NDArray[np.int64], amount: Column) -> Cells:
    nothing = np.zeros(len(buyer), dtype=np.int64)
    return Cells(nothing, buyer, nothing, nothing, nothing, nothing, amount, nothing)
