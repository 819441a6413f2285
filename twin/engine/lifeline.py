"""Children that end when their parent does, however it ends.

The parent holds a kernel lock; each child waits for that lock in a thread.
It falls free the moment the parent dies, `kill -9` included.
"""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path

from twin.engine.locks import FileLock

VARIABLE = "TWIN_LIFELINE"
_PREFIX = "lifeline-"
_GRACE = 5.0


class Lifeline:
    """Held by the parent as long as its children shall live."""

    def __init__(self, folder: Path) -> None:
        _clear_left(folder)
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, dir=folder)
        os.close(descriptor)
        self.path = Path(name)
        self._lock = FileLock(self.path)
        self._lock.try_exclusive()

    def cut(self) -> None:
        self._lock.release()
        self.path.unlink(missing_ok=True)


def end_with_parent() -> None:
    """From now on this process ends soon after the parent named in the environment; without one, nothing happens."""
    path = os.environ.get(VARIABLE)
    if path:
        threading.Thread(target=_wait_and_end, args=(FileLock(Path(path)),), name="lifeline", daemon=True).start()


def _wait_and_end(lock: FileLock) -> None:
    lock.share()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


def _clear_left(folder: Path) -> None:
    for left in folder.glob(f"{_PREFIX}*"):
        lock = FileLock(left)
        if lock.try_exclusive():
            left.unlink(missing_ok=True)
        lock.release()
