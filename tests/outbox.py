"""What would have been sent, as its recipient would read it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from twin.kernel.models import Dispatch
from twin.kernel.sealing import unseal


@dataclass(frozen=True)
class Received:
    """One mail or SMS, opened."""

    id: int
    channel: str
    to: str
    subject: str
    text: str
    html: str
    purpose: str

    @property
    def code(self) -> str:
        """The code of six digits in it."""
        found = re.search(r"(?<!\d)\d{6}(?!\d)", self.text)
        assert found, f"no code in: {self.text}"
        return found[0]

    @property
    def link(self) -> str:
        """The first link in it."""
        found = re.search(r"https?://\S+", self.text)
        assert found, f"no link in: {self.text}"
        return found[0]


def all_messages(*, channel: str = "", to: str = "", purpose: str = "") -> list[Received]:
    """Everything that was handed to delivery and not erased yet, oldest first."""
    wanted = {"channel": channel, "recipient": to, "purpose": purpose}
    rows = Dispatch.objects.filter(**{name: value for name, value in wanted.items() if value}).exclude(sealed_body="")
    return [_opened(row) for row in rows.order_by("id")]


def last_mail(to: str = "", purpose: str = "") -> Received:
    """The newest mail; fails when there is none."""
    return all_messages(channel="mail", to=to, purpose=purpose)[-1]


def last_sms(to: str = "", purpose: str = "") -> Received:
    """The newest SMS; fails when there is none."""
    return all_messages(channel="sms", to=to, purpose=purpose)[-1]


def _opened(row: Dispatch) -> Received:
    body = json.loads(unseal(row.sealed_body))
    return Received(
        id=row.pk,
        channel=row.channel,
        to=row.recipient,
        subject=row.subject,
        text=body["text"],
        html=body.get("html", ""),
        purpose=row.purpose,
    )
