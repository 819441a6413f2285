"""What a report is asked and what it answers. Money is integer nano-units throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from numpy.typing import NDArray

from twin.companies.types import Company
from twin.kernel.period import Period

Side = Literal["sell", "buy"]
SIDES: tuple[Side, ...] = ("sell", "buy")
LARGEST_PAGE = 10_000


class Cells(Protocol):
    """One entry per (company, meter) that has usage: integer arrays of one length, amounts in nano.

    Arrays hold int64, or Python integers (object dtype) where a figure is beyond 63 bits.
    """

    @property
    def company(self) -> NDArray[Any]: ...
    @property
    def meter(self) -> NDArray[Any]: ...
    @property
    def count(self) -> NDArray[Any]: ...
    @property
    def quantity(self) -> NDArray[Any]: ...
    @property
    def buy(self) -> NDArray[Any]: ...
    @property
    def sell(self) -> NDArray[Any]: ...
    @property
    def unrated(self) -> NDArray[Any]: ...


@dataclass(frozen=True, kw_only=True)
class ReportQuery:
    """The question. `limit` None means every row, for files.

    `offset` is for pages that count, `cursor` for programs that follow; not both.
    """

    period: Period
    reseller_id: int | None = None
    has_expenses: bool = False
    time_zone: str | None = None
    section: str | None = None
    search: str = ""
    sort: str = "company_id"
    limit: int | None = LARGEST_PAGE
    cursor: str | None = None
    offset: int = 0
    side: Side = "sell"


@dataclass(frozen=True, slots=True)
class MeterFigures:
    """One meter in one row or in the totals."""

    count: int
    quantity: int
    buy: int
    sell: int


NOTHING_USED: Final = MeterFigures(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over every row that passed the filters, not only over the page shown."""

    meters: Mapping[str, MeterFigures]
    total_buy: int
    total_sell: int
    margin: int
    unrated: int


@dataclass(frozen=True, slots=True)
class Row:
    """What one company used of one service. `unrated` > 0 makes the margin incomplete."""

    company_id: int
    company_name: str
    path: tuple[str, ...]
    unrated: int
    meters: Mapping[str, MeterFigures]
    total_buy: int
    total_sell: int
    margin: int


@dataclass(frozen=True)
class Section:
    """One service: the rows of the page asked for, the totals and number of all rows that passed."""

    code: str
    rows: tuple[Row, ...]
    totals: Totals
    row_count: int
    next_cursor: str | None


@dataclass(frozen=True)
class ResellerReport:
    """The report Reseller and companies, as of one snapshot."""

    reseller: Company
    period: Period
    time_zone: str
    currency: str
    has_expenses: bool
    unrated: int
    sections: Mapping[str, Section]
    search: str = ""
    sort: str = "company_id"
    company_count: int = field(default=0, kw_only=True)
