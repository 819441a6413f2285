"""The second wall: every scoped transaction tells PostgreSQL which organisation asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, Final, ParamSpec, Protocol, TypeVar, overload

from django.db import connections, transaction

# Where a connection keeps for whom its read-only transaction answers.
_READS_FOR: Final = "twin_reads_for"
P = ParamSpec("P")
R = TypeVar("R")


class Asks(Protocol):
    """Anything that says for which organisation it asks; `companies.types.Scope` in practice."""

    @property
    def organisation_id(self) -> int: ...


S = TypeVar("S", bound=Asks)


@contextmanager
def tenant_transaction(organisation_id: int, *, snapshot: bool = False) -> Iterator[None]:
    """A transaction of the app role in which row-level security answers for one organisation.

    Joins a transaction already open, sets the organisation for its inner part and puts the
    outer one back. `snapshot` makes an outermost transaction REPEATABLE READ, READ ONLY; who
    reads in it for the organisation that is asking there changes nothing, and asks the database nothing for it.
    """
    connection = connections["default"]
    reads_for = getattr(connection, _READS_FOR, None)
    if reads_for == organisation_id:
        yield
        return
    outermost = not connection.in_atomic_block
    reads_only = reads_for is not None or (snapshot and outermost)
    with transaction.atomic():
        with connection.cursor() as cursor:
            if snapshot and outermost:
                cursor.execute("set transaction isolation level repeatable read, read only")
            before = "" if outermost else str(reads_for) if reads_only else _organisation(cursor)
            cursor.execute("select set_config('twin.organisation', %s, true)", [str(organisation_id)])
        with _reading_for(connection, organisation_id if reads_only else None):
            yield
        if not outermost:
            with connection.cursor() as cursor:
                cursor.execute("select set_config('twin.organisation', %s, true)", [before])


@contextmanager
def _reading_for(connection: object, organisation_id: int | None) -> Iterator[None]:
    """While this lasts the open transaction only reads, for this organisation; None is not known."""
    before = getattr(connection, _READS_FOR, None)
    setattr(connection, _READS_FOR, organisation_id)
    try:
        yield
    finally:
        setattr(connection, _READS_FOR, before)


def _organisation(cursor: object) -> str:
    cursor.execute("select coalesce(current_setting('twin.organisation', true), '')")  # type: ignore[attr-defined]  # Django's cursor wrapper is untyped here
    row = cursor.fetchone()  # type: ignore[attr-defined]  # as above
    return str(row[0])


@overload
def scoped(function: Callable[Concatenate[S, P], R], /) -> Callable[Concatenate[S, P], R]: ...


@overload
def scoped(*, snapshot: bool = ...) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]: ...


def scoped(function: object = None, /, *, snapshot: bool = False) -> object:
    """Run a query or action inside a `tenant_transaction` for its first argument, the scope."""

    def decorate(inner: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        @wraps(inner)
        def run(scope: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            with tenant_transaction(scope.organisation_id, snapshot=snapshot):
                return inner(scope, *args, **kwargs)

        return run

    return decorate(function) if callable(function) else decorate
