"""The real worker takes the jobs that the requests defer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.db import connections
from procrastinate.contrib.django import app

from tests.kernel.smtp_peer import Postbox, smtp_server
from twin.kernel import jobs
from twin.kernel.delivery import DELIVER, QUEUE, send_mail
from twin.kernel.models import Dispatch
from twin.kernel.sending import attempt

NOON = 1_800_000_000  # a whole minute, in seconds since 1970


def attempt_and_hang_up(dispatch_id: int) -> None:
    """The worker's threads end with the test, and their connections must not outlive them."""
    attempt(dispatch_id)
    connections.close_all()


async def work() -> None:
    """One worker, until there is nothing to do."""
    ours = app.connector.get_worker_connector()  # type: ignore[attr-defined]  # Django's connector has it
    with app.replace_connector(ours) as worker:
        async with worker.open_async():
            await worker.run_worker_async(queues=[QUEUE], wait=False, install_signal_handlers=False)


def test_the_name_that_is_deferred_is_a_job_there_is() -> None:
    assert DELIVER in app.tasks


@pytest.mark.parametrize(("job", "seconds"), [(jobs.resume_waiting_messages, 30), (jobs.forget_old_messages, 3600)])
def test_the_schedule_looks_after_what_was_left(job: object, seconds: int) -> None:
    (runs,) = [each.croniter for each in app.periodic_registry.periodic_tasks.values() if each.task == job]
    runs.set_current(NOON, force=True)
    first = runs.get_next(float)
    assert runs.get_next(float) - first == seconds


@pytest.mark.database
def test_what_a_request_queued_arrives_urgent_things_first(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(jobs, "attempt", attempt_and_hang_up)
    postbox = Postbox()
    with smtp_server(postbox) as port:
        settings.SMTP_URL = f"smtp://127.0.0.1:{port}/?from=twin@example.com"
        for purpose in ("notice", "email_code", "recovery"):
            send_mail(to="ann@example.org", subject=purpose, text="Words", purpose=purpose)
        asyncio.run(work())
    assert [mail["Subject"] for mail in postbox.mails] == ["email_code", "recovery", "notice"]
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"sent"}
