"""The one way out for mails and SMS: a row and a job in the caller's transaction, never a call to a gateway."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.types import JSONDict

from twin.kernel.clock import now
from twin.kernel.errors import Invalid
from twin.kernel.models import Dispatch
from twin.kernel.sealing import seal

# By name: the jobs stand above this module.
DELIVER = "twin.kernel.jobs.deliver"
QUEUE = "delivery"
# Somebody looks at an empty field until these arrive.
_AWAITED = ("_code", "recovery")
_URGENT, _USUAL = 10, 0

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_EMAIL = re.compile(r"[^\s@,;:<>()\[\]\"\\]{1,64}@[^\s@,;:<>()\[\]\"\\]{1,255}")
_LONGEST_SMS = 1000


class RecipientUnusable(Invalid):
    """The address or number cannot be sent to."""


class MessageUnusable(Invalid):
    """The subject or text holds what cannot be sent."""


def send_mail(
    *, to: str, subject: str, text: str, html: str = "", purpose: str, expires_in: timedelta | None = None
) -> int:
    """Queue a mail; the id of its dispatch.

    It leaves when the transaction around this call commits. With
    `expires_in` it is dropped rather than sent later than that. The
    subject is kept readable: it must hold no code and no link.
    """
    _refuse_control(to, subject)
    if not _EMAIL.fullmatch(to):
        raise RecipientUnusable("This is not an email address that can be written to.")
    body = json.dumps({"text": text, "html": html})
    return _queue("mail", to, subject[:300], body, purpose, expires_in)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail of many; as the arguments of `send_mail`."""

    to: str
    subject: str
    text: str


def send_mails(letters: Sequence[Letter], *, purpose: str) -> None:
    """Queue many mails in a few questions, as `send_mail` does; who cannot be written to is left out."""
    kept = [letter for letter in letters if _EMAIL.fullmatch(letter.to)]
    if not kept:
        return
    for letter in kept:
        _refuse_control(letter.to, letter.subject)
    moment = now()
    rows = [
        Dispatch(
            channel="mail",
            recipient=letter.to,
            subject=letter.subject[:300],
            sealed_body=seal(json.dumps({"text": letter.text, "html": ""})),
            purpose=purpose,
            created_at=moment,
            next_try_at=moment,
        )
        for letter in kept
    ]
    with transaction.atomic():
        made = Dispatch.objects.bulk_create(rows)
        task = app.configure_task(DELIVER, queue=QUEUE, priority=_USUAL)
        asked: list[JSONDict] = [{"dispatch_id": row.pk} for row in made]
        task.batch_defer(*asked)


def send_sms(*, to: str, text: str, purpose: str, expires_in: timedelta | None = None) -> int:
    """Queue an SMS to a number in E.164; the id of its dispatch. Otherwise as `send_mail`."""
    if not _PHONE.fullmatch(to):
        raise RecipientUnusable("This is not a phone number with + and the code of its country.")
    if not 1 <= len(text) <= _LONGEST_SMS:
        raise MessageUnusable(f"An SMS has 1 to {_LONGEST_SMS} characters.")
    return _queue("sms", to, "", json.dumps({"text": text}), purpose, expires_in)


def defer(dispatch_id: int, purpose: str, *, pause: timedelta | None = None) -> None:
    """The job that sends it, in the transaction of the caller; what somebody waits for comes first."""
    priority = _URGENT if purpose.endswith(_AWAITED) else _USUAL
    schedule_in = {"seconds": int(pause.total_seconds())} if pause else None
    app.configure_task(DELIVER, queue=QUEUE, priority=priority, schedule_in=schedule_in).defer(dispatch_id=dispatch_id)


def _queue(channel: str, recipient: str, subject: str, body: str, purpose: str, expires_in: timedelta | None) -> int:
    moment = now()
    with transaction.atomic():
        row = Dispatch.objects.create(
            channel=channel,
            recipient=recipient,
            subject=subject,
            sealed_body=seal(body),
            purpose=purpose,
            created_at=moment,
            next_try_at=moment,
            expires_at=moment + expires_in if expires_in else None,
        )
        defer(row.pk, purpose)
    return row.pk


def _refuse_control(*headers: str) -> None:
    """A line break in a header would let its writer add headers of their own."""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for header in headers for letter in header):
        raise MessageUnusable("Recipient and subject of a mail hold no line breaks and no control characters.")
