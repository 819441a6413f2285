"""Locks between processes that the kernel releases by itself when their holder dies."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path


class FileLock:
    """A lock on an open file (flock): a process that is killed gives it back at once.

    The file itself means nothing and is never removed: removing it
    would let two processes hold a lock on two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def try_exclusive(self) -> bool:
        """Take it alone; False when anyone else holds it."""
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self, seconds: float) -> bool:
        """Take it alone, waiting so long at most."""
        deadline = time.monotonic() + seconds
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def share(self) -> None:
        """Take it beside others who share it; waits for one who holds it alone."""
        fcntl.flock(self._open(), fcntl.LOCK_SH)

    def release(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._open(), kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor
