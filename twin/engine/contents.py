"""All rows of one database, out and in again: COPY texts, which every version of PostgreSQL reads alike.

Works as the owner of the tables alone: no superuser, no programs of PostgreSQL, no BYPASSRLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql

from twin.engine.errors import ContentsHidden, DatabaseInUse
from twin.engine.roles import shut_tables

Connection = psycopg.Connection[Any]
Piece = bytes | bytearray | memoryview

# The same text whatever the server or the role was told to prefer.
_PLAIN = (
    "SET client_encoding = 'UTF8'",
    "SET timezone = 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET intervalstyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
_OURS = """
    relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) = current_user
"""
_TABLES = f"""
    SELECT c.relname,
           (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
           c.relforcerowsecurity
      FROM pg_class c
     WHERE {_OURS} AND c.relkind IN ('r', 'p') AND NOT c.relispartition
     ORDER BY c.relname
"""  # noqa: S608 - text of this file alone
_SEQUENCES = f"SELECT relname FROM pg_class WHERE {_OURS} AND relkind = 'S' ORDER BY relname"  # noqa: S608 - as above
_REFERENCES = """
    SELECT a.relname, b.relname
      FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid
     WHERE k.contype = 'f' AND NOT k.condeferrable AND k.conrelid <> k.confrelid
"""


@dataclass(frozen=True)
class Table:
    """A table and the columns it is given; what PostgreSQL computes itself is left out."""

    name: str
    columns: tuple[str, ...]
    forces_security: bool

    @property
    def identifier(self) -> sql.Composable:
        return sql.Identifier("public", self.name)


def speak_plainly(connection: Connection) -> None:
    """Nothing of the server's or the role's habits gets into the texts, and nothing cuts a long copy off."""
    for statement in _PLAIN:
        connection.execute(statement)


def tables_of(connection: Connection) -> list[Table]:
    """The tables of the connected owner, by name."""
    return [Table(name, tuple(columns), forces) for name, columns, forces in connection.execute(_TABLES).fetchall()]


def sequences_of(connection: Connection) -> dict[str, tuple[int, bool]]:
    """How far each sequence has counted. Asked after a snapshot was taken, it is never behind its rows."""
    found = {}
    for (name,) in connection.execute(_SEQUENCES).fetchall():
        question = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier("public", name))
        value, is_called = connection.execute(question).fetchone() or (1, False)
        found[name] = (int(value), bool(is_called))
    return found


def refuse_hidden_rows(connection: Connection) -> None:
    """Raise ContentsHidden when row-level security would leave rows out without a word."""
    hidden = shut_tables(connection, connection.info.user, "owner_passes")
    if hidden:
        raise ContentsHidden(
            f"The owner role {connection.info.user} does not see all rows of {hidden[0]}: run `twin migrate`, then"
            " the backup again."
        )


def refuse_others(connection: Connection, roles: Iterable[str]) -> None:
    """Raise DatabaseInUse while anybody else works in this database with one of the roles."""
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY(%s)"
        " AND pid <> pg_backend_pid()",
        [list(roles)],
    ).fetchone()
    if row is not None and row[0]:
        raise DatabaseInUse("Twin is at work in this database: stop `twin serve` and other commands first.")


def rows_of(connection: Connection, table: Table, instead: Mapping[str, str]) -> Iterator[Piece]:
    """The rows as COPY text; `instead` gives some columns another expression."""
    wanted = [sql.SQL(instead[column]) if column in instead else sql.Identifier(column) for column in table.columns]
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(sql.SQL(", ").join(wanted), table.identifier)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield from copy


def fill(connection: Connection, table: str, columns: Iterable[str], pieces: Iterable[bytes]) -> int:
    """Put rows back from their COPY text; how many there were."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier("public", table), names)
    with connection.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for piece in pieces:
                copy.write(piece)
        return cursor.rowcount


def set_sequences(connection: Connection, sequences: Mapping[str, tuple[int, bool]]) -> None:
    for name, (value, is_called) in sequences.items():
        place = sql.Identifier("public", name).as_string(connection)
        connection.execute("SELECT setval(%s::regclass, %s, %s)", [place, value, is_called])


def in_order(connection: Connection, names: Iterable[str]) -> list[str]:
    """The tables so that each comes after those it refers to at once; later checks are no matter."""
    wanted = sorted(names)
    before: dict[str, set[str]] = {name: set() for name in wanted}
    for name, target in connection.execute(_REFERENCES).fetchall():
        if name in before and target in before:
            before[name].add(target)
    return list(TopologicalSorter(before).static_order())


@contextmanager
def emptied(connection: Connection, tables: Iterable[Table]) -> Iterator[None]:
    """Inside: every table empty, no trigger of ours fires, the owner writes freely. Afterwards all is as it was.

    Within one transaction, so that no other session ever sees a table without its row-level security.
    """
    every = list(tables)
    for table in every:
        _alter(connection, table, "DISABLE TRIGGER USER")
        if table.forces_security:
            _alter(connection, table, "NO FORCE ROW LEVEL SECURITY")
    names = sql.SQL(", ").join(table.identifier for table in every)
    connection.execute(sql.SQL("TRUNCATE {}").format(names))
    yield
    # What is still to be checked holds the tables fast.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in every:
        _alter(connection, table, "ENABLE TRIGGER USER")
        if table.forces_security:
            _alter(connection, table, "FORCE ROW LEVEL SECURITY")


def _alter(connection: Connection, table: Table, change: str) -> None:
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table.identifier, sql.SQL(change)))
