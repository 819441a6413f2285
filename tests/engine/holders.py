"""Processes that join a database, say so, and stay until they are told to go or are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys
from pathlib import Path
from twin.engine.server import EmbeddedServer, Wishes
EmbeddedServer(Path(sys.argv[1]), Wishes(is_durable=False)).join()
print("joined", flush=True)
sys.stdin.read()
"""


class Holders:
    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._started: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        """One more process, on its way to join."""
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(self._data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        )
        self._started.append(process)
        return process

    def join(self) -> subprocess.Popen[str]:
        """One more process that has joined."""
        process = self.start()
        self.expect_joined(process)
        return process

    @staticmethod
    def expect_joined(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.readline()
        assert said == "joined\n", process.stderr.read()

    def end_all(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()
