"""What the page of the outbox and the operator's command read of messages on their way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from twin.kernel.masking import mask_email, mask_phone
from twin.kernel.models import Dispatch
from twin.kernel.sealing import SealBroken, unseal

_CODE = re.compile(r"(?<![\w/+])(?<!\d[.: -])\d{6}(?![\w/])(?![.: -]\d)")


@dataclass(frozen=True)
class Letter:
    """One message as its recipient reads it; `code` is the one-time code in it, if there is one."""

    id: int
    channel: str
    to: str
    subject: str
    text: str
    code: str
    created_at: datetime


@dataclass(frozen=True)
class Passage:
    """How one message fared, without what it says; the recipient is masked."""

    id: int
    channel: str
    to: str
    purpose: str
    state: str
    attempts: int
    created_at: datetime
    last_error: str


def letters(limit: int = 50) -> list[Letter]:
    """The newest messages that stay here, opened, newest first; only for the demonstration to show."""
    rows = Dispatch.objects.exclude(sealed_body="").order_by("-id")[:limit]
    return [letter for row in rows if (letter := _opened(row)) is not None]


def passages(limit: int) -> list[Passage]:
    """The newest messages and how they fared, newest first; for the operator."""
    return [
        Passage(
            id=row.pk,
            channel=row.channel,
            to=mask_email(row.recipient) if row.channel == "mail" else mask_phone(row.recipient),
            purpose=row.purpose,
            state=row.state,
            attempts=row.attempts,
            created_at=row.created_at,
            last_error=row.last_error,
        )
        for row in Dispatch.objects.order_by("-id")[:limit]
    ]


def _opened(row: Dispatch) -> Letter | None:
    try:
        text: str = json.loads(unseal(row.sealed_body))["text"]
    except SealBroken:
        return None
    code = _CODE.search(text)
    return Letter(row.pk, row.channel, row.recipient, row.subject, text, code[0] if code else "", row.created_at)
