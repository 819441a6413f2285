"""What a report is asked and what it answers. Money is integer nano-units throughout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from numpy.typing import NDArray

from twin.companies.types import Company, Dependent
from twin.kernel.period import Period
from twin.metering.types import EventLine, RateGroup

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
    after_statements: bool = False


@dataclass(frozen=True, slots=True)
class AfterStatement:
    """What of some figures came or changed after the closed statement of its month, on the side of the sale.

    `came` events, `changed` charges; `sell` is by how much both together have changed the total to reseller since.
    """

    came: int
    changed: int
    sell: int


@dataclass(frozen=True, slots=True)
class MeterFigures:
    """One meter in one row or in the totals; `unrated` counts the events that lack a price."""

    count: int
    quantity: int
    buy: int
    sell: int
    unrated: int = 0


NOTHING_USED: Final = MeterFigures(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over every row that passed the filters, not only over the page shown."""

    meters: Mapping[str, MeterFigures]
    total_buy: int
    total_sell: int
    margin: int
    unrated: int
    after: AfterStatement | None = None


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
    after: AfterStatement | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Some hundred rows by columns, one entry per row; `figures` has a list per meter for each measure."""

    companies: Sequence[Dependent]
    unrated: Sequence[int]
    figures: Mapping[str, Sequence[Sequence[int]]]
    total_buy: Sequence[int]
    total_sell: Sequence[int]
    margin: Sequence[int]
    after: Sequence[AfterStatement | None]


class Rows(Protocol):
    """The rows of a page, made when they are read: ten thousand of them at once would fill memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: int) -> Row: ...
    def __iter__(self) -> Iterator[Row]: ...
    def blocks(self) -> Iterator[Block]:
        """The same by columns, in order, some hundred rows at a time."""
        ...


@dataclass(frozen=True)
class Section:
    """One service: the rows of the page asked for, the totals and number of all rows that passed."""

    code: str
    rows: Rows
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
    # Whether it was asked what came after the statements; `after` of rows and totals is None otherwise.
    tells_after: bool = field(default=False, kw_only=True)

    @property
    def has_after(self) -> bool:
        """Whether anything shown came or changed after the closed statement of its month."""
        return any(section.totals.after is not None for section in self.sections.values())


# The overview -----------------------------------------------------------------

Step = Literal["hour", "day", "month", "year"]


@dataclass(frozen=True, kw_only=True)
class OverviewQuery:
    """The question of the overview and of every page of the drill-down."""

    period: Period
    reseller_id: int | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Money of both sides over some usage; `unrated` > 0 makes the margin incomplete."""

    count: int = 0
    sell: int = 0
    buy: int = 0
    unrated: int = 0

    @property
    def margin(self) -> int:
        return self.sell - self.buy


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One step of the trend; `services` has an entry for every service, `all` is their sum."""

    period: Period
    all: Sums
    services: Mapping[str, Sums]


@dataclass(frozen=True, slots=True)
class CompanyTrend:
    """One company in this period and in the one before."""

    company_id: int
    company_name: str
    path: tuple[str, ...]
    now: Sums
    before: Sums

    @property
    def loss(self) -> int:
        """How much less it pays than in the period before; 0 when it pays as much or more."""
        return max(0, self.before.sell - self.now.sell)


@dataclass(frozen=True, slots=True)
class UnratedUsage:
    """Usage of the period without a price. `is_own_price`: the reseller itself sets the price that is missing."""

    seller_id: int
    buyer_id: int
    buyer_name: str
    meter: str
    attributes: Mapping[str, str]
    count: int
    first_at: datetime
    last_at: datetime
    is_own_price: bool


@dataclass(frozen=True, slots=True)
class RateUnderCost:
    """A selling rate of today that lies under what the reseller pays for the same.

    `sell` and `buy` are what `quantity` units with these attributes cost on each side; for a message that is
    charged on sending at one side and on delivery at the other both meters are added (`meters`).
    """

    card_id: int
    card_name: str
    meters: tuple[str, ...]
    attributes: Mapping[str, str]
    quantity: int
    sell: int
    buy: int
    buyer_ids: tuple[int, ...]
    buyer_names: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """A reseller's period at a glance, in one snapshot.

    `previous` is the equal period before; of a period that still runs, its part up to now
    (`is_running`), so that like is compared with like. `points` cover the period without gaps.
    `biggest` and `falling` have at most ten companies each, `falling` the largest loss first.
    """

    reseller: Company
    period: Period
    previous: Period
    is_running: bool
    time_zone: str
    currency: str
    now: Sums
    before: Sums
    services: Mapping[str, Sums]
    services_before: Mapping[str, Sums]
    step: Step
    points: tuple[TrendPoint, ...]
    biggest: tuple[CompanyTrend, ...]
    falling: tuple[CompanyTrend, ...]
    falling_count: int
    unrated: tuple[UnratedUsage, ...]
    under_cost: tuple[RateUnderCost, ...]
    company_count: int


# All resellers beside each other ------------------------------------------------


@dataclass(frozen=True, slots=True)
class SellerRow:
    """What one seller owes its own seller (`sums.buy`) and is owed by its buyers (`sums.sell`), as its report says."""

    seller: Company
    parent_name: str
    sums: Sums
    user_count: int


@dataclass(frozen=True)
class SellersReport:
    """The asking organisation and every reseller beneath it, each with the totals of its own report."""

    period: Period
    currency: str
    rows: tuple[SellerRow, ...]


# The drill-down: one company of the report --------------------------------------


@dataclass(frozen=True, slots=True)
class DayRow:
    """One local day (or month, when the period is long) of one company and service."""

    period: Period
    unrated: int
    meters: Mapping[str, MeterFigures]
    total_buy: int
    total_sell: int

    @property
    def margin(self) -> int:
        return self.total_sell - self.total_buy


@dataclass(frozen=True)
class CompanyView:
    """What every page of the drill-down says first: whose report, which company, when."""

    reseller: Company
    company: Dependent
    period: Period
    time_zone: str
    currency: str
    section: str


@dataclass(frozen=True)
class CompanyDays(CompanyView):
    """By day: rows in order of time, quiet ones included."""

    step: Step
    rows: tuple[DayRow, ...]
    totals: Totals


@dataclass(frozen=True)
class CompanyRates(CompanyView):
    """By rate: which rate version charged how much; ordered by meter, then by amount, largest first."""

    rows: tuple[RateGroup, ...]
    totals: Sums


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Which events: one meter, or some; one rate of a side (0: no price yet), the attributes of a `RateGroup`."""

    meter: str | None = None
    meters: tuple[str, ...] = ()
    sell_rate: int | None = None
    buy_rate: int | None = None
    attributes: Mapping[str, str] | None = None


@dataclass(frozen=True)
class CompanyEvents(CompanyView):
    """Single events, newest first, each with its calculation."""

    asked: EventFilter
    events: tuple[EventLine, ...]
    next_cursor: str | None


# What one company used and pays: no field of what anybody pays above it ----------


@dataclass(frozen=True, kw_only=True)
class UsageQuery:
    """The question of a company about itself, or of its seller about it; `company_id` None: the asker."""

    period: Period
    company_id: int | None = None
    time_zone: str | None = None
    section: str | None = None


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """One meter; `sell` is what the company pays to its seller."""

    count: int
    quantity: int
    sell: int


@dataclass(frozen=True)
class UsageSection:
    """One service of one company; `unrated` events wait for a price of the company's seller."""

    code: str
    meters: Mapping[str, UsageFigures]
    total_sell: int
    unrated: int


@dataclass(frozen=True, slots=True)
class UsagePoint:
    """One step of the trend of what the company pays."""

    period: Period
    sell: int
    services: Mapping[str, int]


@dataclass(frozen=True)
class UsageReport:
    """What one company used in a period and pays for it, as of one snapshot."""

    company: Company
    period: Period
    previous: Period
    is_running: bool
    time_zone: str
    currency: str
    unrated: int
    total_sell: int
    total_before: int
    sections: Mapping[str, UsageSection]
    step: Step
    points: tuple[UsagePoint, ...]


ExportState = Literal["waiting", "working", "done", "failed", "expired"]


@dataclass(frozen=True)
class ExportFile:
    """A file made in the background; `file` is its name in the folder of files, `name` what people save it as."""

    id: int
    asked_by: str
    report: str
    form: str
    question: Mapping[str, Any]
    language: str
    name: str
    state: ExportState
    rows_total: int
    rows_done: int
    file: str
    size: int
    asked_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Recipient:
    """Who is told that a file is there."""

    email: str
    name: str
