"""One tenant floods, another goes on: what the other notices, what the flood is told, what memory it takes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from bench.market import Market, Usage
from tests.flows.installation import ROOT, Installation

Figures = dict[str, Any]
FLOOD_CONNECTIONS, FLOOD_BATCH, FLOOD_BODIES = 64, 5_000, 24
NEIGHBOUR_CONNECTIONS, NEIGHBOUR_BODIES = 4, 4_000
# The flood is there before the neighbour is measured, and after.
MARGIN = 5.0


def start_sender(
    installation: Installation, file: Path, key: str, bodies: list[bytes], connections: int, *options: str
) -> subprocess.Popen[str]:
    """The client as a process, acting with this key; it writes a line of JSON per interval to its standard output."""
    file.write_bytes(pickle.dumps((key, bodies)))
    return subprocess.Popen(
        [sys.executable, "-m", "bench.sender", str(file), "--port", str(installation.port),
         "--connections", str(connections), *options],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def measure(installation: Installation, folder: Path, flood: Market, neighbour: Market, seconds: float) -> Figures:
    """Single events of one reseller alone, then beside another reseller's flood of full batches."""
    singles = [line.encode() for line in Usage(neighbour, 71, 0.98).lines(NEIGHBOUR_BODIES)]
    batches = Usage(flood, 72, 0.98).bodies(FLOOD_BODIES, FLOOD_BATCH)

    def neighbours(duration: float) -> Figures:
        options = ("--single", "--seconds", str(duration))
        file, key = folder / "neighbour", neighbour.reseller_key
        return _result(start_sender(installation, file, key, singles, NEIGHBOUR_CONNECTIONS, *options))

    warm = neighbours(2)  # connections, caches and plans are made
    alone = neighbours(max(seconds / 3, 5))
    with _Watch(installation) as watch:
        options = ("--seconds", str(seconds))
        sender = start_sender(installation, folder / "flood", flood.reseller_key, batches, FLOOD_CONNECTIONS, *options)
        try:
            with suppress(subprocess.TimeoutExpired):
                sender.wait(MARGIN)
            beside = neighbours(max(seconds - 2 * MARGIN, 5))
            flooding = _result(sender)
        finally:
            sender.kill()
    return {
        "seconds": seconds,
        "warm": warm,
        "alone": alone,
        "beside": beside,
        "flood": flooding,
        "memory_mb": watch.largest_mb(),
    }


def _result(sender: subprocess.Popen[str]) -> Figures:
    told, _ = sender.communicate()
    if sender.returncode:
        raise RuntimeError(f"the sender ended with {sender.returncode}")
    figures: Figures = json.loads(told)
    return figures


class _Watch:
    """The most that each serving process held resident meanwhile."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._largest: dict[int, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._ended.wait(0.25):
            with suppress(psutil.NoSuchProcess):
                for pid, size in self._installation.memory().items():
                    self._largest[pid] = max(self._largest.get(pid, 0), size)

    def largest_mb(self) -> list[float]:
        return sorted((size / 1e6 for size in self._largest.values()), reverse=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        self._thread.join()
