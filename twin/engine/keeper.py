"""A small process that starts the embedded database, restarts it when it dies, and stops it when nobody uses it.

It is a process of its own so that no command of Twin has to outlive another, and
so that a command that is killed leaves no server behind: leases are kernel locks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from twin.engine.locks import FileLock
from twin.engine.places import Places, usual_socket_folder
from twin.engine.postmaster import Launch, Postmaster, find_postmaster, is_listening, start_postmaster, turn_log

_PAUSE = 0.1
_LONGEST_QUESTION = 2.0
# A server that dies so often in so many seconds is not brought back: the log says why.
_MOST_RESTARTS = 5
_RESTART_WINDOW = 60.0


class Keeper:
    def __init__(self, places: Places) -> None:
        self._launch = Launch.read(places.launch)
        self._start_lock = FileLock(places.start_lock)
        self._lease = FileLock(places.lease)
        self._told_to_stop = False
        self._restarts: list[float] = []
        self._was_up = False

    def keep(self) -> int:
        """Until the last lease is given back or a signal comes; the exit code."""
        signal.signal(signal.SIGTERM, self._remember_signal)
        signal.signal(signal.SIGINT, self._remember_signal)
        server = find_postmaster(self._launch.data) or start_postmaster(self._launch)
        while not self._told_to_stop and not self._is_last_out():
            if not server.is_alive():
                again = self._restart()
                if again is None:
                    return 1
                server = again
            self._was_up = self._was_up or is_listening(self._launch.socket_folder)
            turn_log(self._launch.log)
            time.sleep(_PAUSE)
        server.stop()
        self._remove_temporary_folder()
        return 0

    def _restart(self) -> Postmaster | None:
        now = time.monotonic()
        self._restarts = [moment for moment in self._restarts if now - moment < _RESTART_WINDOW] + [now]
        is_hopeless = not self._was_up or len(self._restarts) > _MOST_RESTARTS
        if is_hopeless or not (self._launch.data / "PG_VERSION").exists():
            return None
        print(f"{time.strftime('%FT%T')} the database died and is started again", flush=True)
        return start_postmaster(self._launch)

    def _remove_temporary_folder(self) -> None:
        # The next start makes a new one; under a temporary directory nothing of ours should outlast us.
        folder = self._launch.socket_folder
        if folder != usual_socket_folder(self._launch.cluster):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _is_last_out(self) -> bool:
        """True with the start lock held: nobody can come in while the server stops."""
        if not self._lease.try_exclusive():
            return False
        self._lease.release()
        if not self._start_lock.try_exclusive():
            return False
        if self._lease.try_exclusive():
            return True
        self._start_lock.release()
        return False

    def _remember_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop = True


def main(control: str) -> int:
    places = Places(Path(control))
    alone = FileLock(places.keeper_lock)
    # Who asks whether there is a keeper holds this lock for a moment, so one refusal proves nothing.
    if not alone.wait_exclusive(_LONGEST_QUESTION):
        return 0
    os.chdir("/")
    return Keeper(places).keep()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
