"""A control group (cgroup v2) with so much memory and no more; what the kernel caches of files counts too."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

PROC = Path("/proc/self")
_PATIENCE = 5.0


class NoLimit(Exception):
    """This machine gives this process no control group that could limit memory; the message says why."""


class MemoryLimit:
    """A group of its own; `hold` puts processes into it, and whatever they start afterwards is in it too.

    On leaving the group is removed; processes that still live go back where this one is.
    """

    def __init__(self, parent: Path, home: Path, megabytes: int) -> None:
        self._home = home
        self.group = parent / f"twin-bench-{os.getpid()}"
        self.group.mkdir()
        try:
            (self.group / "memory.max").write_text(str(megabytes * 2**20))
            with suppress(OSError):  # where there is no swap there is no such file
                (self.group / "memory.swap.max").write_text("0")
        except OSError as refused:
            self.remove()
            raise NoLimit(f"memory.max cannot be written in {parent}: {refused.strerror}") from refused

    def __enter__(self) -> MemoryLimit:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()

    def hold(self, pids: Iterable[int]) -> None:
        """Put these processes into the group; those that have ended meanwhile are passed over."""
        for pid in pids:
            with suppress(ProcessLookupError):
                (self.group / "cgroup.procs").write_text(str(pid))

    def peak_mb(self) -> float | None:
        """The most the group ever held, page cache included; None where the kernel does not say."""
        with suppress(OSError, ValueError):
            return int((self.group / "memory.peak").read_text()) / 1e6
        return None

    def remove(self, patience: float = _PATIENCE) -> None:
        """The kernel removes an empty group only, so who is left goes home first."""
        end = time.monotonic() + patience
        while self.group.exists():
            with suppress(OSError):
                for pid in (self.group / "cgroup.procs").read_text().split():
                    (self._home / "cgroup.procs").write_text(pid)
            try:
                self.group.rmdir()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def limit_memory(megabytes: int, proc: Path = PROC) -> MemoryLimit:
    """A new group beside or beneath this process's own; raises `NoLimit` where none may be made."""
    root, own = _mounted(proc), _own_path(proc)
    parent = _parent(root, own)
    try:
        return MemoryLimit(parent, root / own, megabytes)
    except OSError as refused:
        raise NoLimit(f"no control group can be made in {parent}: {refused.strerror}") from refused


def _mounted(proc: Path) -> Path:
    for line in (proc / "mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise NoLimit("this machine has no cgroup v2")


def _own_path(proc: Path) -> str:
    for line in (proc / "cgroup").read_text().splitlines():
        if line.startswith("0::"):
            return line.removeprefix("0::").strip("/")
    raise NoLimit("this process is in no group of cgroup v2")


def _parent(root: Path, own: str) -> Path:
    """The nearest group, from this process's own upwards, that hands memory down to the groups within it."""
    group = root / own
    while True:
        handed = group / "cgroup.subtree_control"
        if handed.exists() and "memory" in handed.read_text().split():
            return group
        if group == root:
            raise NoLimit(f"cgroup v2 at {root} hands no memory controller to groups of this process")
        group = group.parent
