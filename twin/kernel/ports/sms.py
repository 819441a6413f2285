"""A way to hand over an SMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ShortMessage:
    """One SMS; the gateway reports how it fared at `receipt_url`, in which `%d` stands for the state."""

    to: str
    text: str
    receipt_url: str


class SmsPort(Protocol):
    """Where SMS leave; `keeps_text` as with mails."""

    keeps_text: bool

    def send(self, message: ShortMessage) -> str:
        """Hand it over; the reference of the peer. Raises what `outcomes` names."""
        ...
