"""Bodies of requests: of the right type, not too long, strictly JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.request import UnreadablePostError
from django.utils.http import parse_header_parameters

from twin.api.errors import BodyTooLong, BodyUnreadable, ContentTypeWrong

LONGEST_BODY = 16 * 1024 * 1024
JSON = "application/json"
CHARSETS = ("utf-8", "utf8")
# A client that is cut off while it still sends sees a broken connection and not the answer,
# so what is left of a refused body is read and thrown away first, up to this bound.
LONGEST_DISCARDED = 4 * LONGEST_BODY
CHUNK = 256 * 1024
# A number of more digits is no quantity; written out, 1e999999999 would fill the memory.
LARGEST_EXPONENT = 30


def read_body(request: HttpRequest, media_types: tuple[str, ...]) -> str:
    """Read the whole body, so that `request.body` holds it; returns its media type.

    Refuses a type that is not in `media_types`, a charset other than UTF-8, an encoded
    body and one over 16 MiB, announced or not.
    """
    media_type = _media_type(request, media_types)
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > LONGEST_BODY:
        raise BodyTooLong(_too_long())
    try:
        if not length and is_chunked(request) and isinstance(request, WSGIRequest):
            _read_chunked(request)
        _ = request.body
    except (RequestDataTooBig, UnreadablePostError) as error:
        raise BodyUnreadable(f"The body could not be read: {error}") from error
    return media_type


def decode_json(body: bytes) -> Any:
    """The JSON value of the body; refuses NaN, numbers beyond reading and a key given twice."""
    if not body.strip():
        raise BodyUnreadable("The body is empty; send JSON.")
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_number,
            object_pairs_hook=_object_of,
        )
    except UnicodeDecodeError:
        raise BodyUnreadable("The body is not text in UTF-8.") from None
    except RecursionError:
        raise BodyUnreadable("The body is nested too deeply.") from None
    except ValueError as error:
        raise BodyUnreadable(f"The body is not JSON: {str(error)[:200]}") from None


def _media_type(request: HttpRequest, media_types: tuple[str, ...]) -> str:
    media_type, parameters = parse_header_parameters(request.META.get("CONTENT_TYPE", "") or "")
    if media_type.lower() not in media_types:
        raise ContentTypeWrong(f"Send the body as Content-Type {' or '.join(media_types)}.")
    if parameters.get("charset", "utf-8").lower() not in CHARSETS:
        raise ContentTypeWrong("Send the body in UTF-8.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() not in ("", "identity"):
        raise ContentTypeWrong("Send the body without Content-Encoding.")
    return media_type.lower()


def _read_chunked(request: WSGIRequest) -> None:
    stream = request.environ["wsgi.input"]
    parts: list[bytes] = []
    total = 0
    while part := stream.read(CHUNK):
        total += len(part)
        if total > LONGEST_BODY:
            raise BodyTooLong(_too_long())
        parts.append(part)
    # Where Django itself keeps what it has read; `request.body` has no other way in.
    request._body = b"".join(parts)  # noqa: SLF001 - see above


def discard_body(request: HttpRequest) -> None:
    """Read and throw away what is left of a body, up to a bound, so that a refusal reaches its sender."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > LONGEST_DISCARDED:
        return
    stream = request
    if not length and is_chunked(request) and isinstance(request, WSGIRequest):
        stream = request.environ["wsgi.input"]
    read = 0
    with suppress(OSError, UnreadablePostError):
        while read < LONGEST_DISCARDED and (part := stream.read(CHUNK)):
            read += len(part)


def forget_body(request: HttpRequest) -> None:
    """Let go of a body once it is answered.

    Django's request and its lazy user hold one another, so it lives on until a collection; with megabytes
    in it the memory of a busy worker would grow by each request in between.
    """
    if isinstance(request, WSGIRequest):
        request._body = b""  # noqa: SLF001 - where Django keeps what it has read
        request._stream = request.environ["wsgi.input"] = BytesIO()  # noqa: SLF001 - and what it reads from


def is_chunked(request: HttpRequest) -> bool:
    """Whether the length of the body is not announced; Django would take such a body for empty."""
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and bool(
        request.META.get("wsgi.input_terminated")
    )


def _too_long() -> str:
    return "The body is longer than 16 MiB; send it in parts."


def _number(text: str) -> int | float:
    """JSON knows one kind of number: 1.0 and 1e2 are whole; others stay floats, which no field takes."""
    value = Decimal(text)
    if not value:
        return 0
    if value.adjusted() <= LARGEST_EXPONENT and value == value.to_integral_value():
        return int(value)
    return float(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:64]!r} occurs twice in one object")
    return result
