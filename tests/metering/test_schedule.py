"""What the schedule of metering promises: totals are folded and late prices arrive within the minute."""

from __future__ import annotations

import pytest
from procrastinate.contrib.django import app

from twin.metering import jobs

NOON = 1_800_000_000  # a whole minute, in seconds since 1970


@pytest.mark.parametrize(("job", "seconds"), [(jobs.fold_journals, 10), (jobs.price_pending_usage, 30)])
def test_a_job_runs_every_so_many_seconds_of_every_minute(job: object, seconds: int) -> None:
    (runs,) = [known.croniter for known in app.periodic_registry.periodic_tasks.values() if known.task == job]
    runs.set_current(NOON, force=True)

    assert [runs.get_next(float) - NOON for _ in range(9)] == [seconds * number for number in range(1, 10)]
