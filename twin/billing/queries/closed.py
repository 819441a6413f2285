"""Which closed statements have seen what: their spans of event time and their cutoffs in the commit order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped

_CLOSED: Final = """
    select id, buyer_id, month, starts_at, ends_at, cutoff from billing_statement
    where seller_id = %(seller)s and buyer_id = any(%(buyers)s) and state = 'closed'
      and starts_at < %(end)s and ends_at > %(start)s
    order by buyer_id, starts_at
"""


@dataclass(frozen=True, slots=True)
class ClosedSpan:
    """A closed statement of one buyer; what has a larger number in the commit order came after it."""

    statement_id: int
    buyer_id: int
    month: date
    period: Period
    cutoff: tuple[int, ...]

    def is_after(self, shard: int, batch: int) -> bool:
        """Whether that place of the commit order lies behind the cutoff."""
        return batch > self.cutoff[shard]


@scoped
def closed_spans(scope: Scope, buyer_ids: Collection[int], period: Period) -> list[ClosedSpan]:
    """The asker's closed statements for these buyers that overlap the period, by buyer and time."""
    asked: dict[str, Any] = {
        "seller": scope.organisation_id,
        "buyers": sorted(buyer_ids),
        "start": period.start,
        "end": period.end,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED, asked)
        return [ClosedSpan(row[0], row[1], row[2], Period(row[3], row[4]), tuple(row[5])) for row in cursor.fetchall()]
