"""What a person reads at a terminal is what the command says; the log of servers is elsewhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.world import World, build_world
from twin.__main__ import main

pytestmark = pytest.mark.database


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


@pytest.fixture(autouse=True)
def _levels_end_with_the_test() -> Iterator[None]:
    """A command is a process of its own, which sets its levels once."""
    loggers = [logging.getLogger(name) for name in ("twin", "twin.slow_queries")]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def test_slow_statements_do_not_stand_amid_what_a_command_says(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    event = {
        "specversion": "1.0", "type": "twin.usage", "source": "test", "id": "1", "subject": str(world.acme.id),
        "time": "2026-03-05T12:00:00Z", "data": {"meter": "bot.message", "quantity": 3},
    }  # fmt: skip
    file = tmp_path / "usage.ndjson"
    file.write_text(json.dumps(event), encoding="utf-8")
    with override_settings(SLOW_QUERY_MS=0.000001):
        assert main(["usage", "import", str(file)]) == 0
    told = capfd.readouterr()
    assert told.out.startswith("accepted=1 ")
    assert told.err == ""


@pytest.mark.usefixtures("world")
def test_what_else_a_command_warns_of_is_still_said(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["usage", "import", "/nowhere"]) == 1
    logging.getLogger("twin.trial").warning("seen")
    refusal, warning = capfd.readouterr().err.splitlines()
    assert refusal == "twin: There is no file /nowhere."
    assert json.loads(warning)["event"] == "seen"
