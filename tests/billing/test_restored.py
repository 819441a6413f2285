"""After a backup and its restore the closed statements are made again to the byte, and the next month goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.billing.months import close, statements_between, use
from tests.database import Cleaner, leave
from tests.informing import inform
from tests.world import build_world
from twin.__main__ import main
from twin.billing.queries.verifying import differing_statements
from twin.engine.types import DatabaseRoles

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """What the tests put beside the database goes with them."""
    yield
    for name in ("last-backup.json", "secrets.json"):
        (Path(settings.DATA_DIR) / name).unlink(missing_ok=True)


def run(*arguments: str) -> int:
    leave()
    return main(list(arguments))


def test_statements_come_back_and_are_proved(
    tmp_path: Path, db_clean: DatabaseRoles, migrated_database: Cleaner
) -> None:
    world = build_world()
    for party in (world.rhea, world.acme):
        inform(party.id)
    use(world.acme.id, "2026-01-10T12:00", quantity=3)
    close(world.rhea, "2026-02-02T00:00", tell=False)
    use(world.acme.id, "2026-01-20T12:00")
    before = statements_between(world.rhea, world.acme.id)
    assert run("backup", str(tmp_path / "b")) == 0
    migrated_database.clean()
    assert run("restore", str(tmp_path / "b")) == 0
    assert run("billing", "verify") == 0
    assert statements_between(world.rhea, world.acme.id) == before
    close(world.rhea, "2026-03-02T00:00", tell=False)
    after = statements_between(world.rhea, world.acme.id)
    assert after[0] == before[0]
    assert [(line.kind, line.quantity) for line in after[1].lines] == [("late", 1)]
    assert differing_statements(world.rhea.scope) == (6, [])
