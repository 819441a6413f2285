"""What crosses the border of pricing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

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
