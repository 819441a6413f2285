"""How far metering has come, for whoever runs the installation: numbers of all tenants together, never of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from twin.metering.store import SHARDS

# Beyond it the exact number tells nobody anything and costs seconds.
MOST_COUNTED = 100_000

_STATE = f"""
    select (select count(*) from metering_journal),
           (select min(received_at) from metering_batch where (shard, batch) in
                (select shard, min(batch) from metering_journal group by shard)),
           (select coalesce(sum((last - counted_from) / {SHARDS}), 0) from metering_shard),
           (select count(*) from (select 1 from metering_unrated limit %(most)s) found),
           (select count(*) from (select 1 from metering_conflict limit %(most)s) found)
"""  # noqa: S608 - a number of our own


@dataclass(frozen=True)
class MeteringState:
    """Journal rows not yet in the books and since when, batches taken in all, what people have to look at."""

    unfolded: int
    unfolded_since: datetime | None
    batches: int
    unrated: int
    conflicts: int


def metering_state() -> MeteringState:
    """`unrated` and `conflicts` are counted up to MOST_COUNTED."""
    with connections["writer"].cursor() as cursor:
        cursor.execute(_STATE, {"most": MOST_COUNTED})
        unfolded, since, batches, unrated, conflicts = cursor.fetchone()
    return MeteringState(unfolded, since, int(batches), unrated, conflicts)
