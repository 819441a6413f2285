"""What a person agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from twin.accounts.models import Consent


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """One version of one text, `terms` or `personal_data`."""

    kind: str
    version: str
    given_at: datetime
    address: str | None


def consents_of(user_id: int) -> list[GivenConsent]:
    """All of them, the latest first."""
    rows = Consent.objects.filter(user_id=user_id).order_by("-given_at", "kind")
    return [GivenConsent(row.kind, row.version, row.given_at, row.address) for row in rows]
