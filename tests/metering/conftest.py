"""The small world for tests of metering."""

from __future__ import annotations

import pytest

from tests.world import World, build_world


@pytest.fixture
def world(db_clean: object) -> World:
    """The small world in a clean database."""
    return build_world()
