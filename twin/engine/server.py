"""The embedded database as a command of Twin meets it: there, shared, and gone with the last who uses it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

import twin
from twin.engine.account import Account, Kind, choose_account
from twin.engine.binaries import major_version, reachable, wheel_programs
from twin.engine.errors import DataOfAnotherVersion, PasswordsLost, StartFailed, StartTimedOut
from twin.engine.locks import FileLock
from twin.engine.memory import buffers_mb, memory_mb
from twin.engine.passwords import keep_passwords, read_passwords, write_private
from twin.engine.places import (
    PORT,
    Places,
    data_of,
    make_control,
    prepare_cluster,
    prepare_socket_folder,
    usual_socket_folder,
)
from twin.engine.postmaster import Launch, last_words
from twin.engine.roles import RoleNames, grant_database, make_database, make_roles, set_default_privileges
from twin.engine.types import ConnectionParameters, DatabaseRoles

DATABASE = "twin"
SUPERUSER = "postgres"

_LONGEST_WAIT_FOR_OTHERS = 120.0
# Recovery replays at most some checkpoints' worth of log; on a slow disk that is minutes.
_LONGEST_RECOVERY = 600.0
# Raised when roles or rights of a database made earlier must be set anew.
_PROVISIONED = "1"


@dataclass(frozen=True)
class Wishes:
    """What is wanted otherwise than by default: the buffers by an operator, the rest by the tests."""

    programs: Path | None = None
    # A crash of the machine may then lose everything; a crash of the server alone does not.
    is_durable: bool = True
    account: Kind | None = None
    # Megabytes of pages the server keeps; a quarter of the machine's memory, at most 1,024, when nothing is said.
    buffers_mb: int | None = None


class EmbeddedServer:
    """The database of one data directory; `join` makes it run as long as this process lives."""

    def __init__(self, data_dir: Path, wishes: Wishes | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.places = Places.under(self.data_dir)
        self._wishes = wishes or Wishes()
        self._lease = FileLock(self.places.lease)
        self._keeper: int | None = None

    def join(self) -> DatabaseRoles:
        """Start the server or share the one that runs; safe to repeat.

        The lease is a kernel lock, so it ends with this process however
        that ends, and the last to go takes the server along. Two first
        starts at one moment wait for each other.
        """
        with_account = self._account()
        make_control(self.places, with_account)
        start_lock = FileLock(self.places.start_lock)
        if not start_lock.wait_exclusive(_LONGEST_WAIT_FOR_OTHERS):
            raise StartTimedOut(
                f"Another command of Twin has been starting or stopping the database in {self.data_dir}"
                f" for {_LONGEST_WAIT_FOR_OTHERS:.0f} s: see {self.places.keeper_log}, end that command, try again."
            )
        try:
            self._lease.share()
            self._bring_up(with_account)
        except BaseException:
            self._lease.release()
            raise
        finally:
            start_lock.release()
        return self.roles()

    def leave(self) -> None:
        """Give the lease back; the server stops a moment later unless others use it."""
        self._lease.release()

    def wait_until_stopped(self, seconds: float = 60) -> bool:
        """After `leave`: wait until the server is down; False when others keep it up."""
        keeper = FileLock(self.places.keeper_lock)
        gone = keeper.wait_exclusive(seconds)
        keeper.release()
        if gone:
            self._keeper_code()
        return gone

    def roles(self) -> DatabaseRoles:
        names = RoleNames.of(DATABASE)
        return DatabaseRoles(
            owner=self.parameters(names.owner),
            app=self.parameters(names.app),
            writer=self.parameters(names.writer),
            embedded=True,
            data_dir=self.data_dir,
        )

    def parameters(self, role: str, database: str = DATABASE) -> ConnectionParameters:
        """How to connect as one of the roles, the superuser among them."""
        return {
            "host": str(self._socket_folder()),
            "port": PORT,
            "dbname": database,
            "user": role,
            "password": read_passwords(self.places.passwords)[role],
        }

    def _socket_folder(self) -> Path:
        if self.places.launch.exists():
            return Launch.read(self.places.launch).socket_folder
        return usual_socket_folder(self.places.known_cluster())

    def _bring_up(self, account: Account) -> None:
        if not self._is_kept():
            launch = self._prepare(account)
            launch.write(self.places.launch)
            self._start_keeper()
            self._wait_for_keeper(launch)
        launch = Launch.read(self.places.launch)
        # A server that listens may still be starting or recovering: only an answer counts.
        self._wait_until_up(launch)
        self._provision(launch)

    def _is_kept(self) -> bool:
        keeper = FileLock(self.places.keeper_lock)
        is_free = keeper.try_exclusive()
        keeper.release()
        return not is_free

    def _account(self) -> Account:
        data = data_of(self.places.known_cluster())
        owner = data.stat().st_uid if data.exists() else None
        return choose_account(owner, wanted=self._wishes.account)

    def _prepare(self, account: Account) -> Launch:
        programs = reachable(self._wishes.programs or wheel_programs(), account)
        cluster = prepare_cluster(self.places, account)
        major = major_version(programs, account)
        if data_of(cluster).exists():
            self._refuse_other_version(cluster, major)
            if not self.places.passwords.exists():
                raise PasswordsLost(
                    f"{self.places.passwords} is missing, without it nobody can enter the database in {cluster}:"
                    " bring that file back from a backup."
                )
        else:
            self._initialise(programs, cluster, account, major)
        folder = prepare_socket_folder(self.places, cluster, account)
        return Launch(account, programs, cluster, folder, self._settings(folder))

    def _refuse_other_version(self, cluster: Path, major: int) -> None:
        found = (data_of(cluster) / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != str(major):
            raise DataOfAnotherVersion(
                f"The database in {self.data_dir} was written by PostgreSQL {found}, this Twin brings {major}: run"
                f" `twin backup FILE` with the Twin that wrote it, then `twin restore FILE` with this one and a new"
                " TWIN_DATA_DIR."
            )

    def _initialise(self, programs: Path, cluster: Path, account: Account, major: int) -> None:
        names = RoleNames.of(DATABASE)
        passwords = keep_passwords(self.places.passwords, (SUPERUSER, *names.all()))
        growing = cluster / "data.growing"
        if growing.exists():
            shutil.rmtree(growing)
        password_file = cluster / "password"
        write_private(password_file, passwords[SUPERUSER])
        account.give(password_file)
        # A collation of PostgreSQL's own: Cyrillic letters fold, and no update of the system reorders an index.
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8") if major >= 17 else ()
        command = (
            programs / "initdb",
            "-D",
            growing,
            "-U",
            SUPERUSER,
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
        )
        fixed = ("--encoding=UTF8", f"--locale={'C' if locale else 'C.UTF-8'}", *locale)
        hasty = () if self._wishes.is_durable else ("--no-sync",)
        code, said = account.run([*command, *fixed, *hasty], cwd=cluster)
        password_file.unlink()
        if code != 0:
            raise StartFailed(f"A new database could not be made in {cluster}: {_last_line(said)}")
        growing.rename(data_of(cluster))

    def _settings(self, socket_folder: Path) -> dict[str, str]:
        memory = memory_mb()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(socket_folder),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "150",
            "shared_buffers": f"{buffers_mb(memory)}MB",
            "effective_cache_size": f"{max(64, memory // 2)}MB",
            "maintenance_work_mem": "128MB",
            "max_wal_size": "4GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "off",
            # Books are written anew many times a minute: their old places are used again the sooner.
            "autovacuum_naptime": "10s",
            "random_page_cost": "1.1",
            "jit": "off",
            "fsync": "on",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
        }
        if self._wishes.buffers_mb is not None:
            settings["shared_buffers"] = f"{self._wishes.buffers_mb}MB"
        if not self._wishes.is_durable:
            hasty = {"shared_buffers": "128MB", "fsync": "off", "full_page_writes": "off"}
            settings |= hasty
        return settings

    def _start_keeper(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(Path(twin.__file__).parent.parent)}
        command = [sys.executable, "-m", "twin.engine.keeper", str(self.places.control)]
        with self.places.keeper_log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            streams = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0)]
            streams += [(os.POSIX_SPAWN_DUP2, log.fileno(), number) for number in (1, 2)]
            # Not a subprocess object: the keeper is meant to outlive whoever starts it.
            self._keeper = os.posix_spawn(sys.executable, command, environment, file_actions=streams, setsid=True)

    def _wait_for_keeper(self, launch: Launch) -> None:
        # The server may have outlived an earlier keeper: that it answers does not mean that it is kept.
        deadline = time.monotonic() + _LONGEST_WAIT_FOR_OTHERS
        while not self._is_kept():
            self._refuse_dead_keeper(launch)
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"The keeper of the database in {self.data_dir} does not start, see {self.places.keeper_log}"
                )
            time.sleep(0.02)

    def _wait_until_up(self, launch: Launch) -> None:
        deadline = time.monotonic() + _LONGEST_RECOVERY
        while time.monotonic() < deadline:
            try:
                psycopg.connect(**self.parameters(SUPERUSER, "postgres"), connect_timeout=10).close()
            except psycopg.OperationalError:
                self._refuse_dead_keeper(launch)
                time.sleep(0.05)
            else:
                return
        raise StartFailed(f"The database in {self.data_dir} does not answer: {last_words(launch.log)}")

    def _refuse_dead_keeper(self, launch: Launch) -> None:
        if self._keeper_code() not in (None, 0):
            raise StartFailed(
                f"The database in {self.data_dir} does not start: {last_words(launch.log)} (see {launch.log})"
            )

    def _keeper_code(self) -> int | None:
        """How the keeper we started ended; None while it lives, or when it is not ours."""
        if self._keeper is None:
            return None
        try:
            pid, status = os.waitpid(self._keeper, os.WNOHANG)
        except ChildProcessError:
            pid, status = self._keeper, 0
        if pid == 0:
            return None
        self._keeper = None
        return os.waitstatus_to_exitcode(status)

    def _provision(self, launch: Launch) -> None:
        mark = launch.data / "twin-provisioned"
        if mark.exists() and mark.read_text(encoding="utf-8") == _PROVISIONED:
            return
        names = RoleNames.of(DATABASE)
        passwords = read_passwords(self.places.passwords)
        with psycopg.connect(**self.parameters(SUPERUSER, "postgres"), autocommit=True) as admin:
            make_roles(admin, names, passwords)
            make_database(admin, DATABASE, names.owner)
        with psycopg.connect(**self.parameters(SUPERUSER), autocommit=True) as admin:
            grant_database(admin, names, ours_alone=True)
        with psycopg.connect(**self.parameters(names.owner), autocommit=True) as owner:
            set_default_privileges(owner, names)
        mark.write_text(_PROVISIONED, encoding="utf-8")


def _last_line(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "FATAL" in line]
    return (errors or lines or ["it said nothing"])[-1]
