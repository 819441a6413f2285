"""One event is one line of JSON, whatever is in it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from tests.logbook import events, log_lines
from twin.kernel.requests import request_context

FORGED = 'ann\r\n{"event": "login", "level": "info"}\x1b[2K\u2028\x00'


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What our handler writes, wherever the event comes from."""
    with log_lines() as written:
        yield written


def test_input_cannot_forge_a_line(lines: io.StringIO) -> None:
    structlog.stdlib.get_logger("twin.security").warning("login_failed", name=FORGED, **{"na\nme": "x"})
    logging.getLogger("twin.trial").warning("not found: %s", FORGED)
    found = events(lines)
    assert len(found) == 2
    assert lines.getvalue().isascii()
    assert [event["level"] for event in found] == ["warning", "warning"]
    assert found[0]["event"] == "login_failed"
    assert FORGED in found[1]["event"]


def test_a_line_says_when_in_utc_and_from_where(lines: io.StringIO) -> None:
    logging.getLogger("twin.trial").warning("x")
    event = events(lines)[0]
    assert event["at"].endswith("Z")
    assert (event["logger"], event["level"]) == ("twin.trial", "warning")


def test_lines_never_name_people_or_secrets(lines: io.StringIO) -> None:
    log = structlog.stdlib.get_logger("twin.trial")
    log.warning("trial", email="ann.acre@example.com", phone="+491701234567", password="harbour", code="918273")
    try:
        raise ValueError("Key (email)=(ann.acre@example.com) at smtp://ann:harbour@mail.example.com exists")
    except ValueError:
        log.exception("failed")
    logging.getLogger("django.request").warning("Not Found: /recovery/c2lnbmVkLXRva2Vu123-harbour0")
    text = lines.getvalue()
    assert len(events(lines)) == 3
    for canary in ("ann.acre", "1701234", "harbour", "918273"):
        assert canary not in text, canary
    assert "Traceback" in text


def answer_of(request: HttpRequest, log: bool = True) -> HttpResponse:
    def view(_request: HttpRequest) -> HttpResponse:
        logging.getLogger("twin.trial").warning("seen")
        return HttpResponse()

    return request_context(view)(request)


def test_lines_of_one_request_carry_its_id(lines: io.StringIO) -> None:
    answers = [answer_of(RequestFactory().get("/", REMOTE_ADDR="203.0.113.9")) for _ in range(2)]
    ids = [answer["X-Request-ID"] for answer in answers]
    assert [event["request"] for event in events(lines)] == ids
    assert [event["peer"] for event in events(lines)] == ["203.0.113.9"] * 2
    assert len(set(ids)) == 2


@pytest.mark.parametrize(("proxies", "given", "kept"), [(0, "abcdefgh", 0), (1, "abcdefgh", 1), (1, "a\nb" * 5, 0)])
def test_only_a_proxy_of_ours_names_a_request(settings: Any, proxies: int, given: str, kept: int) -> None:
    settings.TRUSTED_PROXIES = proxies
    answer = answer_of(RequestFactory().get("/", HTTP_X_REQUEST_ID=given))
    assert (answer["X-Request-ID"] == given) is bool(kept)
