"""What the demonstration world is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from twin.companies.types import Role


@dataclass(frozen=True)
class WorldSize:
    """How much there is; the same size always gives the same world."""

    companies: int = 60
    events: int = 300_000
    days: int = 90
    seed: int = 20_260


@dataclass(frozen=True)
class SignIn:
    """A way into the demonstration; `role` is marked for translation."""

    role: str
    email: str
    password: str
    company: str


@dataclass(frozen=True)
class Person:
    """Who signs in; the well-known password is part of the demonstration."""

    name: str
    email: str
    password: str
    employer: str
    role: str
    language: str = "en"


@dataclass(frozen=True)
class Colleague:
    """Who works for the company of that code and does not sign in; `blocked` is the reason, empty for most."""

    employer: str
    name: str
    email: str
    role: Role
    language: str = "en"
    max_dialogs: int | None = None
    blocked: str = ""


@dataclass(frozen=True)
class Guest:
    """Who is invited to the seller of that code and has not answered yet."""

    employer: str
    name: str
    email: str
    role: Role


@dataclass(frozen=True)
class Seller:
    """A reseller. `below` is the code of its seller, the empty code is the platform."""

    code: str
    name: str
    below: str
    time_zone: str
    countries: tuple[str, ...]
    joined_days_ago: int


@dataclass(frozen=True)
class Customer:
    """A company that uses Twin. `trade` says which services, `weight` how much of them."""

    code: str
    name: str
    seller: str
    time_zone: str
    country: str
    trade: str
    weight: float
    joined_days_ago: int
    moved: tuple[str, int] | None = None  # to which seller, how many days ago
    blocked: str = ""


@dataclass(frozen=True)
class Price:
    """One rate, its beginning counted in days before the world's present."""

    meter: str
    amount: str
    selector: Mapping[str, str] = field(default_factory=dict)
    per: int = 1
    minimum: int = 0
    increment: int = 1
    setup_fee: str = "0"
    days_ago: int = 120


@dataclass(frozen=True)
class Usage:
    """Events in the order of their time: one entry per event in each array."""

    customer: NDArray[Any]  # position in the cast
    meter: NDArray[Any]  # the meter's number
    quantity: NDArray[Any]
    moment: NDArray[Any]  # datetime64, milliseconds, UTC
    attributes: NDArray[Any]  # position in `attribute_sets`
    attribute_sets: tuple[Mapping[str, str], ...]

    def __len__(self) -> int:
        return len(self.moment)
