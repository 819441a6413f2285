"""The transaction that takes a batch: opened by one question to the database, through one connection per process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Cursor

from twin.companies.access import KEY_HOLDS
from twin.companies.catalogue import SHARE_CATALOGUE
from twin.companies.types import USAGE_WRITE, Scope
from twin.metering.errors import KeyOutdated
from twin.metering.store import taking_a_number, writer_connection

Row = tuple[Any, ...]


class WriterLost(Exception):
    """The connection was dead before anything was asked; a new one may do."""


@dataclass(frozen=True)
class Opened:
    """An open transaction: the version of tree and prices it holds, and its batch number, 0 without one."""

    cursor: Cursor[Row]
    version: int
    batch: int


class _Shared:
    connection: BaseDatabaseWrapper | None = None


@contextmanager
def one_writer() -> Iterator[None]:
    """Threads that write one after the other share a connection: fewer servers, each with its plans and caches warm.

    For whoever holds the gate. A thread that has a connection open already keeps to it.
    """
    own = connections["writer"]
    if own.connection is not None:
        yield
        return
    shared = _Shared.connection
    if shared is None:
        shared = _Shared.connection = connections.create_connection("writer")
        shared.inc_thread_sharing()
    connections["writer"] = shared
    try:
        yield
    finally:
        connections["writer"] = own


def close_writer() -> None:
    """End the shared connection, for whoever must be alone in the database; the next batch opens another."""
    if _Shared.connection is not None:
        _Shared.connection.close()
        _Shared.connection = None


@contextmanager
def batch_transaction(scope: Scope, now: datetime, events: int) -> Iterator[Opened]:
    """Open, under the shared lock on tree and prices, with the number of a batch that brings so many events.

    Without events it takes no number: whoever finds out only later how many there are takes one then. Commits at the
    end. Raises `KeyOutdated` when the key of the scope does not hold any more, `WriterLost` before anything was done.
    """
    connection = writer_connection()
    with connection.cursor() as cursor:
        try:
            cursor.execute(_opening(scope, now, events))
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if connection.closed or connection.broken:
                raise WriterLost from error
            _roll_back(connection)
            raise
        try:
            yield _opened(cursor, scope)
            connection.commit()
        except BaseException:
            _roll_back(connection)
            raise


def _opening(scope: Scope, now: datetime, events: int) -> str:
    """Several statements in one message: each sees what was committed before the lock was given."""
    key = KEY_HOLDS.format(key_id=scope.key_id or 0, now=now.isoformat(), permission=USAGE_WRITE)
    parts = ["begin", *SHARE_CATALOGUE, key]
    if events:
        parts.append(taking_a_number(now, events))
    return ";".join(parts)


def _opened(cursor: Cursor[Row], scope: Scope) -> Opened:
    answers = _answers(cursor)
    (version,), holds = answers[1][0], answers[2]
    if scope.key_id is not None and not holds:
        raise KeyOutdated("The key is not valid any more.")
    batch = answers[3][0][0] if len(answers) > 3 else 0
    return Opened(cursor, int(version), batch)


def _answers(cursor: Cursor[Row]) -> list[Sequence[Row]]:
    """The rows of every statement that returns some."""
    found: list[Sequence[Row]] = []
    while True:
        if cursor.description is not None:
            found.append(cursor.fetchall())
        if not cursor.nextset():
            return found


def _roll_back(connection: psycopg.Connection[Row]) -> None:
    with suppress(psycopg.Error):
        connection.rollback()
