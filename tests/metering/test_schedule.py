"""What the schedule of metering promises: totals are folded and late prices arrive within the minute."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connections
from procrastinate.contrib.django import app

from tests.metering.test_taking import event, take
from tests.world import World
from twin.kernel import clock
from twin.metering import actions, jobs

NOON = 1_800_000_000  # a whole minute, in seconds since 1970


@pytest.mark.parametrize(
    ("job", "seconds"), [(jobs.fold_journals, 10), (jobs.price_pending_usage, 30), (jobs.correct_charges, 10)]
)
def test_a_job_runs_every_so_many_seconds_of_every_minute(job: object, seconds: int) -> None:
    (runs,) = [known.croniter for known in app.periodic_registry.periodic_tasks.values() if known.task == job]
    runs.set_current(NOON, force=True)

    assert [runs.get_next(float) - NOON for _ in range(9)] == [seconds * number for number in range(1, 10)]


@pytest.mark.database
def test_every_night_a_difference_between_rows_and_totals_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (runs,) = [
        each.croniter for each in app.periodic_registry.periodic_tasks.values() if each.task == jobs.verify_totals
    ]
    runs.set_current(NOON, force=True)
    assert runs.get_next(float) - runs.get_prev(float) == 24 * 3600
    take(world, event(world.acme.id, "a"))
    caplog.set_level(logging.INFO, logger="twin.metering.jobs")

    jobs.verify_totals(timestamp=0)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "metering.verify events=1 cells=2 differences=0")
    ]

    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from metering_journal where seller_id = %s", [world.rhea.id])
    caplog.clear()
    jobs.verify_totals(timestamp=0)
    # The cell and what Acme owes.
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR", "INFO"]
    assert f"seller {world.rhea.id}" in caplog.text


@pytest.mark.database
def test_the_schedule_folds_what_is_many_or_has_waited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    take(world, event(world.acme.id, "a"))

    assert actions.fold_what_is_worth_it() == 0
    later = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert actions.fold_what_is_worth_it() == 2
