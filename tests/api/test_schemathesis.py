"""Requests made up from the OpenAPI document find nothing: no 5xx, no undocumented answer, nothing let through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.live import serving
from tests.world import World

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.slow
@pytest.mark.timeout(660)
def test_nothing_made_up_from_the_document_breaks_the_api(world: World, tmp_path: Path) -> None:
    with serving() as address:
        found = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
                *("run", f"{address}/api/v1/openapi.json"),
                *("--header", f"Authorization: Bearer {world.twin.key}"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert found.returncode == 0, found.stdout[-20_000:]
