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
from twin.metering.queries.late import SeenUntil
from twin.metering.types import CommitPlace, Cutoff

_CLOSED: Final = """
    select id, buyer_id, month, starts_at, ends_at, cutoff from billing_statement
    where seller_id = %(seller)s and buyer_id = any(%(buyers)s) and state = 'closed'
      and starts_at < %(end)s and ends_at > %(start)s
    order by buyer_id, starts_at
"""
# Late lines of later statements tell of a month what came up to the newest of them; of a month without any only
# what came behind that one is left to look for. A change of zone may shift a month by a day, hence its neighbours.
_UNSEEN: Final = """
    with newest as materialized (
        select distinct on (buyer_id) buyer_id, cutoff from billing_statement
        where seller_id = %(seller)s and state = 'closed' order by buyer_id, starts_at desc
    )
    select s.buyer_id, greatest(s.starts_at, %(start)s), least(s.ends_at, %(end)s), s.month, s.cutoff, newest.cutoff,
        exists (
            select 1 from billing_statement later join billing_line l on l.statement_id = later.id
            where later.seller_id = s.seller_id and later.buyer_id = s.buyer_id and later.state = 'closed'
              and later.starts_at > s.starts_at and l.kind = 'late'
              and l.month between s.month - interval '1 month' and s.month + interval '1 month'
        )
    from billing_statement s join newest using (buyer_id)
    where s.seller_id = %(seller)s and s.state = 'closed' and s.starts_at < %(end)s and s.ends_at > %(start)s
      and s.starts_at < s.ends_at
    order by s.buyer_id, s.starts_at
"""


@dataclass(frozen=True, slots=True)
class ClosedSpan:
    """A closed statement of one buyer; what has a larger number in the commit order came after it."""

    statement_id: int
    buyer_id: int
    month: date
    period: Period
    cutoff: tuple[int, ...]

    def came_after(self, place: CommitPlace) -> bool:
        """Whether the event was not there yet when the statement was closed."""
        return place.batch > self.cutoff[place.shard]

    def changed_after(self, place: CommitPlace) -> bool:
        """Whether its charge was corrected after the statement was closed."""
        return any(batch > self.cutoff[shard] for shard, batch in place.corrected)


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


@scoped
def unseen_spans(scope: Scope, period: Period, *, now_at: Cutoff) -> list[list[SeenUntil]]:
    """Which parts of the period closed statements of the asker hold, and up to where they, or later ones, have seen it.

    Only those behind which something was committed up to `now_at`, in groups to be asked about together. Of a month
    about which later statements say nothing the newest one has seen all there was.
    """
    asked: dict[str, Any] = {"seller": scope.organisation_id, "start": period.start, "end": period.end}
    with connection.cursor() as cursor:
        cursor.execute(_UNSEEN, asked)
        rows = cursor.fetchall()
    groups: dict[date | None, list[SeenUntil]] = {}
    for buyer, start, end, month, own, newest, has_late in rows:
        cutoff = tuple(own if has_late else newest)
        if any(last > seen for last, seen in zip(now_at, cutoff, strict=True)):
            groups.setdefault(month if has_late else None, []).append(SeenUntil(buyer, Period(start, end), cutoff))
    return list(groups.values())
