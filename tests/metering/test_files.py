"""Usage in files, read as their writers meant them."""

from __future__ import annotations

import io
import json

from tests.metering.test_taking import event
from twin.metering.rules.files import read_csv, read_ndjson

HEADER = "id,company,time,meter,quantity\n"


def test_a_mark_of_the_encoding_before_the_first_line_is_no_part_of_it() -> None:
    lines = b"\xef\xbb\xbf" + json.dumps(event(7, "a")).encode() + b"\r\n"

    [chunk] = read_ndjson(io.BytesIO(lines), None)

    assert [one.id for one in chunk.decoded.events] == ["a"]


def test_quantities_of_rows_are_numbers_as_in_json() -> None:
    rows = "".join(f"{text},7,2026-03-01T00:00:00Z,sms.sent,{text}\n" for text in ("2.0", "-1", "1.5", ""))

    [chunk] = read_csv(io.BytesIO((HEADER + rows).encode()), "smsc-1")

    assert [one.data.quantity for one in chunk.decoded.events] == [2]
    assert [(refusal.id, refusal.detail) for refusal in chunk.decoded.rejected] == [
        ("-1", "data.quantity: Expected `int` >= 0"),
        ("1.5", "data.quantity: Expected `int`, got `str`"),
        ("", "id: Expected `str` of length >= 1"),
    ]


def test_a_row_with_too_few_fields_is_refused_by_their_count() -> None:
    [chunk] = read_csv(io.BytesIO((HEADER + "a,7,2026-03-01T00:00:00Z\n").encode()), "smsc-1")

    [refusal] = chunk.decoded.rejected
    assert refusal.detail == "The item is not an object: 3 fields where the header has 5"
