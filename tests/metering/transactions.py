"""Transactions that take their time, and work that goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import connections

from twin.kernel import clock
from twin.metering.store import next_batch


@contextmanager
def slow_batches(number: int) -> Iterator[list[int]]:
    """So many transactions that hold a number each and do not end before the block does."""
    parameters = connections["writer"].get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "dbname", "user", "password") if name in parameters}
    opened = [psycopg.connect(**wanted) for _ in range(number)]
    try:
        yield [next_batch(connection.cursor(), clock.now()) for connection in opened]
        for connection in opened:
            connection.commit()
    finally:
        for connection in opened:
            connection.close()


class Aside:
    """A thread that does some work; `done` is set when it is done without a fault."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[work])
        self._thread.start()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
            self.done.set()
        finally:
            connections.close_all()

    def is_done(self) -> bool:
        self._thread.join(20)
        return self.done.is_set()
