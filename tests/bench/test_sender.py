"""The client of the bench: who is told to come again comes again, and no usage is lost or sent twice as new."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from bench.sender import BATCH, Load, Renewed, requests_of

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Full(BaseHTTPRequestHandler):
    """Refuses each body the first time it sees it."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]
    retry_after = "0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_new = body not in self.seen
        self.seen.append(body)
        answer = b"{}" if is_new else b'{"accepted":3}'
        self.send_response(429 if is_new else 200)
        if is_new and self.retry_after:
            self.send_header("Retry-After", self.retry_after)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Full.seen, Full.retry_after = [], "0"
    made = ThreadingHTTPServer(("127.0.0.1", 0), Full)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def load(server: ThreadingHTTPServer, bodies: list[bytes]) -> Load:
    return Load(requests_of(iter(bodies), server.server_port, "key", BATCH), server.server_port)


def test_what_is_refused_is_counted_and_sent_again_until_it_is_taken(server: ThreadingHTTPServer) -> None:
    bodies = [b"one", b"two", b"three", b"four", b"five"]
    figures = load(server, bodies).send_all(2)
    assert (figures["requests"], figures["accepted"], figures["refused"]) == (5, 15, 5)
    assert figures["retry_after"] == {0: 5}
    assert sorted(Full.seen) == sorted(bodies * 2)


def test_it_waits_as_long_as_it_is_told(server: ThreadingHTTPServer) -> None:
    Full.retry_after = "1"
    figures = load(server, [b"one"]).send_all(1)
    assert figures["wall"] >= 1
    assert figures["p50"] >= 1


def test_a_refusal_that_does_not_say_when_to_come_again_ends_it(server: ThreadingHTTPServer) -> None:
    Full.retry_after = ""
    with pytest.raises(RuntimeError, match="no Retry-After"):
        load(server, [b"one"]).send_all(1)


def test_a_body_sent_again_has_new_keys_and_nothing_else_new() -> None:
    ids = [b"0b2c8f3a-1d5e-4f60-9a7b-0c1d2e3f4a5b", b"ffffffff-ffff-4fff-bfff-ffffffffffff"]
    body = b'[{"id":"%s","subject":"7"},{"id":"%s","subject":"8"}]' % tuple(ids)
    renewed = Renewed(body, np.random.default_rng(1))
    first, second = renewed.next(), renewed.next()
    assert len({*ids, *UUID.findall(first), *UUID.findall(second)}) == 6
    assert {UUID.sub(b"", each) for each in (body, first, second)} == {
        b'[{"id":"","subject":"7"},{"id":"","subject":"8"}]'
    }
