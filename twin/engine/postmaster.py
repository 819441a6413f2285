"""One running PostgreSQL: found, started, stopped, its remains cleared away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from twin.engine.account import Account
from twin.engine.places import data_of, socket_of

LARGEST_LOG = 10 * 1024 * 1024

# Statements come with their values in them, names and hashes among them; so do details of errors ("Key (email)=…").
# What is slow is in Twin's own log, without values (`kernel/slow_queries.py`).
_SILENT = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class Launch:
    """Everything needed to start the server again as it was."""

    account: Account
    programs: Path
    cluster: Path
    socket_folder: Path
    settings: dict[str, str]

    @property
    def data(self) -> Path:
        return data_of(self.cluster)

    @property
    def log(self) -> Path:
        return self.cluster / "postgresql.log"

    def write(self, path: Path) -> None:
        stored = {
            "account": self.account.as_json(),
            "programs": str(self.programs),
            "cluster": str(self.cluster),
            "socket_folder": str(self.socket_folder),
            "settings": self.settings,
        }
        growing = path.with_suffix(".growing")
        growing.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        growing.rename(path)

    @classmethod
    def read(cls, path: Path) -> Launch:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            Account.from_json(stored["account"]),
            Path(stored["programs"]),
            Path(stored["cluster"]),
            Path(stored["socket_folder"]),
            stored["settings"],
        )


class Postmaster:
    """The parent process of a running server, our child or found alive."""

    def __init__(self, process: psutil.Process, child: subprocess.Popen[bytes] | None) -> None:
        self._process = process
        self._child = child

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        if self._child is not None:
            return self._child.poll() is None
        return _lives(self._process)

    def stop(self, *, seconds: float = 60) -> None:
        """End every session and shut down in order; when that takes too long, at once (the next start recovers)."""
        for how, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            if self._end(how, patience):
                return

    def _end(self, how: signal.Signals, patience: float) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.send_signal(how)
        deadline = time.monotonic() + patience
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that works on this data directory now.

    The number in `postmaster.pid` proves nothing: it may be left from
    a crash, and the kernel may have given it to another program since.
    """
    try:
        pid = int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return None
    return Postmaster(process, None) if _lives(process) and _works_in(process, data) else None


def start_postmaster(launch: Launch) -> Postmaster:
    """Start the server; whether it comes up is seen at its socket and in its log."""
    clear_remains(launch)
    turn_log(launch.log)
    settings = [part for name, value in (launch.settings | _SILENT).items() for part in ("-c", f"{name}={value}")]
    with launch.log.open("ab") as log:
        child = launch.account.start(
            [launch.programs / "postgres", "-D", launch.data, *settings], output=log, cwd=launch.cluster
        )
    return Postmaster(psutil.Process(child.pid), child)


def clear_remains(launch: Launch) -> None:
    """Remove what a killed server leaves behind. Only for who holds the locks and found no living server."""
    _end_orphans(launch.data)
    lock_file = socket_of(launch.socket_folder).with_name(socket_of(launch.socket_folder).name + ".lock")
    for remains in (launch.data / "postmaster.pid", socket_of(launch.socket_folder), lock_file):
        remains.unlink(missing_ok=True)


def is_listening(socket_folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(socket_of(socket_folder)))
        except OSError:
            return False
    return True


def turn_log(log: Path, largest: int = LARGEST_LOG) -> None:
    """Put a log that outgrew `largest` bytes aside, in the place of the one before, and let it begin anew.

    Also under a running server, which goes on at the new end; lines written in that moment may be lost.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size > largest:
            # Where the disk is full, the log makes room all the same.
            with contextlib.suppress(OSError):
                shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def last_words(log: Path) -> str:
    """The line of the log that says best why the server is not there."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-20:]
    except OSError:
        return "its log cannot be read"
    telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
    return (telling or lines or ["its log is empty"])[-1].strip()


def _end_orphans(data: Path) -> None:
    # Sessions outlive a killed parent for as long as they compute, and hold the shared memory
    # without which no new server may start on these data.
    for process in psutil.process_iter():
        if process.pid != os.getpid() and _lives(process) and _works_in(process, data):
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGQUIT)
                process.wait(5)


def _works_in(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name().startswith("postgres") and os.path.samefile(process.cwd(), data)
    except (psutil.Error, OSError):
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
