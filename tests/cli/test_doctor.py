"""The doctor says in plain words what is wrong, and its exit code says whether anything is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from tests.world import build_world
from twin.__main__ import main
from twin.cli import health
from twin.cli.health import BAD, GOOD, POOR, Finding
from twin.kernel import clock

pytestmark = pytest.mark.database


def said(check: health.Check) -> list[Finding]:
    health.database_answers()
    return list(check())


def _with_connections(check: health.Check) -> list[Finding]:
    for alias in ("owner", "default"):
        connections[alias].ensure_connection()
    return list(check())


def states(check: health.Check) -> list[health.State]:
    return [finding.state for finding in said(check)]


def a_worker(seen_ago: int) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into procrastinate_workers (last_heartbeat) values (%s)",
            [clock.now() - timedelta(seconds=seen_ago)],
        )


def test_a_new_installation_that_is_not_served_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    heard = capsys.readouterr()
    assert "BAD   There is no platform company: run `twin init`" in heard.out
    assert "BAD   No process of jobs runs (none was seen)" in heard.out
    assert "ok    The schema is up to date." in heard.out
    assert "docs/operations.md says what to do" in heard.err


def test_a_worker_that_was_just_seen_is_well() -> None:
    a_worker(5)
    assert states(health.jobs) == [GOOD]


def test_a_worker_that_has_gone_is_bad() -> None:
    a_worker(3600)
    (finding,) = said(health.jobs)
    assert (finding.state, "last seen 1 hours ago" in finding.text) == (BAD, True)


def test_a_platform_is_an_inhabited_installation() -> None:
    build_world()
    assert states(health.inhabitants) == []


def test_roles_and_schema_and_clocks_are_well_in_the_tests() -> None:
    for check in (health.roles, health.schema, health.clocks, health.totals):
        assert states(check) == [GOOD], check.__doc__


def test_a_table_shut_to_the_writer_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    app = connections["default"].settings_dict["USER"]
    monkeypatch.setitem(connections["writer"].settings_dict, "USER", app)
    (finding,) = list(_with_connections(health.roles))
    assert (finding.state, "run `twin migrate`" in finding.text) == (BAD, True)


def test_a_data_directory_open_to_everybody_is_bad(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o755)
    assert any("Everybody on this machine may read" in finding.text for finding in health.disk())
    tmp_path.chmod(0o750)
    assert all(finding.state is not BAD for finding in health.disk())


def test_an_unknown_and_an_old_backup_are_to_be_looked_at(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert states(health.backups) == [POOR]
    for age, state in ((timedelta(hours=3), GOOD), (timedelta(days=3), POOR)):
        made_at = (clock.now() - age).isoformat()
        (tmp_path / "last-backup.json").write_text(f'{{"made_at": "{made_at}"}}')
        assert states(health.backups) == [state]


def test_a_proxy_that_is_not_counted_is_to_be_looked_at(settings: Any) -> None:
    settings.URL, settings.SECURE, settings.HOST, settings.TRUSTED_PROXIES = "https://a.example", True, "127.0.0.1", 0
    assert states(health.address) == [POOR]
    settings.TRUSTED_PROXIES = 1
    assert states(health.address) == [GOOD]


def test_gateways_that_are_missing_or_unreadable_are_said(settings: Any) -> None:
    assert states(health.senders) == [POOR, POOR]
    settings.SMTP_URL = "nonsense"
    assert states(health.senders) == [BAD]


def test_a_database_that_lets_nobody_in_is_said_for_each_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for alias in ("owner", "default", "writer"):
        connections[alias].close()
        monkeypatch.setitem(connections[alias].settings_dict, "PASSWORD", "wrong")
    found = health.database_answers()
    assert [finding.state for finding in found] == [BAD, BAD, BAD]
    assert all("does not get into the database" in finding.text for finding in found)
