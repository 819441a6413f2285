"""What waits to be done here, for whoever runs the installation: numbers, never of whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections
from django.db.models import Count, Min, Q

from twin.kernel import clock
from twin.kernel.models import Dispatch

LATELY = timedelta(days=1)
# A living worker is heard of every ten seconds.
_DEAD = timedelta(minutes=1)

_JOBS = """
    select count(*), min(coalesce(scheduled_at, (
        select max(at) from procrastinate_events e
         where e.job_id = j.id and e.type in ('deferred', 'deferred_for_retry'))))
      from procrastinate_jobs j
     where status = 'todo' and (scheduled_at is null or scheduled_at <= %s)
"""

_FORGET_DEAD = """
    delete from procrastinate_jobs j
     where status = 'doing' and queueing_lock is not null and (worker_id is null or exists
           (select from procrastinate_workers w where w.id = j.worker_id and last_heartbeat < %s))
"""


@dataclass(frozen=True)
class JobsState:
    """Jobs that could be done now, since when the oldest waits, how many failed lately, when a worker was last seen."""

    waiting: int
    oldest_since: datetime | None
    failed_lately: int
    worker_seen_at: datetime | None


@dataclass(frozen=True)
class MessagesState:
    """Mails or SMS on their way out."""

    waiting: int
    oldest_since: datetime | None
    failed_lately: int


def jobs_state() -> JobsState:
    now = clock.now()
    with connections["default"].cursor() as cursor:
        cursor.execute(_JOBS, [now])
        waiting, oldest = cursor.fetchone()
        cursor.execute(
            "select count(*) from procrastinate_events where type = 'failed' and at > %s",
            [now - LATELY],
        )
        failed = cursor.fetchone()[0]
        cursor.execute("select max(last_heartbeat) from procrastinate_workers")
        return JobsState(waiting, oldest, failed, cursor.fetchone()[0])


def messages_state(channel: str) -> MessagesState:
    """Of `mail` or `sms`."""
    waiting = Q(state__in=[Dispatch.QUEUED, Dispatch.SENDING])
    failed = Q(state=Dispatch.FAILED, settled_at__gt=clock.now() - LATELY)
    found = Dispatch.objects.filter(channel=channel).aggregate(
        waiting=Count("pk", filter=waiting), oldest=Min("created_at", filter=waiting), failed=Count("pk", filter=failed)
    )
    return MessagesState(found["waiting"], found["oldest"], found["failed"])


def forget_dead_jobs() -> int:
    """Take scheduled jobs away that nobody works on any more, and with them their locks; the schedule brings the next.

    Those are the ones with a queueing lock. Other jobs are looked after by whoever deferred them.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_FORGET_DEAD, [clock.now() - _DEAD])
        return int(cursor.rowcount)
