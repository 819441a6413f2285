"""What happened to the record after its days were sealed is found, whoever did it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
import time_machine
from click.testing import CliRunner
from django.conf import settings
from django.db import DatabaseError, connections, transaction

from twin.cli.audit import audit
from twin.kernel import clock, security_log
from twin.kernel.audit_chain import check_seals, seal_days
from twin.kernel.jobs import seal_the_record

pytestmark = pytest.mark.database

# A day is sealed an hour after its end.
TODAY = (clock.now() - timedelta(hours=1)).date()


def at(days_ago: int, hour: int = 12) -> datetime:
    return datetime(TODAY.year, TODAY.month, TODAY.day, hour, tzinfo=UTC) - timedelta(days=days_ago)


def record(days_ago: int, **fields: Any) -> None:
    with time_machine.travel(at(days_ago), tick=False):
        security_log.record("signed_in", user_id=None, address="203.0.113.9", **fields)


@pytest.fixture
def sealed() -> None:
    """Three days, the middle one without events, and today, which goes on."""
    for days_ago in (3, 3, 1, 0):
        record(days_ago, name="ann")
    assert [seal.events for seal in seal_days()] == [2, 0, 1]


def by_the_owner(statement: str, *values: object) -> None:
    """As somebody who owns the database and wants to hide something."""
    with psycopg.connect(**settings.ROLES.owner, autocommit=True) as connection:
        connection.execute("alter table kernel_securityevent disable trigger user")
        connection.execute("alter table kernel_auditseal disable trigger user")
        connection.execute(statement, values)
        connection.execute("alter table kernel_securityevent enable trigger user")
        connection.execute("alter table kernel_auditseal enable trigger user")


def differing() -> list[date]:
    return [difference.day for difference in check_seals().differences]


def day(days_ago: int) -> date:
    return TODAY - timedelta(days=days_ago)


@pytest.mark.usefixtures("sealed")
def test_untouched_days_fit_and_today_may_grow() -> None:
    record(0)
    report = check_seals()
    assert (report.days, report.events, report.differences) == (3, 3, ())
    assert report.last is not None
    assert report.last.day == day(1)


@pytest.mark.usefixtures("sealed")
def test_sealing_again_seals_nothing() -> None:
    assert seal_days() == []


def test_an_empty_record_has_no_seals() -> None:
    assert seal_days() == []
    assert check_seals().days == 0


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize(
    "statement",
    [
        "update kernel_securityevent set fields = '{}' where at < now() - interval '2 days'",
        "update kernel_securityevent set user_id = 1 where at < now() - interval '2 days'",
        "update kernel_securityevent set at = at + interval '1 microsecond' where at < now() - interval '2 days'",
        "update kernel_securityevent set address = null where at < now() - interval '2 days'",
        "delete from kernel_securityevent where id = (select min(id) from kernel_securityevent)",
    ],
)
def test_a_changed_or_removed_row_names_its_day(statement: str) -> None:
    by_the_owner(statement)
    assert differing() == [day(3)]


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("days_ago", [1, 2, 3])
def test_a_row_added_late_names_its_day(days_ago: int) -> None:
    record(days_ago)
    assert differing() == [day(days_ago)]


@pytest.mark.usefixtures("sealed")
def test_a_row_added_before_the_first_day_is_found() -> None:
    record(40)
    assert differing() == [day(3)]


@pytest.mark.usefixtures("sealed")
def test_two_rows_that_change_places_are_found() -> None:
    by_the_owner("update kernel_securityevent set id = 1000000 - id where at < now() - interval '2 days'")
    assert differing() == [day(3)]


@pytest.mark.usefixtures("sealed")
def test_a_seal_made_to_fit_breaks_the_day_after() -> None:
    record(3)
    by_the_owner(
        "update kernel_auditseal s set events = d.events, digest = d.digest from kernel_day_digest(%s, '') d"
        " where s.day = %s",
        day(3),
        day(3),
    )
    assert differing() == [day(2)]


@pytest.mark.usefixtures("sealed")
def test_a_removed_seal_is_missed() -> None:
    by_the_owner("delete from kernel_auditseal where day = %s", day(2))
    assert differing()[0] == day(2)


@pytest.mark.usefixtures("sealed")
def test_whoever_seals_everything_anew_is_found_by_a_digest_kept_elsewhere() -> None:
    kept = check_seals().last
    assert kept is not None
    record(3)
    by_the_owner("truncate kernel_auditseal")
    seal_days()
    assert differing() == []
    assert [one.day for one in check_seals({kept.day: kept.digest}).differences] == [kept.day]
    assert [one.day for one in check_seals({TODAY: kept.digest}).differences] == [TODAY]


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("role", ["default", "writer"])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into kernel_auditseal values ('2020-01-01', 0, '', now())",
        "update kernel_auditseal set events = 9",
        "delete from kernel_auditseal",
        "truncate kernel_auditseal",
    ],
)
def test_the_application_makes_seals_by_sealing_only(role: str, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(using=role), connections[role].cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("table", ["kernel_auditseal", "kernel_securityevent"])
def test_even_the_owner_is_stopped_once(table: str) -> None:
    with pytest.raises(DatabaseError, match="only grows"), connections["owner"].cursor() as cursor:
        cursor.execute(f"delete from {table}")


@pytest.mark.usefixtures("sealed")
def test_the_command_names_the_first_day_and_fails() -> None:
    well = CliRunner().invoke(audit, ["verify"])
    assert well.exit_code == 0
    assert "3 days, 3 events: all as they were sealed." in well.output
    kept = well.output.strip().splitlines()[-1]
    assert CliRunner().invoke(audit, ["verify", "--expect", kept]).exit_code == 0
    assert CliRunner().invoke(audit, ["verify", "--expect", "yesterday"]).exit_code == 2
    record(3)
    record(1)
    ill = CliRunner().invoke(audit, ["verify"])
    assert ill.exit_code == 1
    assert f"first on {day(3)}" in ill.output
    assert f"{day(1)} had 1 events when it was sealed and has 2" in ill.output


def test_the_job_of_the_night_seals_and_complains(caplog: pytest.LogCaptureFixture) -> None:
    record(2)
    seal_the_record(0)
    assert check_seals().days == 2
    record(2)
    caplog.clear()
    seal_the_record(0)
    assert [entry.levelname for entry in caplog.records] == ["ERROR"]
