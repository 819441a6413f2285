"""The companies a reseller has invited and that have not come."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connections

from twin.companies.errors import AttachmentNotFound
from twin.companies.queries.tree import MAX_ID
from twin.companies.rules.attachments import DECLINE_PAUSE, attachment_state
from twin.companies.types import COMPANIES_WRITE, Attachment, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped

_MOST: Final = 200
_SELECT: Final = """
    select v.id, v.email, coalesce(u.name, ''), v.sent_at, v.expires_at, v.declined_at
    from companies_attachment v join accounts_user u on u.id = v.invited_by_id
    where v.seller_id = %(seller)s and v.accepted_at is null and v.withdrawn_at is null
        and (v.declined_at is null or v.declined_at > %(lately)s)
"""


@scoped
def waiting_attachments(scope: Scope) -> list[Attachment]:
    """Invitations that wait, have expired waiting, or were declined lately, newest first; at most 200."""
    return _found(scope, " order by v.sent_at desc, v.id desc limit %(most)s", most=_MOST)


@scoped
def get_attachment(scope: Scope, attachment_id: int) -> Attachment:
    """One of them; raises `AttachmentNotFound`."""
    if 0 < attachment_id <= MAX_ID:
        for found in _found(scope, " and v.id = %(id)s", id=attachment_id):
            return found
    raise AttachmentNotFound(f"You have no invitation {attachment_id} that waits.")


def _found(scope: Scope, condition: str, **parameters: Any) -> list[Attachment]:
    scope.require(COMPANIES_WRITE)
    now = clock.now()
    asked = {"seller": scope.organisation_id, "lately": now - DECLINE_PAUSE, **parameters}
    with connections["default"].cursor() as cursor:
        cursor.execute(_SELECT + condition, asked)
        return [_attachment(row, now) for row in cursor.fetchall()]


def _attachment(row: tuple[Any, ...], now: datetime) -> Attachment:
    attachment_id, email, invited_by, sent_at, expires_at, declined_at = row
    state = attachment_state(
        now=now, expires_at=expires_at, accepted_at=None, declined_at=declined_at, withdrawn_at=None
    )
    return Attachment(attachment_id, email, invited_by, sent_at, expires_at, state)
