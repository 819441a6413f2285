"""The small world, once for tests that only read or are refused, and a client that speaks JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from tests.api.client import Api
from tests.database import Cleaner
from tests.world import World, build_world


@dataclass
class Lasting:
    """The world that tests of one module share, until one of them needs the database for itself."""

    world: World | None = None


@pytest.fixture
def api(client: Client) -> Api:
    """Requests to `/api/v1` without a server."""
    return Api(client)


@pytest.fixture(scope="module")
def lasting(migrated_database: Cleaner, django_db_blocker: Any) -> Iterator[Lasting]:
    yield Lasting()
    with django_db_blocker.unblock():
        migrated_database.clean()


@pytest.fixture
def world(lasting: Lasting, migrated_database: Cleaner, django_db_blocker: Any) -> Iterator[World]:
    """A small world of the test's own, to be changed as it likes."""
    with django_db_blocker.unblock():
        lasting.world = None
        migrated_database.clean()
        yield build_world()
        migrated_database.clean()


@pytest.fixture
def shared_world(lasting: Lasting, django_db_blocker: Any) -> Iterator[World]:
    """The small world for tests that change nothing in it."""
    with django_db_blocker.unblock():
        if lasting.world is None:
            lasting.world = build_world()
        yield lasting.world
