"""Data directories whose servers are gone when the test is over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.holders import Holders
from twin.engine.server import EmbeddedServer


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Short, so that the socket fits inside; pytest's own folders are too deep for that."""
    folder = Path(tempfile.mkdtemp(prefix="twin-engine-"))
    yield folder / "var"
    if (folder / "var" / "database").exists():
        EmbeddedServer(folder / "var").wait_until_stopped(20)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def holders(data_dir: Path) -> Iterator[Holders]:
    """Other processes that use the database of `data_dir`."""
    made = Holders(data_dir)
    yield made
    made.end_all()
