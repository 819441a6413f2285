"""What crosses the border of metering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from twin.pricing.types import Assignment


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
