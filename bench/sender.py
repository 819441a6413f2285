"""The client: a process of its own that posts requests encoded beforehand and measures the answers.

One thread and bare sockets: it runs on the same cores as what is measured, so it has to be cheap.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import selectors
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

SINGLE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ACCEPTED = re.compile(rb'"accepted":(\d+)')
_LONGEST_WAIT = 120


@dataclass
class _Line:
    """One kept-alive connection with its request on the way."""

    socket: socket.socket
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    answer: bytes = b""
    begun: float = 0.0


class Load:
    """Requests that wait to be sent, and what came back."""

    def __init__(self, bodies: list[bytes], port: int, key: str, *, single: bool) -> None:
        self.waiting = [_request(body, port, key, SINGLE if single else BATCH) for body in reversed(bodies)]
        self.port = port
        self.seconds: list[float] = []
        self.accepted = 0
        self._lines = selectors.DefaultSelector()

    def send_all(self, connections: int) -> float:
        """Send everything over that many connections; seconds from the first request to the last answer."""
        lines = [_Line(socket.create_connection(("127.0.0.1", self.port))) for _ in range(connections)]
        for line in lines:
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.socket.setblocking(False)
            self._lines.register(line.socket, selectors.EVENT_READ, line)
        left = len(self.waiting)
        start = time.perf_counter()
        for line in lines:
            self._next(line)
        while len(self.seconds) < left:
            ready = self._lines.select(_LONGEST_WAIT)
            if not ready:
                raise RuntimeError(f"no answer for {_LONGEST_WAIT} s")
            for selected, events in ready:
                if events & selectors.EVENT_WRITE:
                    self._push(selected.data)
                if events & selectors.EVENT_READ:
                    self._read(selected.data)
        wall = time.perf_counter() - start
        for line in lines:
            line.socket.close()
        return wall

    def _next(self, line: _Line) -> None:
        if self.waiting:
            line.unsent, line.answer, line.begun = memoryview(self.waiting.pop()), b"", time.perf_counter()
            self._push(line)

    def _push(self, line: _Line) -> None:
        with suppress(BlockingIOError):
            line.unsent = line.unsent[line.socket.send(line.unsent) :]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
        self._lines.modify(line.socket, wanted, line)

    def _read(self, line: _Line) -> None:
        part = line.socket.recv(65_536)
        if not part:
            raise RuntimeError(f"the connection was closed after {line.answer[:300]!r}")
        line.answer += part
        head = line.answer.find(b"\r\n\r\n")
        length = _LENGTH.search(line.answer, 0, head + 2) if head >= 0 else None
        if length is None or len(line.answer) < head + 4 + int(length[1]):
            return
        self.seconds.append(time.perf_counter() - line.begun)
        accepted = _ACCEPTED.search(line.answer, head)
        if line.answer[9:12] != b"200" or accepted is None:
            raise RuntimeError(f"{line.answer[:600]!r}")
        self.accepted += int(accepted[1])
        self._next(line)


def _request(body: bytes, port: int, key: str, content_type: str) -> bytes:
    head = (
        f"POST /api/v1/usage/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


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
