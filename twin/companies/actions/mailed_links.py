"""The link of a mailed invitation: a new one whenever it is sent, of which only the hash is kept."""

from __future__ import annotations

import secrets
from datetime import timedelta

from twin.companies.access import hash_of
from twin.companies.errors import InvitedTooOften
from twin.companies.models import Attachment, Invitation
from twin.companies.rules.employees import SENDING_PAUSE, SENDINGS
from twin.kernel import clock


def refuse_too_often(row: Attachment | Invitation) -> None:
    """One invitation is not sent again at once, nor many times; raises `InvitedTooOften`."""
    now = clock.now()
    if row.sendings == 0:
        return
    # An expired invitation starts anew: whoever did not answer for a week may be asked again.
    if row.expires_at <= now:
        row.sendings = 0
    if row.sendings >= SENDINGS or now - row.sent_at < SENDING_PAUSE:
        raise InvitedTooOften("This invitation was sent a moment ago, or too often.")


def renew_link(row: Attachment | Invitation, *, life: timedelta) -> str:
    """The secret of a new link that lives from now on; the former one is dead. The row is saved."""
    now = clock.now()
    token = secrets.token_urlsafe(32)
    row.token_hash, row.sent_at, row.expires_at = hash_of(token), now, now + life
    row.sendings += 1
    row.save()
    return token
