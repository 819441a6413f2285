"""The embedded database comes up, is shared, and goes with the last who uses it."""

from __future__ import annotations

from pathlib import Path

import psycopg

from twin.engine.server import EmbeddedServer


def test_a_new_data_directory_gives_three_roles_into_one_database(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "var")
    roles = server.join()
    for parameters in (roles.owner, roles.app, roles.writer):
        with psycopg.connect(**parameters) as connection:
            row = connection.execute("SELECT current_database(), current_user::text").fetchone()
        assert row == ("twin", parameters["user"])
    server.leave()
    assert server.wait_until_stopped()
