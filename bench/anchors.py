"""Raw COPY of the very rows that were ingested: what this server could do if nothing had to be thought about."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

BARE, KEYED = "bench_bare", "bench_keyed"
Chunk = tuple[bytes, int]


@dataclass
class Anchors:
    """Two tables of the shape of Twin's own event rows: one bare, one with only the unique key."""

    parameters: dict[str, Any]
    old_batches: tuple[int, ...] = ()

    def prepare(self) -> None:
        """Make both tables; the keyed one holds every row that Twin holds already."""
        with self._connect() as connection:
            for table in (BARE, KEYED):
                connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(table)))
                connection.execute(
                    sql.SQL("create table {} as table metering_event with no data").format(sql.Identifier(table))
                )
            rows = connection.execute("select last from metering_shard order by shard").fetchall()
            self.old_batches = tuple(row[0] for row in rows)
            connection.execute(sql.SQL("insert into {} table metering_event").format(sql.Identifier(KEYED)))
            connection.execute(
                sql.SQL("create unique index on {} ({})").format(
                    sql.Identifier(KEYED), sql.SQL(", ").join(map(sql.Identifier, self._key(connection)))
                )
            )

    def _key(self, connection: psycopg.Connection[Any]) -> list[str]:
        rows = connection.execute(
            """
            select a.attname from pg_index i
            join lateral unnest(i.indkey) with ordinality k (number, place) on true
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
            where i.indrelid = 'metering_event'::regclass and i.indisunique order by k.place
            """
        )
        return [row[0] for row in rows]

    def new_chunks(self, size: int) -> list[Chunk]:
        """The rows that the keyed table lacks, in the order they lie, as COPY texts of `size` rows.

        Only what came since the keyed table was made is looked for in it.
        """
        wanted = sql.SQL(
            "copy (select e.* from metering_event e"
            " where e.batch > ({old}::bigint[])[metering_shard_of(e.company_id, e.batch) + 1] and not exists"
            " (select from {keyed} k where (k.company_id, k.source_id, k.key) = (e.company_id, e.source_id, e.key))"
            " order by e.ctid) to stdout"
        ).format(keyed=sql.Identifier(KEYED), old=sql.Literal(list(self.old_batches)))
        with self._connect() as connection, connection.cursor() as cursor:
            for way in ("hashjoin", "mergejoin"):
                cursor.execute(f"set local enable_{way} = off")
            rows = self._rows(cursor, wanted)
        return [(b"".join(rows[n : n + size]), len(rows[n : n + size])) for n in range(0, len(rows), size)]

    @staticmethod
    def _rows(cursor: psycopg.Cursor[Any], wanted: sql.Composed) -> list[bytes]:
        with cursor.copy(wanted) as copy:
            return b"".join(bytes(part) for part in copy).splitlines(keepends=True)

    def copy(self, table: str, chunks: Sequence[Chunk], writers: int) -> float:
        """Rows per second: each chunk one transaction, chunks dealt out to the writers."""
        barrier = threading.Barrier(writers + 1)
        threads = [
            threading.Thread(target=self._write, args=(table, chunks[number::writers], barrier))
            for number in range(writers)
        ]
        for thread in threads:
            thread.start()
        barrier.wait()
        start = time.perf_counter()
        for thread in threads:
            thread.join()
        return sum(number for _, number in chunks) / (time.perf_counter() - start)

    def _write(self, table: str, chunks: Sequence[Chunk], barrier: threading.Barrier) -> None:
        statement = sql.SQL("copy {} from stdin").format(sql.Identifier(table))
        with self._connect() as connection:
            connection.commit()
            barrier.wait()
            for data, _ in chunks:
                with connection.cursor() as cursor, cursor.copy(statement) as copy:
                    copy.write(data)
                connection.commit()

    def drop(self) -> None:
        with self._connect() as connection:
            connection.execute(f"drop table if exists {BARE}, {KEYED}")

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(**self.parameters)
