"""Reading bodies of announced and unannounced length."""

from __future__ import annotations

import io

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory

from twin.api.bodies import LONGEST_BODY, decode_json, discard_body, read_body
from twin.api.errors import BodyTooLong, BodyUnreadable

JSON = "application/json"


def chunked(body: bytes) -> WSGIRequest:
    """As the server hands it on: no length, and a stream with an end of its own."""
    environ = RequestFactory().post("/", b"x", content_type=JSON).environ
    environ.pop("CONTENT_LENGTH", None)
    environ |= {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True,
        "wsgi.input": io.BytesIO(body),
    }
    return WSGIRequest(environ)


def announced(body: bytes) -> WSGIRequest:
    return WSGIRequest(RequestFactory().post("/", body, content_type=JSON).environ)


def test_a_chunked_body_is_read_whole() -> None:
    request = chunked(b'{"a": 1}')
    assert read_body(request, (JSON,)) == JSON
    assert request.body == b'{"a": 1}'


def test_a_chunked_body_may_be_as_long_as_an_announced_one_and_no_longer() -> None:
    longest = chunked(b"a" * LONGEST_BODY)
    read_body(longest, (JSON,))
    assert len(longest.body) == LONGEST_BODY
    with pytest.raises(BodyTooLong):
        read_body(chunked(b"a" * (LONGEST_BODY + 1)), (JSON,))


def test_an_announced_body_that_is_too_long_is_refused_unread() -> None:
    request = announced(b"a" * (LONGEST_BODY + 1))
    with pytest.raises(BodyTooLong):
        read_body(request, (JSON,))


def test_what_is_left_of_a_refused_body_is_read_so_that_the_answer_arrives() -> None:
    known, unknown = announced(b"a" * 100_000), chunked(b"a" * 100_000)
    discard_body(known)
    discard_body(unknown)
    assert known.read() == b""
    assert unknown.environ["wsgi.input"].read() == b""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1),
        ("1e2", 100),
        ("-0.0", 0),
        ("0e999999999", 0),
        ("1.5", 1.5),
        ("12345678901234567890", 12345678901234567890),
    ],
)
def test_a_whole_number_is_read_as_one(text: str, value: float) -> None:
    found = decode_json(text.encode())
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["NaN", "-Infinity", '{"a": 1, "a": 2}', "\ufeff{}", "{} {}", "01", "[1,]"])
def test_what_is_not_strict_json_is_unreadable(text: str) -> None:
    with pytest.raises(BodyUnreadable):
        decode_json(text.encode())
