"""Handing a queued message over, once: claim, send, record, each on its own, so that a crash is told from an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from twin.kernel import gateways
from twin.kernel.clock import now
from twin.kernel.delivery import defer
from twin.kernel.masking import mask_text
from twin.kernel.models import Dispatch
from twin.kernel.ports.mail import Mail
from twin.kernel.ports.outcomes import OutcomeUnknown, Refused, TryLater
from twin.kernel.ports.sms import ShortMessage
from twin.kernel.receipts import receipt_url
from twin.kernel.sealing import SealBroken, unseal

_log = structlog.stdlib.get_logger("twin.delivery")

# Eight tries within two hours.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 120, 300, 900, 1800, 3600))
# A job may begin a moment before its time; one that begins much earlier is somebody else's.
_EARLY = timedelta(seconds=2)
# Longer than any attempt lasts: who has been sending for so long has died.
_ATTEMPT = timedelta(minutes=5)
# A job that has not begun so long after its time is lost, or there was no gateway.
_OVERDUE = timedelta(minutes=1)
_AT_ONCE = 500
_TOO_LATE = "It would come too late to be of use."
_SETTINGS = {"mail": "TWIN_SMTP_URL", "sms": "TWIN_SMS_URL"}
KEPT_TEXTS = timedelta(days=7)
KEPT_ROWS = timedelta(days=30)


def attempt(dispatch_id: int) -> None:
    """Try to hand the message over, if it is its time; twice at once or twice in a row does no harm."""
    way = _way_of(dispatch_id)
    row = _claim(dispatch_id) if way else None
    if way is None or row is None:
        return
    try:
        reference = way(row)
    except TryLater as error:
        _postpone(row, str(error))
    except OutcomeUnknown as error:
        _settle(row, Dispatch.UNKNOWN, error=str(error))
    except (Refused, SealBroken) as error:
        _settle(row, Dispatch.FAILED, error=str(error))
    else:
        _note_sent(row, reference)


def resume_waiting() -> None:
    """Put back on their way: messages whose job is lost, whose sender died, or that waited for a gateway."""
    _end_interrupted()
    _end_expired()
    overdue = Dispatch.objects.filter(state=Dispatch.QUEUED, next_try_at__lt=now() - _OVERDUE)
    for channel, port in (("mail", gateways.mail_port()), ("sms", gateways.sms_port())):
        waiting = overdue.filter(channel=channel)
        if port is not None:
            _defer_again(waiting)
        elif count := waiting.count():
            _log.error("messages_wait", count=count, reason=f"{_SETTINGS[channel]} is not set: nothing can be sent.")


def forget_old() -> None:
    """Erase the texts the demonstration kept for a while, and rows that are of no use any more."""
    moment = now()
    done = (Dispatch.SENT, Dispatch.UNKNOWN, Dispatch.FAILED, Dispatch.DELIVERED)
    stale = Dispatch.objects.filter(state__in=done, created_at__lt=moment - KEPT_TEXTS).exclude(sealed_body="")
    stale.update(sealed_body="")
    Dispatch.objects.filter(created_at__lt=moment - KEPT_ROWS).delete()


def _defer_again(waiting: QuerySet[Dispatch]) -> None:
    with transaction.atomic():
        for row in waiting.select_for_update(skip_locked=True).order_by("next_try_at")[:_AT_ONCE]:
            row.next_try_at = now()
            row.save(update_fields=["next_try_at"])
            defer(row.pk, row.purpose)


Way = Callable[[Dispatch], str]


def _way_of(dispatch_id: int) -> Way | None:
    """How this message leaves; without a gateway it waits, which the log says."""
    channel = Dispatch.objects.filter(pk=dispatch_id).values_list("channel", flat=True).first()
    if channel is None:
        return None
    way = _mail_way() if channel == "mail" else _sms_way()
    if way is None:
        reason = f"{_SETTINGS[channel]} is not set: nothing can be sent."
        _log.error("message_waits", dispatch=dispatch_id, reason=reason)
    return way


def _mail_way() -> Way | None:
    port = gateways.mail_port()
    if port is None:
        return None

    def send(row: Dispatch) -> str:
        body = json.loads(unseal(row.sealed_body))
        return port.send(Mail(row.pk, row.recipient, row.subject, body["text"], body["html"]))

    return send


def _sms_way() -> Way | None:
    port = gateways.sms_port()
    if port is None:
        return None

    def send(row: Dispatch) -> str:
        body = json.loads(unseal(row.sealed_body))
        return port.send(ShortMessage(row.recipient, body["text"], receipt_url(row.pk)))

    return send


def _claim(dispatch_id: int) -> Dispatch | None:
    """The row as ours for this attempt, committed before anything leaves; None when it is not its turn."""
    moment = now()
    with transaction.atomic():
        row = (
            Dispatch.objects.select_for_update(skip_locked=True)
            .filter(pk=dispatch_id, state=Dispatch.QUEUED, next_try_at__lte=moment + _EARLY)
            .first()
        )
        if row is None:
            return None
        if row.expires_at is not None and row.expires_at <= moment:
            _write(row, Dispatch.FAILED, error=_TOO_LATE)
            return None
        row.state, row.tried_at, row.attempts = Dispatch.SENDING, moment, row.attempts + 1
        row.save(update_fields=["state", "tried_at", "attempts"])
    return row


def _postpone(row: Dispatch, error: str) -> None:
    if row.attempts > len(PAUSES):
        _settle(row, Dispatch.FAILED, error=error)
        return
    pause = PAUSES[row.attempts - 1]
    with transaction.atomic():
        mine = _still_mine(row)
        if mine is None:
            return
        mine.state, mine.next_try_at, mine.last_error = Dispatch.QUEUED, now() + pause, mask_text(error)
        mine.save(update_fields=["state", "next_try_at", "last_error"])
        defer(mine.pk, mine.purpose, pause=pause)
    _log.warning("message_postponed", **_about(row), seconds=pause.total_seconds(), reason=mask_text(error))


def _settle(row: Dispatch, state: str, *, error: str) -> None:
    with transaction.atomic():
        mine = _still_mine(row)
        if mine is not None:
            _write(mine, state, error=error)


def _note_sent(row: Dispatch, reference: str) -> None:
    with transaction.atomic():
        mine = _still_mine(row)
        if mine is None:
            return
        port = gateways.mail_port() if mine.channel == "mail" else gateways.sms_port()
        if port is None or not port.keeps_text:
            mine.sealed_body = ""
        mine.state, mine.sent_at, mine.reference = Dispatch.SENT, now(), reference[:200]
        mine.save()
    _log.info("message_sent", **_about(row))


def _still_mine(row: Dispatch) -> Dispatch | None:
    """The row of this very attempt, locked; a receipt may have come first, or the attempt been given up."""
    return Dispatch.objects.select_for_update().filter(pk=row.pk, state=Dispatch.SENDING, attempts=row.attempts).first()


def _write(row: Dispatch, state: str, *, error: str) -> None:
    """The end of a message that did not leave, or of which nobody knows; its text is erased."""
    row.state, row.last_error, row.settled_at, row.sealed_body = state, mask_text(error), now(), ""
    row.save()
    _log.error("message_lost", **_about(row), state=state, reason=mask_text(error))


def _end_interrupted() -> None:
    """Attempts whose process died: a mail is sent again, an SMS, which costs money, is not."""
    with transaction.atomic():
        rows = Dispatch.objects.select_for_update(skip_locked=True).filter(
            state=Dispatch.SENDING, tried_at__lt=now() - _ATTEMPT
        )
        for row in rows[:_AT_ONCE]:
            if row.channel == "sms" or row.attempts > len(PAUSES):
                _write(row, Dispatch.UNKNOWN, error="The process that sent it died before it knew the answer.")
            else:
                row.state, row.next_try_at = Dispatch.QUEUED, now()
                row.save(update_fields=["state", "next_try_at"])
                defer(row.pk, row.purpose)


def _end_expired() -> None:
    with transaction.atomic():
        rows = Dispatch.objects.select_for_update(skip_locked=True).filter(
            state=Dispatch.QUEUED, next_try_at__lt=now(), expires_at__lte=now()
        )
        for row in rows[:_AT_ONCE]:
            _write(row, Dispatch.FAILED, error=_TOO_LATE)


def _about(row: Dispatch) -> dict[str, object]:
    return {"dispatch": row.pk, "channel": row.channel, "purpose": row.purpose, "attempt": row.attempts}
