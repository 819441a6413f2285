"""What takes long in the database is in the log: its text, never a value."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from tests.logbook import events, log_lines
from twin.accounts.models import User
from twin.kernel import slow_queries
from twin.kernel.budget import Budget

pytestmark = pytest.mark.database
CANARY = "Ann.Acre-harbour-918273"


@pytest.fixture(autouse=True)
def _as_in_a_server() -> None:
    """A command that was tried in this process before keeps such lines from the terminal."""
    logging.getLogger("twin.slow_queries").setLevel(logging.NOTSET)


@pytest.fixture
def everything_is_slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A threshold that each statement reaches, and a minute of its own."""
    monkeypatch.setattr(slow_queries, "_budget", Budget(slow_queries.LINES_A_MINUTE))
    with override_settings(SLOW_QUERY_MS=0.000001):
        yield


def noted(run: Any) -> list[dict[str, Any]]:
    with log_lines() as lines:
        run()
    assert CANARY not in lines.getvalue()
    return [event for event in events(lines) if event["event"] == "slow_query"]


@pytest.mark.usefixtures("everything_is_slow")
def test_the_text_of_a_statement_is_noted_without_its_values() -> None:
    def run() -> None:
        list(User.objects.filter(email__in=[f"{CANARY}{number}" for number in range(50)]))

    (line,) = noted(run)
    assert '"accounts_user"."email" IN (%s, …)' in line["statement"]
    assert line["role"] == connection.settings_dict["USER"]
    assert line["level"] == "warning"
    assert line["ms"] >= 0


@pytest.mark.usefixtures("everything_is_slow")
def test_what_is_copied_done_in_many_or_fails_is_noted_too() -> None:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.executemany("select %s", [[CANARY], ["b"]])
            with cursor.copy("copy (select %s::text) to stdout", [CANARY]) as copy:
                assert CANARY.encode() in b"".join(bytes(part) for part in copy)
            with pytest.raises(DataError):
                cursor.execute("select %s::int", [CANARY])

    found = [line["statement"] for line in noted(run)]
    assert found == ["select %s", "copy (select %s::text) to stdout", "select %s::int"]


@pytest.mark.usefixtures("everything_is_slow")
def test_what_is_sent_as_bytes_is_noted_and_counted_like_the_rest() -> None:
    found: list[Any] = []

    def run() -> None:
        with transaction.atomic(), CaptureQueriesContext(connection) as asked:
            statement = "select %s::bytea union all select '\\x02'"
            found.extend(slow_queries.binary_rows(connection, statement, [CANARY.encode()]))
        assert len(asked) == 1

    lines = [line["statement"] for line in noted(run)]
    assert found == [(CANARY.encode(),), (b"\x02",)]
    assert "select %s::bytea union all select '\\x02'" in lines


@pytest.mark.usefixtures("everything_is_slow")
def test_what_fails_is_noted_and_is_an_error_of_django_there_too() -> None:
    def run() -> None:
        with pytest.raises(DataError):
            list(slow_queries.binary_rows(connection, "select %s::text::int", [CANARY]))

    assert "select %s::text::int" in [line["statement"] for line in noted(run)]


def test_whoever_leaves_rows_unread_ends_the_transaction_and_nothing_else() -> None:
    class ReadEnough(Exception):
        pass

    statement = "select repeat('x', 100000)::bytea from generate_series(1, %s)"

    def read_one() -> None:
        with transaction.atomic():
            for (data,) in slow_queries.binary_rows(connection, statement, [200]):
                assert len(data) == 100_000
                raise ReadEnough

    with pytest.raises(ReadEnough):
        read_one()
    with transaction.atomic():
        assert len(list(slow_queries.binary_rows(connection, statement, [3]))) == 3


def test_only_what_takes_as_long_as_the_setting_says_is_noted() -> None:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute("select pg_sleep(%s)", [0.6])
            cursor.execute("select 1")

    with override_settings(SLOW_QUERY_MS=500):
        (line,) = noted(run)
    assert line["statement"] == "select pg_sleep(%s)"
    assert line["ms"] >= 600
    with override_settings(SLOW_QUERY_MS=0):
        assert noted(run) == []


@pytest.mark.usefixtures("everything_is_slow")
def test_a_flood_of_slow_statements_is_no_flood_of_lines() -> None:
    def run() -> None:
        with connection.cursor() as cursor:
            for _ in range(slow_queries.LINES_A_MINUTE + 20):
                cursor.execute("select 1")

    assert len(noted(run)) == slow_queries.LINES_A_MINUTE
