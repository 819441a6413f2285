"""What crosses the border of metering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from twin.kernel.period import Period
from twin.pricing.types import Assignment, NewRate, Terms

# How far the commit order has come: a number for each shard.
Cutoff = tuple[int, ...]


@dataclass(frozen=True)
class Refusal:
    """One item of a batch that was not taken, and why."""

    index: int
    id: str
    detail: str


@dataclass(frozen=True)
class TakenBatch:
    """The answer to one batch; `unrated` counts accepted events lacking a price on some edge."""

    accepted: int = 0
    duplicates: int = 0
    unrated: int = 0
    conflicts: list[Refusal] = field(default_factory=list)
    rejected: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True)
class Priced:
    """Unrated edges of the seller that got a price now, and those left to a job."""

    priced: int
    pending: int


@dataclass(frozen=True)
class Assigned:
    """A recorded assignment and what it priced."""

    assignment: Assignment
    priced: int
    pending: int


@dataclass(frozen=True)
class RateClash:
    """A new rate that would change a charge: its place among those asked about, and the latest usage concerned."""

    index: int
    company_id: int
    last_at: datetime

    @property
    def free_at(self) -> datetime:
        """The earliest instant from which the rate changes nothing that is charged."""
        return self.last_at + timedelta(microseconds=1)


@dataclass(frozen=True)
class Conflict:
    """A key that came again with other billing fields."""

    company_id: int
    source: str
    id: str
    meter: str
    quantity: int
    event_time: datetime
    attributes: Mapping[str, str]
    recorded_at: datetime


@dataclass(frozen=True)
class Contradiction:
    """Two contents that came under one key: `kept` came first and counts, its `recorded_at` is when it was taken."""

    refused: Conflict
    kept: Conflict | None


@dataclass(frozen=True)
class UnratedGroup:
    """Edges without a price that one rate would mend."""

    seller_id: int
    buyer_id: int
    meter: str
    attributes: Mapping[str, str]
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class OpenGroup:
    """Edges without a price, and the card of the asker by which the pair settled then; None: by none, or another's."""

    group: UnratedGroup
    card_id: int | None


@dataclass(frozen=True)
class OpenListing:
    """One page of groups without a price, and how many there are."""

    items: tuple[OpenGroup, ...]
    total: int


@dataclass(frozen=True)
class ContradictionListing:
    """One page of contradicting events, and how many there are."""

    items: tuple[Contradiction, ...]
    total: int


@dataclass(frozen=True)
class CardUsage:
    """Events of one buyer that one card prices alike: same meter, attributes, rate and quantity.

    `rate_id` 0: they have no price yet. `buy` is what the seller owes for them, without those `buy_unrated`.
    """

    buyer_id: int
    meter: str
    attributes: Mapping[str, str]
    rate_id: int
    quantity: int
    count: int
    sell: int
    buy: int
    buy_unrated: int


@dataclass(frozen=True)
class TrialLine:
    """What one buyer paid by a card for one meter, and would have paid by other prices; amounts in nano-units.

    `unrated` events had no price, `still_unrated` would have none; `buy_unrated` lack that of the seller above.
    """

    buyer_id: int
    meter: str
    count: int
    sell: int
    sell_then: int
    buy: int
    unrated: int
    still_unrated: int
    buy_unrated: int


@dataclass(frozen=True)
class RateUse:
    """How much one rate charged in a period."""

    rate_id: int
    count: int
    quantity: int
    sell: int


@dataclass(frozen=True)
class Trial:
    """Other prices tried on the usage of a card's buyers; nothing of it is recorded."""

    lines: tuple[TrialLine, ...]
    uses: tuple[RateUse, ...]


@dataclass(frozen=True)
class TracedCharge:
    """One edge of an event with the calculation; amounts in nano-units."""

    seller_id: int
    buyer_id: int
    rate_id: int | None
    calculation: str
    amount: int | None
    recorded_as: str


@dataclass(frozen=True)
class Trace:
    """The whole way of one event."""

    company_id: int
    source: str
    id: str
    meter: str
    quantity: int
    attributes: Mapping[str, str]
    event_time: datetime
    received_at: datetime
    shard: int
    batch: int
    charges: list[TracedCharge]


@dataclass(frozen=True)
class VerifyReport:
    """What `metering verify` found: differences are faults, notes are worth a look."""

    differences: list[str]
    notes: list[str]
    events: int
    cells: int


@dataclass(frozen=True)
class RateTerms:
    """A recorded rate as a party of its edge may read it; `rate_id` is its version."""

    rate_id: int
    terms: Terms
    selector: Mapping[str, str]
    effective_from: datetime


@dataclass(frozen=True)
class RateGroup:
    """Usage of one company and meter charged alike on both sides that the reader may see.

    `attributes` are those that some rate of the reader's looks at; others cannot change a price.
    A rate of None: no price yet, or (buying, not `has_buying_side`) nobody above. `billed` counts units
    after minimum and increment.
    """

    meter: str
    attributes: Mapping[str, str]
    count: int
    quantity: int
    sell_rate: RateTerms | None
    sell_billed: int
    sell: int
    has_buying_side: bool
    buy_rate: RateTerms | None
    buy_billed: int
    buy: int
    first_at: datetime
    last_at: datetime

    @property
    def is_unrated(self) -> bool:
        return self.sell_rate is None or (self.has_buying_side and self.buy_rate is None)


@dataclass(frozen=True)
class EdgeCharge:
    """One side of one event. Without `rate` it has no price yet and `amount` is 0.

    `billed` is the quantity after minimum and increment; `is_late` says that the price was
    found after the event was taken, `is_corrected` that an earlier charge was taken back.
    """

    rate: RateTerms | None
    billed: int
    amount: int
    is_late: bool
    is_corrected: bool = False


@dataclass(frozen=True)
class CommitPlace:
    """When an event and the corrections of its selling side (shard and batch of each) were learnt of."""

    shard: int
    batch: int
    corrected: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class EventLine:
    """One event with its calculation on the sides that the reader may see; `buy` None: nobody is above.

    `buyer_id` is who owes the selling side. One that was withdrawn counts nowhere and costs nothing.
    """

    company_id: int
    source: str
    id: str
    meter: str
    event_time: datetime
    received_at: datetime
    quantity: int
    attributes: Mapping[str, str]
    sell: EdgeCharge
    buy: EdgeCharge | None
    is_withdrawn: bool = False
    buyer_id: int = 0
    place: CommitPlace | None = None


@dataclass(frozen=True)
class EventPage:
    """Some events, newest first; `next_cursor` is None on the last page."""

    items: tuple[EventLine, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class UsageCell:
    """What one company used of one meter and owes its direct seller for it; `unrated` events lack that price."""

    meter: str
    count: int
    quantity: int
    price: int
    unrated: int


@dataclass(frozen=True, slots=True)
class AskedSpan:
    """What a statement of one buyer covers: what happened in `[start, end)`, and late, what happened before `start`
    and was committed after `since`. `since` None: the buyer is new, nothing can be late.

    Late usage is told by month of `time_zone`; what happened before `start` belongs to `month_before` or earlier.
    """

    buyer_id: int
    start: datetime
    end: datetime
    since: Cutoff | None
    time_zone: str
    month_before: date


@dataclass(frozen=True, slots=True)
class BillableGroup:
    """Charges of one buyer at one version of a rate; of the span (`month` None) or late, of an earlier month.

    What was taken back is counted off. `amount` is exact, in nano-units; the sums know no bounds.
    """

    buyer_id: int
    kind: Literal["usage", "late"]
    month: date | None
    meter: str
    rate_id: int
    count: int
    quantity: int
    billed: int
    amount: int


# Rates of a preview that are not recorded yet are numbered from here.
PLANNED_RATE = 2**40

ReratingState = Literal["asked", "ready", "running", "done", "discarded"]


@dataclass(frozen=True)
class NewPrices:
    """Rates to be recorded on a card of the seller although they change charges."""

    card_id: int
    rates: tuple[NewRate, ...]


@dataclass(frozen=True)
class NewAssignment:
    """A card to be given to a buyer although usage is charged by another."""

    buyer_id: int
    card_id: int
    effective_from: datetime


@dataclass(frozen=True)
class RateFigures:
    """Charges of one meter that go from one rate to another; edge 0 is the seller's, 1 the one above it.

    A new rate of 0: there is no price any more. In a preview a rate not recorded yet has the number
    `PLANNED_RATE` plus its place in the list.
    """

    edge: int
    meter_id: int
    old_rate: int
    new_rate: int
    count: int
    quantity: int
    before: int
    after: int


@dataclass(frozen=True)
class CompanyFigures:
    """What changes for the usage of one company on one edge."""

    edge: int
    company_id: int
    count: int
    quantity: int
    before: int
    after: int


@dataclass(frozen=True)
class ReratingFigures:
    """What a re-rating changes: `looked_at` events in all, and sums of the charges that change."""

    looked_at: int = 0
    by_rate: tuple[RateFigures, ...] = ()
    by_company: tuple[CompanyFigures, ...] = ()

    def changed(self, edge: int) -> int:
        return sum(line.count for line in self.by_rate if line.edge == edge)

    def difference(self, edge: int) -> int:
        """By how much the charges of this edge rise, in nano-units."""
        return sum(line.after - line.before for line in self.by_rate if line.edge == edge)

    def losing(self, edge: int) -> int:
        """Charges that have no price any more."""
        return sum(line.count for line in self.by_rate if line.edge == edge and not line.new_rate)

    @property
    def margin(self) -> int:
        """By how much the margin of the seller rises: what it sells for more, less what it buys for more."""
        return self.difference(0) - self.difference(1)


@dataclass(frozen=True)
class Rerating:
    """One correction of charges by present prices: what was asked, what it would change, what it changed.

    `above_id`: the seller's own seller, where one person decided for that edge too. Without `figures`
    nothing was changed yet.
    """

    id: int
    seller_id: int
    above_id: int | None
    buyer_id: int | None
    company_id: int | None
    meters: tuple[str, ...] | None
    period: Period
    reason: str
    prices: NewPrices | None
    assignment: NewAssignment | None
    state: ReratingState
    preview: ReratingFigures | None
    figures: ReratingFigures | None
    asked_at: datetime
    asked_by: str
    counted_at: datetime | None
    decided_at: datetime | None
    decided_by: str
    finished_at: datetime | None


@dataclass(frozen=True)
class Withdrawal:
    """An event that was taken back on every edge; `is_new` is False where it had been before."""

    company_id: int
    source: str
    id: str
    edges: int
    is_new: bool
