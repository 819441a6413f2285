"""What the stories start from: an empty installation, in this process or as real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.flows.installation import Installation

if TYPE_CHECKING:
    from tests.database import Cleaner
    from tests.flows.driver import Twins


@pytest.fixture
def empty_database(migrated_database: Cleaner) -> Callable[[], None]:
    """Empties the database in the middle of a test: one random world must not see another."""
    return migrated_database.clean


@pytest.fixture
def twins(db_clean: object) -> Twins:
    """A new installation beside its oracle."""
    from tests.flows.driver import Twins  # the settings exist only once the tests run

    return Twins()


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A real installation of its own: data directory, port, processes. Nothing of it survives the test."""
    made = Installation(tmp_path / "data")
    yield made
    made.destroy()
