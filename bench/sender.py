"""The client: a process of its own that posts requests encoded beforehand and measures the answers."""

from __future__ import annotations

import argparse
import json
import pickle
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue

from tests.flows.installation import Client

SINGLE = "application/cloudevents+json"


class Load:
    """Requests that wait to be sent, and what came back."""

    def __init__(self, bodies: list[bytes], port: int, key: str, *, single: bool) -> None:
        self.waiting: SimpleQueue[bytes] = SimpleQueue()
        for body in bodies:
            self.waiting.put(body)
        self.port, self.key, self.single = port, key, single
        self.seconds: list[float] = []
        self.accepted = 0
        self.lock = threading.Lock()

    def send_all(self, connections: int) -> float:
        """Send everything over that many connections; seconds from the first request to the last answer."""
        threads = [threading.Thread(target=self._send) for _ in range(connections)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    def _send(self) -> None:
        accepted, seconds = 0, []
        with Client(self.port, self.key, timeout=120) as client:
            while True:
                try:
                    body = self.waiting.get_nowait()
                except Empty:
                    break
                begun = time.perf_counter()
                if self.single:
                    answer = client.ask("POST", "/api/v1/usage/events", body, Content_Type=SINGLE)
                else:
                    answer = client.send_events(body)
                seconds.append(time.perf_counter() - begun)
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status}: {answer.body[:300]!r}")
                accepted += answer.json["accepted"]
        with self.lock:
            self.accepted += accepted
            self.seconds += seconds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--single", action="store_true")
    arguments = parser.parse_args()
    key, bodies = pickle.loads(arguments.file.read_bytes())  # noqa: S301 - written by the process that started this one
    load = Load(bodies, arguments.port, key, single=arguments.single)
    wall = load.send_all(arguments.connections)
    ordered = sorted(load.seconds)
    json.dump(
        {
            "wall": wall,
            "requests": len(ordered),
            "accepted": load.accepted,
            "p50": ordered[len(ordered) // 2],
            "p95": ordered[len(ordered) * 95 // 100],
            "p99": ordered[len(ordered) * 99 // 100],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
