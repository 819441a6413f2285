"""Beside the rows and totals of a section: what of them came or changed after the statement of its month."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from twin.reports.types import AfterStatement, Totals


class Charged(Protocol):
    """What one company and meter learnt of later."""

    @property
    def company_id(self) -> int: ...
    @property
    def meter(self) -> str: ...
    @property
    def came(self) -> int: ...
    @property
    def changed(self) -> int: ...
    @property
    def amount(self) -> int: ...


def after_by_company(
    charged: Iterable[Charged], meters: Collection[str], company_ids: Collection[int]
) -> dict[int, AfterStatement]:
    """Those of some meters and companies, added up by company."""
    found: dict[int, AfterStatement] = {}
    for one in charged:
        if one.meter in meters and one.company_id in company_ids:
            before = found.get(one.company_id, AfterStatement(0, 0, 0))
            found[one.company_id] = _added(before, AfterStatement(one.came, one.changed, one.amount))
    return found


def with_after(totals: Totals, after: Mapping[int, AfterStatement]) -> Totals:
    """The same totals with what came later all together; where nothing did they stay as they are."""
    if not after:
        return totals
    whole = AfterStatement(0, 0, 0)
    for one in after.values():
        whole = _added(whole, one)
    return replace(totals, after=whole)


def _added(one: AfterStatement, other: AfterStatement) -> AfterStatement:
    return AfterStatement(one.came + other.came, one.changed + other.changed, one.sell + other.sell)
