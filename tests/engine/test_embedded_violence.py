"""Whatever is killed, and whatever a crash leaves behind: the next start works and nothing committed is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.engine.holders import Holders
from twin.engine.lifeline import VARIABLE, Lifeline
from twin.engine.places import Places, data_of
from twin.engine.server import EmbeddedServer, Wishes

HASTY = Wishes(is_durable=False)


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedServer]:
    """Joined, with one committed row."""
    made = EmbeddedServer(data_dir, HASTY)
    with psycopg.connect(**made.join().owner) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 42 AS number")
    yield made
    made.leave()
    made.wait_until_stopped()


def kept(server: EmbeddedServer) -> int:
    with psycopg.connect(**server.roles().app) as connection:
        row = connection.execute("SELECT number FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def postmaster_of(server: EmbeddedServer) -> psutil.Process:
    file = data_of(server.places.known_cluster()) / "postmaster.pid"
    return psutil.Process(int(file.read_text().splitlines()[0]))


def keeper_of(server: EmbeddedServer) -> psutil.Process:
    parent = postmaster_of(server).parent()
    assert parent is not None
    assert "twin.engine.keeper" in parent.cmdline()
    return parent


def eventually(happens: Callable[[], bool], *, within: float = 20) -> None:
    deadline = time.monotonic() + within
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_ended(process: psutil.Process) -> bool:
    """Also when nobody has asked for its exit code yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def answers(server: EmbeddedServer) -> bool:
    try:
        return kept(server) == 42
    except psycopg.OperationalError:
        return False


def stop(server: EmbeddedServer) -> None:
    server.leave()
    assert server.wait_until_stopped()


def test_a_killed_database_comes_back_for_those_who_use_it(server: EmbeddedServer) -> None:
    killed = postmaster_of(server)
    killed.kill()
    eventually(lambda: answers(server) and postmaster_of(server) != killed)


def test_a_command_that_starts_right_after_the_kill_gets_the_data(server: EmbeddedServer, holders: Holders) -> None:
    postmaster_of(server).kill()
    holders.join()
    assert kept(server) == 42


def test_a_session_that_computes_on_does_not_keep_a_killed_database_down(server: EmbeddedServer) -> None:
    busy = psycopg.connect(**server.roles().owner)
    pid = busy.info.backend_pid
    busy.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")
    time.sleep(0.2)
    postmaster_of(server).kill()
    eventually(lambda: answers(server) and not psutil.pid_exists(pid))
    busy.close()


def test_a_killed_user_leaves_no_server_behind(data_dir: Path, holders: Holders) -> None:
    holder = holders.join()
    holder.send_signal(signal.SIGKILL)
    assert EmbeddedServer(data_dir).wait_until_stopped(20)
    assert not (data_of(Places.under(data_dir).known_cluster()) / "postmaster.pid").exists()


def test_a_killed_keeper_is_replaced_and_the_running_server_kept(server: EmbeddedServer, holders: Holders) -> None:
    running = postmaster_of(server)
    keeper = keeper_of(server)
    keeper.kill()
    keeper.wait()
    other = holders.join()
    assert postmaster_of(server) == running
    assert kept(server) == 42
    other.communicate()
    stop(server)
    assert has_ended(running)


def test_everything_killed_at_once_is_whole_at_the_next_start(server: EmbeddedServer, data_dir: Path) -> None:
    processes = [keeper_of(server), postmaster_of(server)]
    for process in processes:
        process.kill()
    server.leave()
    again = EmbeddedServer(data_dir, HASTY)
    again.join()
    assert kept(again) == 42
    stop(again)


@pytest.mark.parametrize("whose", ["nobody's", "another program's"])
def test_a_number_left_by_a_crash_is_not_taken_for_a_server(server: EmbeddedServer, data_dir: Path, whose: str) -> None:
    stop(server)
    with subprocess.Popen(["sleep", "60"]) as other:
        if whose == "nobody's":
            other.kill()
            other.wait()
        left = f"{other.pid}\n{data_of(server.places.known_cluster())}\n0\n5432\n\n\n"
        (data_of(server.places.known_cluster()) / "postmaster.pid").write_text(left)
        lock_file = Path(str(server.roles().app["host"])) / ".s.PGSQL.5432.lock"
        lock_file.write_text(left)
        again = EmbeddedServer(data_dir, HASTY)
        again.join()
        assert kept(again) == 42
        stop(again)
        other.kill()


def test_a_server_that_keeps_dying_is_given_up_with_its_reason(server: EmbeddedServer) -> None:
    keeper = keeper_of(server)
    (data_of(server.places.known_cluster()) / "postgresql.conf").write_text("no_such_setting = 1\n")
    postmaster_of(server).kill()
    eventually(lambda: has_ended(keeper))
    log = server.places.known_cluster() / "postgresql.log"
    assert "no_such_setting" in log.read_text()


CHILD = "import time; from twin.engine.lifeline import end_with_parent; end_with_parent(); time.sleep(60)"


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    lifeline = Lifeline(tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        env={**os.environ, VARIABLE: str(lifeline.path)},
        cwd=Path(__file__).parent.parent.parent,
    )
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(1)
    lifeline.cut()
    assert child.wait(10) == -signal.SIGTERM
