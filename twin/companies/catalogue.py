"""The version of tree and prices, and the lock that makes "already charged" certain.

Ingestion holds `CATALOGUE_LOCK` shared while it rates with one version; a change of the tree
or of prices holds it exclusively from its first check to its commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from twin.companies.types import CatalogueChange

# "TWINCAT1" as a number: readable in pg_locks, unlikely to be anyone else's.
CATALOGUE_LOCK: Final = 0x5457494E43415431

# Both at the head of a transaction of its own: the lock, then the version it protects.
SHARE_CATALOGUE: Final = (
    f"select pg_advisory_xact_lock_shared({CATALOGUE_LOCK})",
    "select version from companies_catalogueversion where id = 1",
)


@contextmanager
def catalogue_change() -> Iterator[CatalogueChange]:
    """A transaction on `default` that changes tree or prices: alone, and under a new version.

    Waits for every ingestion that is rating; new ones wait for it. A block inside another
    joins its transaction; the lock is held until the outermost one ends.
    """
    connection = connections["default"]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [CATALOGUE_LOCK])
            cursor.execute("update companies_catalogueversion set version = version + 1 where id = 1 returning version")
            version = int(cursor.fetchone()[0])
        yield CatalogueChange(version)


def share_catalogue(connection: BaseDatabaseWrapper) -> int:
    """Hold the lock shared until the connection's transaction ends; returns the version it protects."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", [CATALOGUE_LOCK])
    return current_version(connection)


def current_version(connection: BaseDatabaseWrapper) -> int:
    """The version of tree and prices this connection sees; certain only while the lock is held."""
    with connection.cursor() as cursor:
        cursor.execute("select version from companies_catalogueversion where id = 1")
        return int(cursor.fetchone()[0])
