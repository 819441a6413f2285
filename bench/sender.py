"""The client: a process of its own that posts requests encoded beforehand and measures the answers.

One thread and bare sockets: it runs on the same cores as what is measured, so it has to be cheap.
Who is told to come again (429) waits as long as `Retry-After` says and sends the same again: no usage is lost.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

SINGLE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_RETRY = re.compile(rb"\r\nretry-after: *(\d+)", re.IGNORECASE)
_ACCEPTED = re.compile(rb'"accepted":(\d+)')
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
# The digits of a UUID that are drawn; those that tell its version and variant stay.
_DRAWN = np.array([place for place in range(36) if place not in (8, 13, 14, 18, 19, 23)])
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_LONGEST_WAIT = 120.0
Figures = dict[str, Any]


@dataclass(eq=False)
class _Line:
    """One kept-alive connection with its request on the way, or waiting to be sent again."""

    socket: socket.socket
    request: bytes = b""
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    answer: bytes = b""
    begun: float = 0.0
    again_at: float = 0.0


@dataclass
class Tally:
    """What came back: seconds from the first try to the answer 200, events taken in, refusals and what they said."""

    seconds: list[float] = field(default_factory=list)
    accepted: int = 0
    refused: int = 0
    retry_after: Counter[int] = field(default_factory=Counter)

    def figures(self, wall: float) -> Figures:
        ordered = sorted(self.seconds) or [0.0]
        told = {name: ordered[len(ordered) * part // 100] for name, part in (("p50", 50), ("p95", 95), ("p99", 99))}
        return {
            "wall": wall,
            "requests": len(self.seconds),
            "accepted": self.accepted,
            "refused": self.refused,
            "retry_after": dict(self.retry_after),
            **told,
            "worst": ordered[-1],
        }


class Load:
    """Sends requests until there are no more; every `every` seconds it tells what came back since."""

    def __init__(self, requests: Iterator[bytes], port: int, every: float | None = None) -> None:
        self._requests = requests
        self._port = port
        self._every = every
        self._tally = Tally()
        self._told_at = 0.0
        self._under_way = 0
        self._paused: list[_Line] = []
        self._selector = selectors.DefaultSelector()

    def send_all(self, connections: int) -> Figures:
        """Send everything over that many connections; from the first request to the last answer."""
        with ExitStack() as closing:
            lines = []
            for _ in range(connections):
                lines.append(_Line(closing.enter_context(socket.create_connection(("127.0.0.1", self._port)))))
                lines[-1].socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                lines[-1].socket.setblocking(False)
                self._selector.register(lines[-1].socket, selectors.EVENT_READ, lines[-1])
            self._under_way = connections
            start = self._told_at = time.perf_counter()
            for line in lines:
                self._next(line)
            while self._under_way:
                self._turn()
        return self._tell() if self._every else self._tally.figures(time.perf_counter() - start)

    def _turn(self) -> None:
        patience = self._send_again() if self._paused else _LONGEST_WAIT
        ready = self._selector.select(patience)
        if not ready and not self._paused:
            raise RuntimeError(f"no answer for {_LONGEST_WAIT} s")
        for selected, events in ready:
            if events & selectors.EVENT_WRITE:
                self._push(selected.data)
            if events & selectors.EVENT_READ:
                self._read(selected.data)
        if self._every and time.perf_counter() - self._told_at >= self._every:
            print(json.dumps(self._tell()), flush=True)

    def _send_again(self) -> float:
        """Send what has waited long enough; seconds until the next of the others."""
        now = time.perf_counter()
        # A body whose refusal came early is sent to its end first.
        due = [line for line in self._paused if line.again_at <= now and not line.unsent]
        self._paused = [line for line in self._paused if line not in due]
        for line in due:
            self._send(line)
        return max(min((line.again_at for line in self._paused), default=now + _LONGEST_WAIT) - now, 0.001)

    def _tell(self) -> Figures:
        told, self._tally = self._tally, Tally()
        since, self._told_at = self._told_at, time.perf_counter()
        return told.figures(self._told_at - since)

    def _next(self, line: _Line) -> None:
        request = next(self._requests, None)
        if request is None:
            self._under_way -= 1
            return
        line.request, line.begun = request, time.perf_counter()
        self._send(line)

    def _send(self, line: _Line) -> None:
        line.unsent, line.answer = memoryview(line.request), b""
        self._push(line)

    def _push(self, line: _Line) -> None:
        with suppress(BlockingIOError):
            line.unsent = line.unsent[line.socket.send(line.unsent) :]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
        self._selector.modify(line.socket, wanted, line)

    def _read(self, line: _Line) -> None:
        part = line.socket.recv(65_536)
        if not part:
            raise RuntimeError(f"the connection was closed after {line.answer[:300]!r}")
        line.answer += part
        head = line.answer.find(b"\r\n\r\n")
        length = _LENGTH.search(line.answer, 0, head + 2) if head >= 0 else None
        if length is None or len(line.answer) < head + 4 + int(length[1]):
            return
        if line.answer[9:12] == b"429":
            self._wait(line, head)
        else:
            self._count(line, head)
            self._next(line)

    def _wait(self, line: _Line, head: int) -> None:
        retry = _RETRY.search(line.answer, 0, head + 2)
        if retry is None:
            raise RuntimeError(f"no Retry-After: {line.answer[:600]!r}")
        self._tally.refused += 1
        self._tally.retry_after[int(retry[1])] += 1
        line.answer, line.again_at = b"", time.perf_counter() + int(retry[1])
        self._paused.append(line)

    def _count(self, line: _Line, head: int) -> None:
        accepted = _ACCEPTED.search(line.answer, head)
        if line.answer[9:12] != b"200" or accepted is None:
            raise RuntimeError(f"{line.answer[:600]!r}")
        self._tally.seconds.append(time.perf_counter() - line.begun)
        self._tally.accepted += int(accepted[1])


class Renewed:
    """A body whose events get new keys each time it is sent."""

    def __init__(self, body: bytes, chance: np.random.Generator) -> None:
        self._bytes = np.frombuffer(body, dtype=np.uint8).copy()
        starts = np.array([found.start(1) for found in _ID.finditer(body)])
        self._places = starts[:, None] + _DRAWN
        self._chance = chance

    def next(self) -> bytes:
        self._bytes[self._places] = _HEX[self._chance.integers(0, 16, self._places.shape, dtype=np.uint8)]
        return self._bytes.tobytes()


def for_so_long(bodies: list[bytes], seconds: float) -> Iterator[bytes]:
    """The bodies over and over, each time with new keys, until the time is up."""
    chance = np.random.default_rng()
    renewed = [Renewed(body, chance) for body in bodies]
    end = time.perf_counter() + seconds
    for body in cycle(renewed):
        if time.perf_counter() >= end:
            return
        yield body.next()


def requests_of(bodies: Iterator[bytes], port: int, key: str, content_type: str) -> Iterator[bytes]:
    """Whole requests, head and body."""
    for body in bodies:
        head = (
            f"POST /api/v1/usage/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--seconds", type=float, help="go on for so long, the same events under new keys each time")
    parser.add_argument("--every", type=float, help="tell every so many seconds what came back since")
    arguments = parser.parse_args()
    key, bodies = pickle.loads(arguments.file.read_bytes())  # noqa: S301 - written by the process that started this one
    endless = arguments.seconds is not None
    wanted = for_so_long(bodies, arguments.seconds) if endless else iter(bodies)
    requests = requests_of(wanted, arguments.port, key, SINGLE if arguments.single else BATCH)
    if not endless:
        requests = iter(list(requests))  # made before anything is measured
    print(json.dumps(Load(requests, arguments.port, arguments.every).send_all(arguments.connections)), flush=True)


if __name__ == "__main__":
    main()
