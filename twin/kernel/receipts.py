"""Receipts of SMS: the address a gateway reports to, and what it reports."""

from __future__ import annotations

import structlog
from django.core.signing import BadSignature, Signer
from django.db import transaction

from twin.kernel.clock import now
from twin.kernel.errors import NotFound
from twin.kernel.links import absolute
from twin.kernel.models import Dispatch

_log = structlog.stdlib.get_logger("twin.delivery")
# The portal answers there.
RECEIPTS = "/sms/receipt/"
_SALT = "twin.kernel.receipts"
# Kannel's states of a receipt.
_STATES = {1: Dispatch.DELIVERED, 2: Dispatch.FAILED, 4: Dispatch.SENT, 8: Dispatch.SENT, 16: Dispatch.FAILED}
# Receipts come late, twice and in any order: only what says more than is known is noted.
_RANKS = (Dispatch.QUEUED, Dispatch.SENDING, Dispatch.UNKNOWN, Dispatch.SENT, Dispatch.FAILED, Dispatch.DELIVERED)


class ReceiptUnknown(NotFound):
    """The address of this receipt was not made here."""


def receipt_url(dispatch_id: int) -> str:
    """Where a gateway reports on this message; `%d` is replaced by the state."""
    return absolute(f"{RECEIPTS}{_signer().sign(str(dispatch_id))}") + "?state=%d"


def note_receipt(token: str, state: int) -> None:
    """Note what the gateway reports; twice is once. Raises `ReceiptUnknown`."""
    try:
        dispatch_id = int(_signer().unsign(token))
    except (BadSignature, ValueError):
        raise ReceiptUnknown("There is no such message.") from None
    reported = _STATES.get(state)
    with transaction.atomic():
        row = Dispatch.objects.select_for_update().filter(pk=dispatch_id, channel="sms").first()
        if row is None:
            raise ReceiptUnknown("There is no such message.")
        if reported is None or _RANKS.index(reported) <= _RANKS.index(row.state):
            return
        row.state, row.sealed_body = reported, ""
        row.sent_at = row.sent_at or now()
        if reported != Dispatch.SENT:
            row.settled_at = now()
        if reported == Dispatch.FAILED:
            row.last_error = f"The gateway reports state {state}."
        row.save()
    _log.info("sms_receipt", dispatch=dispatch_id, purpose=row.purpose, state=reported)


def _signer() -> Signer:
    return Signer(sep=".", salt=_SALT)
