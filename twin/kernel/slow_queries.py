"""Statements that take long, in our own log: their text without a single value.

PostgreSQL's log would hold values: Django writes them into each statement before it sends it. Here a statement is
seen before that, with placeholders, and its line carries the id of the request that asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql import base
from psycopg import ClientCursor, Connection, Copy, Cursor

from twin.kernel.budget import Budget

# A line each; beyond that a minute of a busy process says nothing new.
LINES_A_MINUTE = 60
_LONGEST = 2_000
_MANY = re.compile(r"(%s, ){3,}%s")

_log = structlog.stdlib.get_logger("twin.slow_queries")
_budget = Budget(LINES_A_MINUTE)


class TimedCursor(base.CursorMixin, ClientCursor[Any]):
    """Django's cursor, noting what takes `TWIN_SLOW_QUERY_MS` or longer, also when it fails.

    The time is that of the process that waits: on its way, in locks and in the database. Cursors of the server,
    which give their rows piece by piece, are not timed.
    """

    def execute(self, query: Any, *args: Any, **options: Any) -> Any:
        with _timed(self.connection, query):
            return super().execute(query, *args, **options)

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        with _timed(self.connection, query):
            super().executemany(query, params_seq, **options)

    @contextmanager
    def copy(self, statement: Any, *args: Any, **options: Any) -> Iterator[Copy]:
        with _timed(self.connection, statement), super().copy(statement, *args, **options) as copy:
            yield copy


class BinaryCursor(Cursor[Any]):
    """Sent bytes where Django's own cursors are sent text, and timed like them; bound in the server."""

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = False, binary: bool | None = True
    ) -> Any:
        with _timed(self.connection, query):
            return super().execute(query, params, prepare=prepare, binary=binary)


def binary_rows(
    connection: BaseDatabaseWrapper, query: str, params: Sequence[Any]
) -> Generator[tuple[Any, ...], None, None]:
    """The rows of a question as bytes, each as the server sends it: of large ones the next comes while one is read.

    Nothing else may be asked of the connection until they end; who leaves some unread has ended the transaction.
    Counted and timed like other questions: the time is what was waited for rows, not what was done with them.
    """
    connection.ensure_connection()
    took = 0.0
    try:
        with BinaryCursor(connection.connection) as cursor:
            rows = cursor.stream(query, params, binary=True)
            while True:
                begun = time.perf_counter()
                try:
                    with connection.wrap_database_errors:
                        row = next(rows, None)
                finally:
                    took += time.perf_counter() - begun
                if row is None:
                    return
                yield row
    finally:
        if connection.queries_logged:
            connection.queries_log.append({"sql": query, "time": f"{took:.3f}"})
        _say_when_slow(connection.connection, query, took)


@contextmanager
def _timed(connection: Connection[Any], query: Any) -> Iterator[None]:
    begun = time.perf_counter()
    try:
        yield
    finally:
        _say_when_slow(connection, query, time.perf_counter() - begun)


def _say_when_slow(connection: Connection[Any], query: Any, seconds: float) -> None:
    took = seconds * 1000
    if settings.SLOW_QUERY_MS and took >= settings.SLOW_QUERY_MS and _budget.spend():
        _log.warning("slow_query", ms=round(took), role=connection.info.user, statement=_readable(query))


def _readable(query: Any) -> str:
    # Composed statements may carry values as literals.
    if not isinstance(query, str):
        return type(query).__name__
    return _MANY.sub("%s, …", " ".join(query.split()))[:_LONGEST]
