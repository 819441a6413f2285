"""The usage of the demonstration world: seeded, with the rhythm of days and weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.demo.rules.cast import NORTH
from twin.demo.types import Customer, Usage, WorldSize
from twin.pricing.meters import METER_BY_CODE

Array = NDArray[Any]

# Which part of its usage a trade makes in which way.
_WAYS: Final[Mapping[str, Mapping[str, float]]] = {
    "retail": {"sms": 0.35, "viber": 0.15, "whatsapp": 0.08, "email": 0.25, "push": 0.12, "chat": 0.05},
    "clinic": {"sms": 0.48, "whatsapp": 0.15, "chat": 0.12, "outgoing": 0.12, "incoming": 0.10, "bot": 0.03},
    "bank": {"sms": 0.40, "push": 0.25, "email": 0.12, "incoming": 0.10, "chat": 0.10, "bot": 0.03},
    "callcentre": {"outgoing": 0.58, "incoming": 0.27, "sms": 0.15},
    "shop": {"chat": 0.45, "bot": 0.18, "email": 0.20, "push": 0.10, "viber": 0.07},
    "logistics": {"sms": 0.32, "viber": 0.20, "whatsapp": 0.08, "bot": 0.15, "outgoing": 0.25},
}
# How much of what is sent arrives.
_DELIVERED: Final = {"sms": 0.955, "viber": 0.83, "whatsapp": 0.93, "email": 0.975, "push": 0.68}
_CHAT: Final = {
    "chat.operator_message": 0.27,
    "chat.bot_message": 0.30,
    "chat.user_message": 0.34,
    "chat.alice_operator_message": 0.02,
    "chat.alice_bot_message": 0.04,
    "chat.alice_user_message": 0.03,
}
_WEEK: Final = np.array([1.0, 1.05, 1.08, 1.04, 0.97, 0.48, 0.33])
_OFFICE: Final = np.array([1, 1, 1, 1, 1, 2, 6, 18, 45, 80, 100, 98, 85, 80, 90, 92, 84, 66, 45, 30, 20, 12, 6, 2])
_UNKNOWN_COUNTRY: Final = "UZ"
_UNPRICED: Final = 37
_COUNTRIES: Final = ("DE", "AT", "PL", "GB", "FR", "LV", "LT", "EE", "RU", "KZ", _UNKNOWN_COUNTRY)
_CATEGORIES: Final = ("marketing", "utility", "authentication")
ATTRIBUTE_SETS: Final[tuple[Mapping[str, str], ...]] = (
    {},
    *({"country": country} for country in _COUNTRIES),
    *({"category": category} for category in _CATEGORIES),
)
_FIRST_CATEGORY: Final = 1 + len(_COUNTRIES)


@dataclass(frozen=True)
class _Part:
    """Some events of one customer, not yet in order."""

    meter: int
    moment: Array
    quantity: Array
    attributes: Array


def usage(cast: Sequence[Customer], present: datetime, size: WorldSize) -> Usage:
    """Every event before `present`, by time; the same arguments always give the same events."""
    rng = np.random.Generator(np.random.PCG64(size.seed))
    active = [place for place, customer in enumerate(cast) if customer.trade in _WAYS]
    weights = np.array([cast[place].weight for place in active])
    shares = weights / weights.sum()
    parts: list[tuple[int, _Part]] = []
    for place, share in zip(active, shares, strict=True):
        made = _of_customer(rng, cast[place], present, size, share * size.events)
        parts.extend((place, part) for part in made)
    unpriced = next((p for p, customer in enumerate(cast) if customer.seller == NORTH and p in active), None)
    if unpriced is not None:
        parts.append((unpriced, _abroad(rng, present)))
    return _in_order(parts)


def _of_customer(
    rng: np.random.Generator, customer: Customer, present: datetime, size: WorldSize, expected: float
) -> list[_Part]:
    days = min(size.days, customer.joined_days_ago)
    hours, weights = _rhythm(rng, customer, present, days)
    ways = _WAYS[customer.trade]
    # A message counts when it is sent and again when it arrives.
    length = sum(share * (1 + _DELIVERED.get(way, 0)) for way, share in ways.items())
    made: list[_Part] = []
    for way, share in ways.items():
        moments = _moments(rng, hours, weights, round(expected * share / length), present)
        made.extend(_of_way(rng, customer, way, moments))
    return made


def _rhythm(rng: np.random.Generator, customer: Customer, present: datetime, days: int) -> tuple[Array, Array]:
    """The hours in which the customer lives, and how busy each is: by hour, weekday, growth and campaigns."""
    hours, usual = _usual_hours(customer.time_zone, present, days)
    campaign = np.repeat(np.exp(rng.normal(0, 0.25, days)), 24)
    growth = 1 + np.arange(days * 24) / (days * 72)
    weights = usual * campaign * growth
    return hours, weights / weights.sum()


@cache
def _usual_hours(time_zone: str, present: datetime, days: int) -> tuple[Array, Array]:
    """Every hour before `present`, and how busy it is by local hour and weekday."""
    zone = ZoneInfo(time_zone)
    starts = [present.astimezone(UTC) - timedelta(hours=hour) for hour in range(days * 24, 0, -1)]
    local = [start.astimezone(zone) for start in starts]
    hours = np.array([start.replace(tzinfo=None) for start in starts], dtype="datetime64[ms]")
    return hours, np.array([_WEEK[moment.weekday()] * _OFFICE[moment.hour] for moment in local])


def _moments(rng: np.random.Generator, hours: Array, weights: Array, number: int, present: datetime) -> Array:
    counts = rng.multinomial(number, weights)
    within = rng.integers(0, 3_600_000, number).astype("timedelta64[ms]")
    moments: Array = np.repeat(hours, counts) + within
    return moments[moments < np.datetime64(present.astimezone(UTC).replace(tzinfo=None), "ms")]


def _of_way(rng: np.random.Generator, customer: Customer, way: str, moments: Array) -> list[_Part]:
    if way in _DELIVERED:
        return _messages(rng, customer, way, moments)
    if way == "chat":
        choice = rng.choice(len(_CHAT), len(moments), p=list(_CHAT.values()))
        return [_plain(meter, moments[choice == place]) for place, meter in enumerate(_CHAT)]
    if way == "bot":
        return [_plain("bot.message", moments)]
    attributes = _countries(rng, customer, len(moments))
    return [_Part(METER_BY_CODE[f"call.{way}"].id, moments, _durations(rng, len(moments)), attributes)]


def _messages(rng: np.random.Generator, customer: Customer, way: str, moments: Array) -> list[_Part]:
    """What was sent, and what of it arrived: at the time it was sent, with the same parts."""
    number = len(moments)
    parts = rng.choice([1, 2, 3], number, p=[0.74, 0.21, 0.05]) if way == "sms" else np.ones(number, dtype=np.int64)
    attributes = np.zeros(number, dtype=np.int64)
    if way == "sms":
        attributes = _countries(rng, customer, number)
    elif way == "whatsapp":
        attributes = _FIRST_CATEGORY + rng.choice(len(_CATEGORIES), number, p=[0.30, 0.55, 0.15])
    arrived = rng.random(number) < _DELIVERED[way]
    return [
        _Part(METER_BY_CODE[f"{way}.sent"].id, moments, parts, attributes),
        _Part(METER_BY_CODE[f"{way}.delivered"].id, moments[arrived], parts[arrived], attributes[arrived]),
    ]


def _plain(meter: str, moments: Array) -> _Part:
    nothing = np.zeros(len(moments), dtype=np.int64)
    return _Part(METER_BY_CODE[meter].id, moments, nothing + 1, nothing)


def _countries(rng: np.random.Generator, customer: Customer, number: int) -> Array:
    """Mostly the customer's own country, now and then a neighbour's."""
    home = 1 + _COUNTRIES.index(customer.country)
    abroad = rng.integers(1, len(_COUNTRIES), number)
    return np.where(rng.random(number) < 0.93, home, abroad)


def _durations(rng: np.random.Generator, number: int) -> Array:
    """Seconds; about every eighth call is not answered."""
    talked = np.clip(np.exp(rng.normal(4.5, 0.9, number)), 1, 7200).astype(np.int64)
    return np.where(rng.random(number) < 0.125, 0, talked)


def _abroad(rng: np.random.Generator, present: datetime) -> _Part:
    """Messages to a country that one reseller has no price for."""
    minutes = rng.integers(60, 20 * 24 * 60, _UNPRICED).astype("timedelta64[m]")
    moments = np.datetime64(present.astimezone(UTC).replace(tzinfo=None), "ms") - minutes
    unknown = np.full(_UNPRICED, 1 + _COUNTRIES.index(_UNKNOWN_COUNTRY))
    return _Part(METER_BY_CODE["sms.delivered"].id, moments, np.ones(_UNPRICED, dtype=np.int64), unknown)


def _in_order(parts: Sequence[tuple[int, _Part]]) -> Usage:
    customer = np.concatenate([np.full(len(part.moment), place) for place, part in parts])
    meter = np.concatenate([np.full(len(part.moment), part.meter) for _, part in parts])
    moment = np.concatenate([part.moment for _, part in parts])
    quantity = np.concatenate([part.quantity for _, part in parts])
    attributes = np.concatenate([part.attributes for _, part in parts])
    order = np.argsort(moment, kind="stable")
    return Usage(
        customer=customer[order],
        meter=meter[order],
        quantity=quantity[order],
        moment=moment[order],
        attributes=attributes[order],
        attribute_sets=ATTRIBUTE_SETS,
    )
