"""Usage in files: NDJSON of CloudEvents, or CSV; read in chunks, so that memory stays flat."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from twin.kernel.errors import Invalid
from twin.metering.errors import UnreadableBody
from twin.metering.rules.decoding import Decoded, UsageEvent, decode_items, may_decode_fast, parse_line
from twin.metering.types import Refusal

CHUNK = 5_000
# An event with the longest texts that are taken, every letter escaped, has a fifth of it.
LONGEST_LINE = 256 * 1024
# Long lines make smaller chunks, so that memory stays flat.
LONGEST_CHUNK = 8 * 1024 * 1024
_SHOWN_OF_A_LONG_LINE = 1_000
_TOO_LONG = f"The line is longer than {LONGEST_LINE} bytes."
REASON = "rejected_because"
_CSV_COLUMNS = ("id", "company", "time", "meter", "quantity")
_ATTRIBUTE = "attributes."
_WHOLE = re.compile(r"(-?[0-9]{1,19})(\.0+)?")

_lines_decoder = msgspec.json.Decoder(UsageEvent)


class FileUnreadable(Invalid):
    """The file as a whole cannot be imported; the message says what to change."""


@dataclass(frozen=True)
class Line:
    """One line as it stood in the file; of one that is too long only the beginning is kept."""

    number: int
    text: str
    read_to: int  # bytes of the file read so far
    is_too_long: bool = False


@dataclass(frozen=True)
class Chunk:
    """Some lines and what they decode to; refusals and events point to lines by place."""

    lines: list[Line]
    decoded: Decoded


def read_ndjson(file: BinaryIO, source: str | None) -> Iterator[Chunk]:
    """One CloudEvent a line; `source` fills in where an event has none."""
    for lines in _chunks(_lines(file)):
        yield Chunk(lines, _decode_lines(lines, source))


def read_csv(file: BinaryIO, source: str) -> Iterator[Chunk]:
    """Header `id,company,time,meter,quantity` in any order, and any `attributes.NAME`."""
    lines = _lines(file)
    first = next(lines, None)
    if first is None:
        raise FileUnreadable("The file is empty; a CSV file begins with the header id,company,time,meter,quantity.")
    header = _fields(first.text)
    _check_header(header)
    for chunk in _chunks(lines):
        yield Chunk(chunk, _decode_rows(chunk, header, source))


def rejected_ndjson(line: Line, reason: str) -> str:
    """The line with the reason added: mend it and import it again."""
    try:
        item = json.loads(line.text)
    except ValueError:
        item = None
    if not isinstance(item, dict):
        item = {"line": line.number, "content": line.text}
    return json.dumps({**item, REASON: reason}) + "\n"


def rejected_csv(header: str, line: Line | None, reason: str) -> str:
    """The row with a column more; without a line, the header."""
    out = io.StringIO()
    text = header if line is None else line.text
    csv.writer(out, lineterminator="\n").writerow([*_fields(text), reason])
    return out.getvalue()


def _lines(file: BinaryIO) -> Iterator[Line]:
    number = read_to = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        read_to += len(raw)
        is_too_long = len(raw) > LONGEST_LINE
        if is_too_long:
            read_to += _skip_rest_of_line(file, raw)
            raw = raw[:_SHOWN_OF_A_LONG_LINE]
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        text = raw.decode("utf-8", errors="surrogateescape").rstrip("\r\n")
        if text.strip() or is_too_long:
            yield Line(number, text, read_to, is_too_long)


def _skip_rest_of_line(file: BinaryIO, part: bytes) -> int:
    skipped = 0
    while part and not part.endswith(b"\n"):
        part = file.readline(LONGEST_LINE)
        skipped += len(part)
    return skipped


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    chunk: list[Line] = []
    letters = 0
    for line in lines:
        chunk.append(line)
        letters += len(line.text)
        if len(chunk) == CHUNK or letters > LONGEST_CHUNK:
            yield chunk
            chunk, letters = [], 0
    if chunk:
        yield chunk


def _decode_lines(lines: list[Line], source: str | None) -> Decoded:
    body = "\n".join(line.text for line in lines).encode("utf-8", errors="surrogateescape")
    if may_decode_fast(body) and not any(line.is_too_long for line in lines):
        try:
            events = _lines_decoder.decode_lines(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        else:
            if len(events) == len(lines):
                return Decoded(events, None, [])
    return _decode_each(lines, source)


def _decode_each(lines: list[Line], source: str | None) -> Decoded:
    items: list[Any] = []
    places: list[int] = []
    unreadable: list[Refusal] = []
    for place, line in enumerate(lines):
        try:
            if line.is_too_long:
                raise UnreadableBody(_TOO_LONG)
            item = parse_line(line.text.encode("utf-8", errors="surrogateescape"))
        except UnreadableBody as error:
            unreadable.append(Refusal(place, "", str(error).replace("The body", "The line")))
            continue
        if source is not None and isinstance(item, dict):
            item = {"source": source, **item}
        items.append(item)
        places.append(place)
    return _placed(decode_items(items), places, unreadable)


def _decode_rows(lines: list[Line], header: list[str], source: str) -> Decoded:
    places = [place for place, line in enumerate(lines) if not line.is_too_long]
    too_long = [Refusal(place, "", _TOO_LONG) for place, line in enumerate(lines) if line.is_too_long]
    return _placed(decode_items([_item_of(header, lines[place].text, source) for place in places]), places, too_long)


def _placed(decoded: Decoded, places: list[int], refused_before: list[Refusal]) -> Decoded:
    """Some lines of a chunk, decoded, told by their places among all of them."""
    return Decoded(
        decoded.events,
        [places[decoded.place(number)] for number in range(len(decoded.events))],
        [
            *refused_before,
            *(Refusal(places[refusal.index], refusal.id, refusal.detail) for refusal in decoded.rejected),
        ],
    )


def _fields(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return [text]


def _check_header(header: list[str]) -> None:
    missing = [name for name in _CSV_COLUMNS if name not in header]
    if missing:
        raise FileUnreadable(f"The header lacks {', '.join(missing)}; it must name {','.join(_CSV_COLUMNS)}.")
    unknown = [
        name for name in header if name not in _CSV_COLUMNS and not name.startswith(_ATTRIBUTE) and name != REASON
    ]
    if unknown:
        raise FileUnreadable(
            f"The header has unknown columns {', '.join(unknown)}; attributes are named attributes.NAME."
        )
    if len(set(header)) < len(header):
        raise FileUnreadable("The header names a column twice.")


def _item_of(header: list[str], text: str, source: str) -> Any:
    fields = _fields(text)
    if len(fields) != len(header):
        return f"{len(fields)} fields where the header has {len(header)}"
    row = dict(zip(header, fields, strict=True))
    attributes = {
        name.removeprefix(_ATTRIBUTE): value for name, value in row.items() if name.startswith(_ATTRIBUTE) and value
    }
    data: dict[str, Any] = {"meter": row["meter"], "attributes": attributes}
    if row["quantity"]:
        data["quantity"] = _whole(row["quantity"])
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": source,
        "id": row["id"],
        "subject": row["company"],
        "time": row["time"],
        "data": data,
    }


def _whole(text: str) -> int | str:
    """The number, as in JSON also 2.0 for 2; what is no whole number stays text and is refused."""
    found = _WHOLE.fullmatch(text)
    return int(found[1]) if found else text
