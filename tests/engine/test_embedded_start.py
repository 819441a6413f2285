"""The embedded database comes up, is shared, and goes with the last who uses it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import psycopg
import pytest

from tests.engine.holders import Holders
from twin.engine.errors import DataOfAnotherVersion, PasswordsLost, StartFailed
from twin.engine.places import data_of
from twin.engine.postmaster import is_listening
from twin.engine.server import EmbeddedServer, Wishes
from twin.engine.testing import ThrowawayServer
from twin.engine.types import ConnectionParameters

HASTY = Wishes(is_durable=False)


def ask(parameters: ConnectionParameters, question: str) -> object:
    with psycopg.connect(**parameters) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def test_a_new_data_directory_gives_three_roles_into_one_database(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir)
    roles = server.join()
    for parameters in (roles.owner, roles.app, roles.writer):
        assert ask(parameters, "SELECT current_database() || ' ' || current_user") == f"twin {parameters['user']}"
    server.leave()
    assert server.wait_until_stopped()


def test_an_operators_database_loses_nothing_when_the_machine_crashes(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir)
    roles = server.join()
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert ask(roles.app, f"SELECT current_setting('{setting}')") == "on"
    server.leave()
    assert server.wait_until_stopped()


def test_an_operator_says_how_much_the_server_keeps_in_memory(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, Wishes(buffers_mb=48))
    assert ask(server.join().app, "SELECT current_setting('shared_buffers')") == "48MB"
    server.leave()
    assert server.wait_until_stopped()


def test_nothing_listens_beyond_this_machines_files(database_server: ThrowawayServer) -> None:
    assert ask(database_server.roles.app, "SELECT current_setting('listen_addresses')") == ""
    folder = Path(str(database_server.roles.app["host"]))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_passwords_are_kept_where_only_their_owner_reads(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    server.join()
    assert stat.S_IMODE(server.places.passwords.stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    server.leave()
    assert server.wait_until_stopped()


def test_a_wrong_password_is_refused_although_the_socket_is_private(database_server: ThrowawayServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**{**database_server.roles.app, "password": "guessed"})


def test_the_data_are_there_again_at_the_next_start(data_dir: Path) -> None:
    first = EmbeddedServer(data_dir, HASTY)
    with psycopg.connect(**first.join().owner) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS number")
    first.leave()
    assert first.wait_until_stopped()
    second = EmbeddedServer(data_dir, HASTY)
    assert ask(second.join().app, "SELECT number FROM kept") == 42
    second.leave()
    assert second.wait_until_stopped()


def test_the_server_stays_until_the_last_process_has_left(data_dir: Path, holders: Holders) -> None:
    first, second = holders.join(), holders.join()
    first.communicate()
    server = EmbeddedServer(data_dir, HASTY)
    assert not server.wait_until_stopped(0.5)
    assert ask(server.roles().app, "SELECT 1") == 1
    second.communicate()
    assert server.wait_until_stopped()


def test_processes_that_start_at_one_moment_share_one_first_start(holders: Holders) -> None:
    processes = [holders.start() for _ in range(4)]
    for process in processes:
        holders.expect_joined(process)


def test_a_path_too_long_for_a_socket_puts_the_socket_elsewhere(data_dir: Path) -> None:
    deep = data_dir.joinpath(*["a-folder-with-a-long-name"] * 5)
    server = EmbeddedServer(deep, HASTY)
    folder = Path(str(server.join().app["host"]))
    assert deep not in folder.parents
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert server.places.socket_note.read_text().strip() == str(folder)
    assert ask(server.roles().app, "SELECT 1") == 1
    server.leave()
    assert server.wait_until_stopped()
    assert not folder.exists()


def test_a_noted_socket_folder_that_is_not_ours_is_not_trusted(data_dir: Path) -> None:
    deep = data_dir.joinpath(*["a-folder-with-a-long-name"] * 5)
    foreign = data_dir.parent / "open-to-all"
    foreign.mkdir()
    foreign.chmod(0o777)
    server = EmbeddedServer(deep, HASTY)
    server.places.control.mkdir(parents=True)
    server.places.socket_note.write_text(str(foreign))
    assert server.join().app["host"] != str(foreign)
    server.leave()
    assert server.wait_until_stopped()


def test_data_of_another_major_version_are_refused_and_left_alone(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    server.join()
    server.leave()
    assert server.wait_until_stopped()
    version = data_of(server.places.known_cluster()) / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(DataOfAnotherVersion, match=r"written by PostgreSQL 14, this Twin brings \d+: run `twin backup"):
        EmbeddedServer(data_dir, HASTY).join()
    assert version.read_text() == "14\n"


def test_lost_passwords_are_named_with_the_file_to_bring_back(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    server.join()
    server.leave()
    assert server.wait_until_stopped()
    server.places.passwords.unlink()
    with pytest.raises(PasswordsLost, match=r"passwords\.json is missing"):
        EmbeddedServer(data_dir, HASTY).join()


def test_a_server_that_cannot_start_is_explained_by_the_line_of_its_log(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    server.join()
    server.leave()
    assert server.wait_until_stopped()
    (data_of(server.places.known_cluster()) / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(StartFailed, match=r"does not start: .*postgresql\.conf\" contains errors"):
        EmbeddedServer(data_dir, HASTY).join()


def test_a_first_start_that_was_cut_off_is_done_again(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    half_made = server.places.control / "cluster" / "data.growing"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    assert ask(server.join().app, "SELECT 1") == 1
    assert not half_made.exists()
    server.leave()
    assert server.wait_until_stopped()


def test_how_the_server_was_started_names_no_password(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    server.join()
    known = json.loads(server.places.passwords.read_text())
    told = server.places.launch.read_text()
    assert not [password for password in known.values() if password in told]
    server.leave()
    assert server.wait_until_stopped()


def test_the_socket_of_a_stopped_server_answers_nobody(data_dir: Path) -> None:
    server = EmbeddedServer(data_dir, HASTY)
    folder = Path(str(server.join().app["host"]))
    assert is_listening(folder)
    server.leave()
    assert server.wait_until_stopped()
    assert not is_listening(folder)
