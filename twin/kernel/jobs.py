"""What the kernel does in the background; each may run twice or be killed without harm."""

from __future__ import annotations

import structlog
from procrastinate.contrib.django import app

from twin.kernel.audit_chain import check_seals, seal_days
from twin.kernel.backlog import forget_dead_jobs
from twin.kernel.delivery import DELIVER, QUEUE
from twin.kernel.sending import attempt, forget_old, resume_waiting

log = structlog.stdlib.get_logger("twin.security")


@app.task(name=DELIVER, queue=QUEUE, pass_context=False)
def deliver(dispatch_id: int) -> None:
    """Hand one mail or SMS over."""
    attempt(dispatch_id)


@app.periodic(cron="* * * * * */30")
@app.task(queueing_lock="kernel-waiting", lock="kernel-waiting", pass_context=False)
def resume_waiting_messages(timestamp: int) -> None:
    """Nothing stays behind because a process died or a gateway was missing."""
    resume_waiting()


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="kernel-old", lock="kernel-old", pass_context=False)
def forget_old_messages(timestamp: int) -> None:
    """Texts and addresses of people are not kept longer than they are of use."""
    forget_old()


@app.periodic(cron="17 2 * * *")
@app.task(queueing_lock="kernel-seals", lock="kernel-seals", pass_context=False)
def seal_the_record(timestamp: int) -> None:
    """Every night: seal the day that ended, and say so where any sealed day is not what it was."""
    seal_days()
    for difference in check_seals().differences:
        log.error("audit_differs", day=difference.day.isoformat(), how=difference.text)


# Without a lock of its own: a killed run of it must not stand in its own way.
@app.periodic(cron="* * * * * */30")
@app.task(pass_context=False)
def free_the_schedule(timestamp: int) -> None:
    """A scheduled job whose worker was killed holds up no later one."""
    forget_dead_jobs()
