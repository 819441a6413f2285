"""The log of the embedded database holds no value that a statement carried, and stays small."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psycopg
import pytest

from twin.engine.postmaster import turn_log
from twin.engine.testing import ThrowawayServer

CANARY = "ann.acre@example.com"


def test_neither_failing_nor_slow_statements_leave_values_in_the_log(database_server: ThrowawayServer) -> None:
    with psycopg.connect(**database_server.roles.owner, autocommit=True) as owner:
        owner.execute("CREATE TABLE people (email text PRIMARY KEY, age integer CHECK (age > 0))")
        try:
            owner.execute("INSERT INTO people VALUES (%s, 1)", [CANARY])
            with psycopg.ClientCursor(owner) as cursor:
                for age in (1, 0):
                    with contextlib.suppress(psycopg.IntegrityError):
                        cursor.execute("INSERT INTO people VALUES (%s, %s)", [CANARY, age])
                cursor.execute("SELECT pg_sleep(0.3), %s", [CANARY])
        finally:
            owner.execute("DROP TABLE people")
    log = (database_server.server.places.known_cluster() / "postgresql.log").read_text()
    assert 'violates unique constraint "people_pkey"' in log
    assert CANARY not in log
    assert "STATEMENT" not in log


def test_a_log_that_grew_is_put_aside_under_who_writes_it(tmp_path: Path) -> None:
    log = tmp_path / "postgresql.log"
    with log.open("ab", buffering=0) as writer:
        for words in (b"first", b"second"):
            writer.write(words * 10)
            turn_log(log, largest=20)
            assert log.read_bytes() == b""
        writer.write(b"third")
        turn_log(log, largest=20)
    assert log.read_bytes() == b"third"
    assert (tmp_path / "postgresql.log.1").read_bytes() == b"second" * 10


@pytest.mark.parametrize("missing", [True, False])
def test_a_log_that_cannot_be_put_aside_ends_nothing(tmp_path: Path, missing: bool) -> None:
    log = tmp_path / "postgresql.log"
    (tmp_path / "postgresql.log.1").mkdir()
    if not missing:
        log.write_bytes(b"x" * 30)
    turn_log(log, largest=20)
    assert log.exists() is not missing
    assert missing or log.read_bytes() == b""
