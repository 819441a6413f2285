"""The plans of a catalogue as columns, looked up for a whole batch at once by the number of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.metering.catalogue import Catalogue, Plan
from twin.metering.interning import chains, ratings
from twin.metering.rules.amounts import TERM_FIELDS, terms_row
from twin.metering.store import LEAST_AMOUNTS

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sheet:
    """One place per plan in the last dimension but that of `terms`; the first one is the position of an edge.

    `seller` is 0 where a plan has no edge so high; `unrated` is 1 where the seller at this
    height lacks the price of what it sells or of what it buys.
    """

    chain: Ints
    rating: Ints
    edges: Ints
    lacking: NDArray[np.bool_]
    seller: Ints
    unrated: Ints
    terms: Ints

    def __len__(self) -> int:
        return len(self.chain)


def sheet_of(catalogue: Catalogue) -> Sheet:
    """The sheet of every plan the catalogue has worked out so far; chains and ratings are numbered here."""
    known = catalogue.sheet
    plans = catalogue.plans
    if not isinstance(known, Sheet):
        known = catalogue.sheet = _sheet(plans[:])
    elif len(known) < len(plans):
        known = catalogue.sheet = _joined(known, _sheet(plans[len(known) :]))
    return known


def _sheet(plans: Sequence[Plan]) -> Sheet:
    depth = max([LEAST_AMOUNTS, *(len(plan.edges) for plan in plans)])
    chain_ids = chains.numbers(plan.sellers for plan in plans)
    rating_ids = ratings.numbers(plan.rates for plan in plans)
    return Sheet(
        chain=np.array([chain_ids[plan.sellers] for plan in plans], dtype=np.int64),
        rating=np.array([rating_ids[plan.rates] for plan in plans], dtype=np.int64),
        edges=np.array([len(plan.edges) for plan in plans], dtype=np.int64),
        lacking=np.array([plan.is_unrated for plan in plans], dtype=bool),
        seller=_by_height([[edge.seller_id for edge in plan.edges] for plan in plans], depth),
        unrated=_by_height([_unrated_heights(plan) for plan in plans], depth),
        terms=np.array(
            [
                [terms_row(plan.edges[pos].terms if pos < len(plan.edges) else None) for plan in plans]
                for pos in range(depth)
            ],
            dtype=np.int64,
        ).reshape(depth, len(plans), TERM_FIELDS),
    )


def _by_height(values: list[list[int]], depth: int) -> Ints:
    filled = [line + [0] * (depth - len(line)) for line in values]
    return np.array(filled, dtype=np.int64).reshape(len(values), depth).T.copy()


def _unrated_heights(plan: Plan) -> list[int]:
    return [int(any(edge.rate is None for edge in plan.edges[pos : pos + 2])) for pos in range(len(plan.edges))]


def _joined(known: Sheet, new: Sheet) -> Sheet:
    depth = max(len(known.seller), len(new.seller))

    def joined(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(known, name), getattr(new, name)])

    def stacked(name: str, rest: int) -> Ints:
        return np.concatenate([_deepened(getattr(part, name), depth, rest) for part in (known, new)], axis=1)

    return Sheet(
        chain=joined("chain"),
        rating=joined("rating"),
        edges=joined("edges"),
        lacking=joined("lacking").astype(bool),
        seller=stacked("seller", 0),
        unrated=stacked("unrated", 0),
        terms=stacked("terms", 1),
    )


def _deepened(column: Ints, depth: int, trailing: int) -> Ints:
    """The column with as many heights; what stands above the last edge charges nothing."""
    missing = depth - len(column)
    if not missing:
        return column
    filling = np.zeros((missing, *column.shape[1:]), dtype=np.int64)
    if trailing:
        filling[:] = terms_row(None)
    return np.concatenate([column, filling])
