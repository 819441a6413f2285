"""Migrating the test database once and putting it back between tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from twin.engine.types import ConnectionParameters

Built = TypeVar("Built")

# Bytes of a table, dead rows counted, from which it is truncated.
_LARGE = 256 * 1024

_CLEANERS: list[Cleaner] = []

# What Django itself fills after migrating; no test changes it.
_UNTOUCHED = ("django_migrations", "django_content_type", "auth_permission")


@dataclass(frozen=True)
class _Rows:
    """What one table held at a moment."""

    table: str
    columns: sql.Composed
    rows: bytes


def migrate() -> None:
    call_command("migrate", database="owner", interactive=False, verbosity=0)
    call_command("createcachetable", database="owner", verbosity=0)
    connections["owner"].close()


def _forget() -> None:
    """What this process remembers of the tables is as gone as their rows."""
    import_module("twin.metering.current").forget_catalogue()
    import_module("twin.metering.interning").forget_all()
    import_module("twin.companies.access").forget_scopes()
    import_module("twin.portal.guards").forget_refusals()


def leave() -> None:
    """Nothing of this process is connected any more, so that a command can be alone in the database."""
    connections.close_all()
    import_module("twin.metering.writing").close_writer()


def once(name: str, build: Callable[[], Built]) -> Built:
    """What `build` makes in the database of this process, built the first time and copied back later."""
    return _CLEANERS[-1].once(name, build) if _CLEANERS else build()


class Cleaner:
    """Puts every table back to what it held right after the migrations.

    Works as superuser with triggers off: tables of which rows may
    never be removed are emptied as well.
    """

    def __init__(self, superuser: ConnectionParameters) -> None:
        self._connection: psycopg.Connection[Any] = psycopg.connect(**superuser, autocommit=True)
        self._connection.execute("SET session_replication_role = replica")
        self._tables = self._find_tables()
        self._any_rows = self._question()
        self._seeds = [self._remember(table) for table in self._filled()]
        self._built: dict[str, tuple[Any, list[_Rows]]] = {}
        _CLEANERS.append(self)

    def clean(self) -> None:
        _forget()
        filled = self._filled()
        if not filled:
            return
        _end_transactions()
        with self._connection.transaction():
            self._connection.execute("SET LOCAL lock_timeout = '20s'")
            self._empty({*filled, *(seed.table for seed in self._seeds)})
            for seed in self._seeds:
                self._restore(seed)

    def once(self, name: str, build: Callable[[], Built]) -> Built:
        """What `build` makes; after the first time its rows are copied back, ids, secrets and moments as they were.

        A database that is not as the migrations left it is built upon, and nothing is remembered of it.
        """
        if self._filled() != [seed.table for seed in self._seeds]:
            return build()
        if name not in self._built:
            made = build()
            self._built[name] = made, [self._remember(table) for table in self._filled()]
            return made
        made, rows = self._built[name]
        _forget()
        with self._connection.transaction():
            self._empty({seed.table for seed in self._seeds})
            for each in rows:
                self._restore(each)
        return made

    def _find_tables(self) -> list[str]:
        found = self._connection.execute(
            """
            SELECT relname FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
               AND relname <> ALL(%s)
             ORDER BY relname
            """,
            [list(_UNTOUCHED)],
        )
        return [row[0] for row in found]

    def _question(self) -> sql.Composed:
        one = sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})")
        return sql.SQL(" UNION ALL ").join(
            one.format(sql.Literal(table), sql.Identifier(table)) for table in self._tables
        )

    def _filled(self) -> list[str]:
        return [row[0] for row in self._connection.execute(self._any_rows)] if self._tables else []

    def _empty(self, tables: set[str]) -> None:
        """Row by row where that is less work than new files for the table and each of its indexes."""
        large = self._large_of(tables)
        if large:
            names = sql.SQL(", ").join(map(sql.Identifier, large))
            self._connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        for table in tables.difference(large):
            self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def _large_of(self, tables: set[str]) -> list[str]:
        found = self._connection.execute(
            """
            SELECT name FROM unnest(%s::text[]) name, LATERAL (
                SELECT sum(pg_relation_size(part)) AS bytes
                  FROM (SELECT quote_ident(name)::regclass UNION SELECT relid FROM pg_partition_tree(name)) p (part)
            ) size
             WHERE bytes > %s
            """,
            [list(tables), _LARGE],
        )
        return [row[0] for row in found]

    def _remember(self, table: str) -> _Rows:
        columns = self._connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [f'public."{table}"'],
        )
        names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in columns)
        statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, sql.Identifier(table))
        with self._connection.cursor().copy(statement) as copy:
            return _Rows(table, names, b"".join(bytes(part) for part in copy))

    def _restore(self, seed: _Rows) -> None:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(seed.table), seed.columns)
        with self._connection.cursor().copy(statement) as copy:
            copy.write(seed.rows)

    def close(self) -> None:
        _CLEANERS.remove(self)
        self._connection.close()


def _end_transactions() -> None:
    # A test that failed half-way may leave a transaction open, whose locks would hold up the cleaning.
    for connection in connections.all(initialized_only=True):
        connection.close()
