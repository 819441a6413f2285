"""PostgreSQL refuses root: which way is taken instead, and whose data are left alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from twin.engine import binaries, places
from twin.engine.account import choose_account
from twin.engine.errors import DataOfAnotherUser
from twin.engine.places import Places, data_of
from twin.engine.server import EmbeddedServer, Wishes

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")


@pytest.fixture
def shared_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In place of the folder outside every home, which a test shall not touch."""
    folder = Path(tempfile.mkdtemp(prefix="twin-shared-"))
    folder.chmod(0o755)
    monkeypatch.setattr(binaries, "SHARED_ROOT", folder / "lib")
    monkeypatch.setattr(places, "SHARED_ROOT", folder / "lib")
    yield folder / "lib"
    shutil.rmtree(folder, ignore_errors=True)


def test_data_of_another_user_are_refused() -> None:
    with pytest.raises(DataOfAnotherUser, match="belongs to user 4711"):
        choose_account(4711)


@as_root
def test_root_starts_it_in_a_namespace_and_the_files_stay_roots(data_dir: Path) -> None:
    if choose_account(None).kind != "namespace":
        pytest.skip("this machine gives root no user namespaces")
    server = EmbeddedServer(data_dir, Wishes(is_durable=False, account="namespace"))
    server.join()
    assert data_of(server.places.known_cluster()).stat().st_uid == 0
    server.leave()
    assert server.wait_until_stopped()


@as_root
def test_root_without_namespaces_steps_down_to_nobody(data_dir: Path, shared_root: Path) -> None:
    """The data directory lies in a folder only root may enter, the programs in one that anyone may."""
    server = EmbeddedServer(data_dir, Wishes(is_durable=False, account="nobody"))
    with psycopg.connect(**server.join().app) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    cluster = Places.under(data_dir).known_cluster()
    assert cluster.parent == shared_root
    assert data_of(cluster).stat().st_uid != 0
    assert server.places.passwords.stat().st_uid == 0
    server.leave()
    assert server.wait_until_stopped()


@as_root
def test_nobody_gets_a_copy_of_programs_that_only_root_can_reach(shared_root: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    package = binaries.wheel_programs().parent.parent
    hidden = tmp_path / "site" / package.name
    shutil.copytree(package, hidden, symlinks=True)
    shutil.copytree(package.parent / f"{package.name}.libs", tmp_path / "site" / f"{package.name}.libs", symlinks=True)
    nobody = choose_account(None, wanted="nobody")
    found = binaries.reachable(hidden / "pginstall" / "bin", nobody)
    assert shared_root in found.parents
    assert binaries.major_version(found, nobody) >= 18
    assert binaries.reachable(hidden / "pginstall" / "bin", nobody) == found
