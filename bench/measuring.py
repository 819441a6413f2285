"""One measurement each; all against the same running installation."""

from __future__ import annotations

import json
import os
import pickle
import re
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.anchors import BARE, KEYED, Anchors
from bench.market import Market, Usage
from tests.flows.installation import ROOT, Client, Installation

# About as many events under way with either size of batch.
CONNECTIONS = {1_000: 16, 5_000: 8}
WRITERS = 2
_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)
Figures = dict[str, Any]


@dataclass
class Bench:
    """A running installation with its market; `folder` holds what is sent."""

    installation: Installation
    market: Market
    anchors: Anchors
    folder: Path
    seed: int = 1

    def next_usage(self, recent: float) -> Usage:
        self.seed += 1
        return Usage(self.market, self.seed, recent)

    # Filling ----------------------------------------------------------------

    def import_events(self, number: int) -> Figures:
        """`twin usage import` of a file; events per second from start to end of the command, and its memory."""
        file = self.folder / "usage.ndjson"
        with file.open("w") as target:
            for line in self.next_usage(recent=0).lines(number):
                target.write(line + "\n")
        start = time.perf_counter()
        command = subprocess.Popen(
            [sys.executable, "-m", "twin", "usage", "import", str(file)],
            cwd=ROOT, env=self.installation.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        largest = watch_memory(command.pid)
        told, _ = command.communicate()
        wall = time.perf_counter() - start
        if command.returncode or f"accepted={number} " not in told:
            raise RuntimeError(f"import: exit {command.returncode}, {told}")
        file.unlink()
        return {"events": number, "seconds": wall, "events_per_second": number / wall, "memory_mb": largest / 1e6}

    # Batches ----------------------------------------------------------------

    def ingest(self, size: int, batches: int) -> Figures:
        """HTTP request to durable and charged, then raw COPY of the very same rows, on the same server."""
        bodies = self.next_usage(recent=0.98).bodies(batches, size)
        busy = Cpu(self.installation)
        sent = self.send(bodies, CONNECTIONS[size])
        cpu = busy.seconds()
        chunks = self.anchors.new_chunks(size)
        rows = sum(number for _, number in chunks)
        if not sent["accepted"] == rows == size * batches:
            raise RuntimeError(f"{sent['accepted']} accepted, {rows} stored of {size * batches}")
        rate = rows / sent["wall"]
        bare = self.anchors.copy(BARE, chunks, WRITERS)
        keyed = self.anchors.copy(KEYED, chunks, WRITERS)
        return {
            "connections": CONNECTIONS[size],
            "events": rows,
            "events_per_second": rate,
            "bare_per_second": bare,
            "keyed_per_second": keyed,
            "of_bare": rate / bare,
            "of_keyed": rate / keyed,
            "p50_ms": sent["p50"] * 1000,
            "p99_ms": sent["p99"] * 1000,
            "cpu_seconds_per_million": cpu / rows * 1e6,
        }

    def singles(self, requests: int, connections: int) -> Figures:
        """Requests of one event each."""
        bodies = [line.encode() for line in self.next_usage(recent=0.98).lines(requests)]
        sent = self.send(bodies, connections, "--single")
        return {
            "requests": sent["requests"],
            "requests_per_second": sent["requests"] / sent["wall"],
            "p50_ms": sent["p50"] * 1000,
            "p95_ms": sent["p95"] * 1000,
            "p99_ms": sent["p99"] * 1000,
        }

    def send(self, bodies: list[bytes], connections: int, *options: str) -> Figures:
        file = self.folder / "bodies"
        file.write_bytes(pickle.dumps((self.market.key, bodies)))
        done = subprocess.run(
            [sys.executable, "-m", "bench.sender", str(file), "--port", str(self.installation.port),
             "--connections", str(connections), *options],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        figures: Figures = json.loads(done.stdout)
        return figures

    # Reports ----------------------------------------------------------------

    def report(self, key: str, query: str, times: int = 7) -> Figures:
        """The report as JSON over HTTP; milliseconds from request to last byte."""
        with Client(self.installation.port, key) as client:
            path = f"/api/v1/reports/reseller-companies?{query}"
            answer = client.get(path)
            if answer.status != 200:
                raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
            taken = []
            for _ in range(times):
                begun = time.perf_counter()
                client.get(path)
                taken.append((time.perf_counter() - begun) * 1000)
        sections = answer.json["sections"]
        return {
            "rows": len(sections["messaging"]["rows"]),
            "events": sum(cell["count"] for part in sections.values() for cell in part["totals"]["meters"].values()),
            "median_ms": statistics.median(taken),
            "worst_ms": max(taken),
            "answer_kb": len(answer.body) / 1000,
        }

    def memory(self) -> list[float]:
        """The most megabytes that each serving process has ever held resident."""
        return sorted((peak_memory(process) / 1e6 for process in self.installation.serving_processes()), reverse=True)


class Cpu:
    """Processor seconds of Twin and its database from here on; the client's are not in them."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.before = self._total()

    def seconds(self) -> float:
        return self._total() - self.before

    def _total(self) -> float:
        postmaster = self.installation.postmaster()
        processes = self.installation.serving_processes()
        if postmaster is not None:
            processes += [postmaster, *postmaster.children(recursive=True)]
        total = 0.0
        for process in processes:
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
            if process == postmaster:
                # Of servers whose connections have ended meanwhile.
                total += times.children_user + times.children_system
        return total


def children_cpu() -> float:
    """Processor seconds of all commands that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory(process: psutil.Process) -> int:
    """The most bytes it ever held resident, as the kernel counts it; where it does not say, what is resident now."""
    status = Path(f"/proc/{process.pid}/status")
    found = _PEAK.search(status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else int(process.memory_info().rss)


def watch_memory(pid: int) -> int:
    """The largest resident size of a process, looked at until it ends."""
    largest = 0
    try:
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            largest = max(largest, process.memory_info().rss)
            time.sleep(0.1)
    except psutil.NoSuchProcess:
        pass
    return largest


def median_of(runs: list[Figures]) -> Figures:
    """Each figure's median over the runs, and the spread of the first rate as noise."""
    whole = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    rate = next(name for name in runs[0] if name.endswith("_per_second"))
    seen = [run[rate] for run in runs]
    return whole | {"noise": (max(seen) - min(seen)) / whole[rate], "runs": len(runs)}


def load_average() -> float:
    return os.getloadavg()[0]
