"""Where the embedded database keeps its files."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from twin.engine.account import Account
from twin.engine.binaries import SHARED_ROOT
from twin.engine.errors import AccountUnavailable

PORT = 5432
_SOCKET_NAME = f".s.PGSQL.{PORT}"
# The kernel takes 107 bytes; PostgreSQL's own lock file beside the socket needs a few more.
_LONGEST_SOCKET = 100


@dataclass(frozen=True)
class Places:
    """The files beside the data: locks, passwords, notes. `control` is Twin's, the cluster is PostgreSQL's."""

    control: Path

    @classmethod
    def under(cls, data_dir: Path) -> Places:
        return cls(data_dir / "database")

    @property
    def start_lock(self) -> Path:
        """Held by who starts or stops the server."""
        return self.control / "start.lock"

    @property
    def lease(self) -> Path:
        """Shared by every process that uses the server."""
        return self.control / "lease.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper as long as it lives."""
        return self.control / "keeper.lock"

    @property
    def passwords(self) -> Path:
        return self.control / "passwords.json"

    @property
    def launch(self) -> Path:
        """How the running server was started: what the keeper obeys and latecomers read."""
        return self.control / "launch.json"

    @property
    def keeper_log(self) -> Path:
        return self.control / "keeper.log"

    @property
    def cluster_note(self) -> Path:
        return self.control / "cluster-is-at"

    @property
    def socket_note(self) -> Path:
        return self.control / "socket-is-at"

    def known_cluster(self) -> Path:
        """The folder of PostgreSQL's own files: here, or where the note says."""
        if self.cluster_note.exists():
            return Path(self.cluster_note.read_text(encoding="utf-8").strip())
        return self.control / "cluster"


def data_of(cluster: Path) -> Path:
    return cluster / "data"


def make_control(places: Places, account: Account) -> None:
    """Create what is missing of the data directory; what is there keeps its permissions."""
    mode = 0o711 if account.kind == "nobody" else 0o700
    for folder in (places.control.parent, places.control):
        folder.mkdir(mode=mode, parents=True, exist_ok=True)


def prepare_cluster(places: Places, account: Account) -> Path:
    """A folder for PostgreSQL's files that the account can reach; its place is noted when it lies elsewhere."""
    here = places.known_cluster()
    _make_own(here, account)
    if account.may_write(here):
        return here
    if here != places.control / "cluster" or account.kind == "self":
        raise AccountUnavailable(f"PostgreSQL cannot write to {here}: make that folder reachable for its owner.")
    here.rmdir()
    elsewhere = SHARED_ROOT / f"{places.control.parent.name}-{_short_hash(places.control)}"
    SHARED_ROOT.mkdir(mode=0o755, parents=True, exist_ok=True)
    _make_own(elsewhere, account)
    if not account.may_write(elsewhere):
        raise AccountUnavailable(f"PostgreSQL cannot write to {elsewhere}: run Twin as an ordinary user instead.")
    places.cluster_note.write_text(f"{elsewhere}\n", encoding="utf-8")
    return elsewhere


def usual_socket_folder(cluster: Path) -> Path:
    return cluster / "socket"


def prepare_socket_folder(places: Places, cluster: Path, account: Account) -> Path:
    """A private folder for the socket whose path is short enough for the kernel."""
    inside = usual_socket_folder(cluster)
    if len(os.fsencode(inside / _SOCKET_NAME)) <= _LONGEST_SOCKET:
        _make_own(inside, account)
        return inside
    noted = _noted_folder(places.socket_note)
    if noted is not None and _is_private(noted, account):
        return noted
    made = Path(tempfile.mkdtemp(prefix="twin-", dir=short_temporary()))
    account.give(made)
    places.socket_note.write_text(f"{made}\n", encoding="utf-8")
    return made


def remove_cluster(places: Places) -> None:
    """Take away all files of a database nobody uses any more."""
    noted = _noted_folder(places.socket_note)
    for folder in filter(None, (noted, places.known_cluster(), places.control)):
        shutil.rmtree(folder, ignore_errors=True)


def socket_of(folder: Path) -> Path:
    return folder / _SOCKET_NAME


def short_temporary() -> str:
    """The temporary directory, unless its own path is too long for a socket inside."""
    named = tempfile.gettempdir()
    return named if len(os.fsencode(named)) <= 60 else "/tmp"  # noqa: S108 - a private folder is made inside


def _make_own(folder: Path, account: Account) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        account.give(folder)


def _noted_folder(note: Path) -> Path | None:
    return Path(note.read_text(encoding="utf-8").strip()) if note.exists() else None


def _is_private(folder: Path, account: Account) -> bool:
    # Under a temporary directory anyone may put a folder, or a link, of the name we once used.
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid and stat.S_IMODE(found.st_mode) == 0o700


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
