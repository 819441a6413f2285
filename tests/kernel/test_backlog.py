"""What waits is counted, and what nobody works on any more holds nothing up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections

from twin.kernel import clock
from twin.kernel.backlog import forget_dead_jobs, jobs_state, messages_state
from twin.kernel.delivery import send_mail
from twin.kernel.models import Dispatch

pytestmark = pytest.mark.database


def a_job(status: str, *, queueing_lock: str | None = None, seen_ago: int | None = None) -> None:
    """A job, and unless nobody has it a worker last heard of so many seconds ago."""
    with connections["owner"].cursor() as cursor:
        worker = None
        if seen_ago is not None:
            cursor.execute(
                "insert into procrastinate_workers (last_heartbeat) values (%s) returning id",
                [clock.now() - timedelta(seconds=seen_ago)],
            )
            worker = cursor.fetchone()[0]
        cursor.execute(
            "insert into procrastinate_jobs (queue_name, task_name, status, lock, queueing_lock, worker_id)"
            " values ('default', 'fold', %s::text::procrastinate_job_status, null, %s, %s)",
            [status, queueing_lock, worker],
        )


def locks_left() -> list[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select queueing_lock from procrastinate_jobs order by id")
        return [row[0] for row in cursor.fetchall()]


def test_a_scheduled_job_of_a_killed_worker_is_taken_away() -> None:
    a_job("doing", queueing_lock="orphan")
    a_job("doing", queueing_lock="silent", seen_ago=3600)
    a_job("doing", queueing_lock="alive", seen_ago=5)
    a_job("todo", queueing_lock="next")
    a_job("doing", queueing_lock=None)
    assert forget_dead_jobs() == 2
    assert locks_left() == ["alive", "next", None]


def test_waiting_jobs_and_their_worker_are_seen() -> None:
    assert jobs_state().waiting == 0
    assert jobs_state().worker_seen_at is None
    a_job("todo")
    a_job("doing", seen_ago=5)
    state = jobs_state()
    assert (state.waiting, state.failed_lately) == (1, 0)
    assert state.oldest_since is not None
    assert state.worker_seen_at is not None


def test_waiting_and_failed_messages_are_counted_by_channel() -> None:
    for _ in range(3):
        send_mail(to="ann@example.org", subject="Words", text="Words", purpose="notice")
    row = Dispatch.objects.order_by("pk")[0]
    row.state, row.settled_at = Dispatch.FAILED, clock.now()
    row.save()
    mails, texts = messages_state("mail"), messages_state("sms")
    assert (mails.waiting, mails.failed_lately) == (2, 1)
    assert mails.oldest_since is not None
    assert (texts.waiting, texts.oldest_since, texts.failed_lately) == (0, None, 0)
