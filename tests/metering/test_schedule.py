"""What the schedule of metering promises: totals are folded and late prices arrive within the minute."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db import connections
from procrastinate.contrib.django import app

from tests.metering.test_taking import cells, event, take
from tests.world import World
from twin.kernel import clock
from twin.metering import actions, jobs, queries
from twin.metering.actions import folding

NOON = 1_800_000_000  # a whole minute, in seconds since 1970
METERS = ("sms.sent", "sms.delivered", "email.sent")


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


@pytest.mark.database
def test_a_fold_step_holds_few_cells_and_goes_on_to_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_CELLS_A_STEP", 3)
    for number in range(4):
        take(
            world, *(event(world.acme.id, f"{number}-{hour}", time=f"2026-03-01T{hour:02}:00:00Z") for hour in range(5))
        )
    before = cells(world, "rhea")

    assert actions.fold([world.rhea.id]) == 4
    assert cells(world, "rhea") == before
    assert queries.find_differences().differences == []


@pytest.mark.database
def test_few_late_events_wait_in_one_row_until_nothing_comes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_WORTH_FOLDING", 3)
    monkeypatch.setattr(folding, "_WORTH_A_BOOK", 2)
    recent, late = "2026-03-01T12:00:00Z", "2026-03-01T03:00:00Z"
    for number in range(3):
        take(world, event(world.acme.id, f"a{number}", time=recent), event(world.birch.id, f"b{number}", time=recent))
    take(world, event(world.acme.id, "late", time=late))
    before = cells(world, "rhea")

    assert actions.fold_what_is_worth_it() == 8
    assert (cells(world, "rhea"), queries.find_differences().differences) == (before, [])
    assert actions.fold_what_is_worth_it() == 0
    assert journal_rows() == {world.rhea.id: 1, world.twin.id: 1}

    later = clock.now() + timedelta(minutes=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert actions.fold_what_is_worth_it() == 2
    assert (cells(world, "rhea"), journal_rows()) == (before, {})
    assert queries.find_differences().differences == []


@pytest.mark.database
def test_a_book_is_written_anew_for_a_tenth_of_its_cells(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_WORTH_A_BOOK", 1)
    monkeypatch.setattr(folding, "_SHARE_OF_A_BOOK", 2)
    companies = (world.acme, world.birch)
    take(world, *(event(party.id, f"{meter}-{party.id}", meter=meter) for party in companies for meter in METERS))
    assert actions.fold() == 2

    for number in range(2):
        take(world, event(world.acme.id, f"few-{number}"))
    before = cells(world, "rhea")
    actions.fold_thriftily()
    assert journal_rows() == {world.rhea.id: 1, world.twin.id: 1}
    assert (cells(world, "rhea"), queries.find_differences().differences) == (before, [])

    take(world, *(event(party.id, f"more-{party.id}", meter=METERS[0]) for party in companies))
    before = cells(world, "rhea")
    actions.fold_thriftily()
    assert journal_rows() == {}
    assert (cells(world, "rhea"), queries.find_differences().differences) == (before, [])


@pytest.mark.database
def test_too_many_that_wait_are_worth_it_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_MOST_WAITING", 2)
    for hour in range(2):
        take(world, event(world.acme.id, f"{hour}", time=f"2026-03-01T0{hour}:00:00Z"))
    actions.fold_thriftily()
    assert journal_rows() == {world.rhea.id: 1, world.twin.id: 1}

    take(world, event(world.acme.id, "c", time="2026-03-01T02:00:00Z"))
    actions.fold_thriftily()
    assert journal_rows() == {}
    assert queries.find_differences().differences == []


def journal_rows() -> dict[int, int]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select seller_id, count(*) from metering_journal group by seller_id")
        return dict(cursor.fetchall())


def test_books_are_written_a_few_at_a_time_to_the_same_sums(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_CELLS_A_STEP", 1)
    for turn in ("first", "again"):
        take(world, *(event(world.acme.id, f"{turn}-{n}", time=f"2026-03-0{n + 1}T0{n}:30:00Z") for n in range(5)))
        actions.fold()

    assert queries.find_differences().differences == []
