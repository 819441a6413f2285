"""What other apps know of a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

Channel = Literal["mail", "sms"]


class Person(Protocol):
    """Somebody at a browser: a user of ours, or the nobody Django puts there before sign-in."""

    @property
    def pk(self) -> Any: ...

    @property
    def is_active(self) -> bool: ...

    @property
    def is_authenticated(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code that was sent and may be typed in. `is_open` is False once it is used, expired or tried too often."""

    id: UUID
    purpose: str
    channel: Channel
    target: str
    expires_at: datetime
    resend_at: datetime
    resends_left: int
    tries_left: int
    is_open: bool
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a typed code. `target` is the address or number it proved, when it was right."""

    is_right: bool
    target: str
    tries_left: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Consents:
    """The versions of both texts a person agreed to, when and from which address."""

    terms_version: str
    personal_data_version: str
    given_at: datetime
    address: str | None


@dataclass(frozen=True, slots=True)
class RegistrationUnderWay:
    """How far somebody has come: `email`, `phone`, or `done`."""

    id: UUID
    name: str
    email: str
    phone: str
    time_zone: str
    step: Literal["email", "phone", "done"]
    challenge: Challenge | None
