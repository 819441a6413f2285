"""Statements that take long, in our own log: their text without a single value.

PostgreSQL's log would hold values: Django writes them into each statement before it sends it. Here a statement is
seen before that, with placeholders, and its line carries the id of the request that asked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.conf import settings
from django.db.backends.postgresql import base
from psycopg import ClientCursor, Copy

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
        begun = time.perf_counter()
        try:
            return super().execute(query, *args, **options)
        finally:
            self._note(query, begun)

    def executemany(self, query: Any, params_seq: Iterable[Any], **options: Any) -> None:
        begun = time.perf_counter()
        try:
            super().executemany(query, params_seq, **options)
        finally:
            self._note(query, begun)

    @contextmanager
    def copy(self, statement: Any, *args: Any, **options: Any) -> Iterator[Copy]:
        begun = time.perf_counter()
        try:
            with super().copy(statement, *args, **options) as copy:
                yield copy
        finally:
            self._note(statement, begun)

    def _note(self, query: Any, begun: float) -> None:
        took = (time.perf_counter() - begun) * 1000
        if settings.SLOW_QUERY_MS and took >= settings.SLOW_QUERY_MS and _budget.spend():
            _log.warning("slow_query", ms=round(took), role=self.connection.info.user, statement=_readable(query))


def _readable(query: Any) -> str:
    # Composed statements may carry values as literals.
    if not isinstance(query, str):
        return type(query).__name__
    return _MANY.sub("%s, …", " ".join(query.split()))[:_LONGEST]
