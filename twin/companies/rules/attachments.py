"""What becomes of an invitation to put a company under a reseller, as pure functions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from twin.companies.types import AttachmentState, CompanyKind

ATTACHMENT_LIFE: Final = timedelta(days=7)
# Mail to strangers is what an open form is abused for: fewer a day than invitations of one's own people.
ATTACHMENTS_A_DAY: Final = 50
# Whoever declined is left alone for a while.
DECLINE_PAUSE: Final = timedelta(days=30)


def attachment_state(
    *,
    now: datetime,
    expires_at: datetime,
    accepted_at: datetime | None,
    declined_at: datetime | None,
    withdrawn_at: datetime | None,
    is_standing: bool = True,
) -> AttachmentState:
    """What became of it; `is_standing` says that the reseller and its inviter may still invite."""
    if accepted_at is not None:
        return "accepted"
    if withdrawn_at is not None:
        return "withdrawn"
    if declined_at is not None:
        return "declined"
    if not is_standing:
        return "suspended"
    return "open" if now < expires_at else "expired"


def obstacle_of(*, kind: CompanyKind, parent_id: int | None, platform_id: int, seller_id: int) -> str:
    """Why a company cannot be put under the reseller; empty when nothing stands in the way."""
    if kind != "company":
        return "reseller"
    if parent_id == seller_id:
        return "here"
    return "" if parent_id == platform_id else "elsewhere"
