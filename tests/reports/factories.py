"""Makers for the figures that a report is built from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from twin.companies.types import Company, Dependent
from twin.kernel.period import Period
from twin.pricing.meters import METER_BY_CODE, METERS
from twin.reports.rules.answering import answer
from twin.reports.types import ReportQuery, ResellerReport

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
NANO = 10**9


@dataclass(frozen=True)
class HandMadeCells:
    """Cells as metering hands them out."""

    company: NDArray[Any]
    meter: NDArray[Any]
    count: NDArray[Any]
    quantity: NDArray[Any]
    buy: NDArray[Any]
    sell: NDArray[Any]
    unrated: NDArray[Any]


Used = tuple[int, str, int, int, int, int, int]


def cells(*used: Used) -> HandMadeCells:
    """From (company, meter, count, quantity, buy, sell, unrated), amounts in nano."""
    columns = [_array(column) for column in zip(*(entry[2:] for entry in used), strict=True)] or [_array([])] * 5
    company = np.array([entry[0] for entry in used], dtype=np.int64)
    meter = np.array([METER_BY_CODE[entry[1]].id for entry in used], dtype=np.int64)
    return HandMadeCells(company, meter, *columns)


def _array(values: Iterable[int]) -> NDArray[Any]:
    numbers = list(values)
    fits = all(abs(number) < 2**63 for number in numbers)
    return np.array(numbers, dtype=np.int64 if fits else object)


def rhea(**changes: Any) -> Company:
    """The reseller whose report it is."""
    facts: dict[str, Any] = {
        "id": 2,
        "kind": "reseller",
        "name": "Rhea",
        "parent_id": 1,
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "state": "active",
        "state_reason": "",
        "external_id": None,
        "closed_at": None,
        "existed_from": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Company(**(facts | changes))


def company(company_id: int, name: str, *path: str) -> Dependent:
    return Dependent(company_id=company_id, name=name, path=path)


def report(dependents: list[Dependent], figures: HandMadeCells, **asked: Any) -> ResellerReport:
    return answer(rhea(), dependents, figures, ReportQuery(period=MARCH, **asked))


def ids(made: ResellerReport, section: str = "messaging") -> list[int]:
    return [row.company_id for row in made.sections[section].rows]


# What companies 7 and 9 may have used, within 63 bits and beyond.
_amounts = st.one_of(st.integers(-(2**40), 2**40), st.integers(-(2**80), 2**80))
usages = st.lists(
    st.tuples(
        st.sampled_from([7, 9]),
        st.sampled_from([meter.code for meter in METERS]),
        st.integers(0, 10**9),
        st.one_of(st.integers(0, 10**12), st.integers(-(2**70), 2**70)),
        _amounts,
        _amounts,
        st.integers(0, 3),
    ),
    max_size=30,
)
