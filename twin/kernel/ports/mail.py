"""A way to hand over a mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """One mail; `number` is the same at every attempt, so that what arrives twice can be told."""

    number: int
    to: str
    subject: str
    text: str
    html: str = ""


class MailPort(Protocol):
    """Where mails leave; `keeps_text` says that people read them here, so their text must stay."""

    keeps_text: bool

    def send(self, mail: Mail) -> str:
        """Hand it over; the reference of the peer. Raises what `outcomes` names."""
        ...
