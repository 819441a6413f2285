"""What crosses the border of pricing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Selector = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RateCard:
    """A seller's named list of rates; at most one of a seller's cards is its default."""

    id: int
    seller_id: int
    name: str
    is_default: bool


@dataclass(frozen=True)
class Terms:
    """How a quantity becomes an amount: price in nano-units for `per` units of the meter."""

    unit_price_nano: int
    per: int = 1
    minimum: int = 0
    increment: int = 1
    setup_fee_nano: int = 0


@dataclass(frozen=True)
class NewRate:
    """A rate as it is asked for, before it has a number."""

    meter: str
    selector: Mapping[str, str]
    unit_price_nano: int
    per: int
    minimum: int
    increment: int
    setup_fee_nano: int
    effective_from: datetime


@dataclass(frozen=True)
class Rate:
    """A recorded rate; `selector` is sorted, a higher id was recorded later."""

    id: int
    card_id: int
    meter_id: int
    selector: Selector
    terms: Terms
    effective_from: datetime


@dataclass(frozen=True)
class Assignment:
    """From `effective_from` on, this buyer pays this seller by that card."""

    id: int
    seller_id: int
    buyer_id: int
    card_id: int
    effective_from: datetime


@dataclass(frozen=True)
class PriceBook:
    """Every assignment by (seller, buyer) and every rate by (card, meter), ordered by (effective_from, id)."""

    assignments: dict[tuple[int, int], tuple[Assignment, ...]]
    rates: dict[tuple[int, int], tuple[Rate, ...]]


@dataclass(frozen=True)
class CardInUse:
    """A card by which buyers settle at present, and its rates that have begun."""

    card: RateCard
    buyer_ids: tuple[int, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class PricesInForce:
    """At one instant: the cards that a seller's buyers pay by, and the rates that it pays itself."""

    cards: tuple[CardInUse, ...]
    paid: tuple[Rate, ...]


RateState = Literal["current", "planned", "past"]
SpanState = Literal["now", "planned", "past", "replaced"]


@dataclass(frozen=True)
class ListedCard:
    """A card, how many children of its seller pay by it, and how many rates were ever recorded on it."""

    card: RateCard
    buyers: int
    rates: int


@dataclass(frozen=True)
class CardDirectory:
    """One page of cards, and how many were looked for."""

    items: tuple[ListedCard, ...]
    total: int


@dataclass(frozen=True)
class ListedRate:
    """`current`: counts now for its attributes; `past`: another took its place; `planned`: begins later."""

    rate: Rate
    state: RateState


@dataclass(frozen=True)
class RateListing:
    """One page of rates, how many are in the state looked for, and how many in each."""

    items: tuple[ListedRate, ...]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class AssignmentSpan:
    """From `start` until `end` (None: for good) the buyer pays by the card; `replaced`: another of then counts."""

    id: int
    buyer_id: int
    buyer: str
    card_id: int
    card: str
    start: datetime
    end: datetime | None
    recorded_at: datetime
    state: SpanState


@dataclass(frozen=True)
class SpanListing:
    """One page of assignments, how many there are, and how many in each state."""

    items: tuple[AssignmentSpan, ...]
    total: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class CompanyWithoutCard:
    id: int
    name: str


@dataclass(frozen=True)
class WithoutCardListing:
    """One page of companies that pay by no card, and how many there are."""

    items: tuple[CompanyWithoutCard, ...]
    total: int
