"""Prices as a CSV file: how they are written, and how a file from outside is read, line by line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from twin.kernel.errors import FieldError, Invalid
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.pricing.errors import RatesUnusable
from twin.pricing.meters import METER_BY_CODE, METER_BY_ID
from twin.pricing.rules.new_rates import check_rates, price_nano
from twin.pricing.types import NewRate, Rate

LARGEST_FILE: Final = 1024 * 1024
MOST_LINES: Final = 5_000
HEADER: Final = (
    *("meter", "selector", "unit_price", "per", "minimum", "increment", "setup_fee", "effective_from", "recorded_as"),
)
NECESSARY: Final = ("meter", "unit_price", "effective_from")
_DEFAULTS: Final = {"per": "1", "minimum": "0", "increment": "1", "setup_fee": "0"}
_LONGEST_CELL_SHOWN: Final = 60

_PLAIN_NAME: Final = re.compile(r"""[^\s=,;{}"'+@-][^\s=,;{}"']*""")
_PLAIN_VALUE: Final = re.compile(r"""[^\s,;{}"']+""")
_WHOLE: Final = re.compile(r"[0-9]{1,13}", re.ASCII)
ReadTime = Callable[[str], datetime]


@dataclass(frozen=True)
class Problem:
    """What is wrong: a code for the words, the line and column it stands in (0 and empty: the whole file), the cell."""

    code: str
    line: int = 0
    column: str = ""
    given: str = ""


@dataclass(frozen=True)
class FileLine:
    """One line of a file that names a price, or what is wrong with it."""

    number: int
    rate: NewRate | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class RateFile:
    """What a file says; with `problems` of the whole there are no lines."""

    lines: tuple[FileLine, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Unusable(Exception):
    """A file that cannot be read at all."""

    def __init__(self, code: str, *, line: int = 0, given: str = "") -> None:
        super().__init__(code)
        self.problem = Problem(code, line, "", given[:_LONGEST_CELL_SHOWN])


def cells_of(rate: Rate) -> list[str | int]:
    """The line of one recorded rate, in the order of `HEADER`; no cell of it can run as a formula."""
    terms = rate.terms
    return [
        METER_BY_ID[rate.meter_id].code,
        selector_text(dict(rate.selector)),
        amount_text(terms.unit_price_nano),
        terms.per,
        terms.minimum,
        terms.increment,
        amount_text(terms.setup_fee_nano),
        instant_text(rate.effective_from),
        rate.id,
    ]


def selector_text(selector: Mapping[str, str]) -> str:
    """`country=DE operator=1`; as JSON where a name or a value could be misread otherwise."""
    if all(_PLAIN_NAME.fullmatch(name) and _PLAIN_VALUE.fullmatch(value) for name, value in selector.items()):
        return " ".join(f"{name}={value}" for name, value in sorted(selector.items()))
    return json.dumps(dict(selector), ensure_ascii=False, sort_keys=True)


def text_of(content: bytes) -> str | Problem:
    """The letters of an uploaded file, with or without the mark of UTF-8."""
    if len(content) > LARGEST_FILE:
        return Problem("too_large")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem("encoding")


def read_rates(text: str, read_time: ReadTime) -> RateFile:
    """Every line of the file; `read_time` gives the instant a cell means or raises `ValueError`.

    Cells are parted by commas, semicolons or tabs; prices may have a decimal comma.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST_FILE:
        return RateFile(problems=(Problem("too_large"),))
    try:
        return RateFile(tuple(_lines(text.removeprefix("\ufeff"), read_time)))
    except _Unusable as error:
        return RateFile(problems=(error.problem,))


def _lines(text: str, read_time: ReadTime) -> Iterator[FileLine]:
    rows = _rows(text)
    try:
        _number, header = next(rows)
    except StopIteration:
        raise _Unusable("empty") from None
    columns = [name.strip().lower() for name in header]
    _check_header(columns)
    count = 0
    for number, cells in rows:
        count += 1
        if count > MOST_LINES:
            raise _Unusable("too_many")
        yield _line(number, columns, cells, read_time)
    if not count:
        raise _Unusable("empty")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, each with its number in the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    before = 0
    try:
        for cells in reader:
            number, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells) and not (number == 1 and _names_delimiter(cells)):
                yield number, cells
    except csv.Error:
        raise _Unusable("unreadable", line=before + 1) from None


def _names_delimiter(cells: Sequence[str]) -> bool:
    """Spreadsheets begin some files with `sep=;`."""
    return cells[0].lower().startswith("sep=")


def _delimiter(text: str) -> str:
    """That which parts the header: its names hold none of them."""
    lines = [line for line in text[:4_000].splitlines() if line.strip() and not line.lower().startswith("sep=")]
    return max(",;\t", key=(lines[0] if lines else "").count)


def _check_header(columns: Sequence[str]) -> None:
    for name in NECESSARY:
        if name not in columns:
            raise _Unusable("column_missing", line=1, given=name)
    for name in filter(None, columns):
        if name not in HEADER:
            raise _Unusable("column_unknown", line=1, given=name)
        if columns.count(name) > 1:
            raise _Unusable("column_doubled", line=1, given=name)


def _line(number: int, columns: Sequence[str], cells: Sequence[str], read_time: ReadTime) -> FileLine:
    if any(cell.strip() for cell in cells[len(columns) :]):
        return FileLine(number, None, (Problem("too_many_cells", number),))
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, read in _READERS.items():
        text = given.get(name, "") or _DEFAULTS.get(name, "")
        try:
            values[name] = read_time(text) if name == "effective_from" else read(text)
        except (ValueError, Invalid):
            problems.append(Problem(name, number, name, text[:_LONGEST_CELL_SHOWN]))
    if problems:
        return FileLine(number, None, tuple(problems))
    return _checked(number, _rate_of(values), given)


def _rate_of(values: Mapping[str, Any]) -> NewRate:
    return NewRate(
        meter=values["meter"],
        selector=values["selector"],
        unit_price_nano=values["unit_price"],
        per=values["per"],
        minimum=values["minimum"],
        increment=values["increment"],
        setup_fee_nano=values["setup_fee"],
        effective_from=values["effective_from"],
    )


def _checked(number: int, rate: NewRate, given: Mapping[str, str]) -> FileLine:
    try:
        check_rates([rate], loc=())
    except RatesUnusable as error:
        return FileLine(number, None, tuple(_problem(number, one, given) for one in error.errors))
    return FileLine(number, rate)


def _problem(number: int, error: FieldError, given: Mapping[str, str]) -> Problem:
    name = str(error.loc[1])
    return Problem(name, number, name, given.get(name, "")[:_LONGEST_CELL_SHOWN])


def _read_meter(text: str) -> str:
    if text.lower() not in METER_BY_CODE:
        raise ValueError(text)
    return text.lower()


def _read_price(text: str) -> int:
    return price_nano(text.replace(",", "."))


def _read_whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def read_selector(text: str) -> dict[str, str]:
    """`country=DE operator=1`, parted by blanks, commas or semicolons, or a JSON object; raises `ValueError`."""
    # Older files have an apostrophe before what a spreadsheet might have run.
    text = text.strip().removeprefix("'")
    if text.startswith("{"):
        return _object(text)
    pairs = [part.partition("=") for part in _parts(text) if part.strip()]
    if any(not sign or not name.strip() or not value.strip() for name, sign, value in pairs):
        raise ValueError(text)
    return _without_repeats([(name.strip(), value.strip()) for name, _, value in pairs])


def _parts(text: str) -> list[str]:
    """Blanks part only where each part is an attribute: `network=T Mobile` is one."""
    if "," in text or ";" in text:
        return re.split(r"[,;]", text)
    parts = text.split()
    return parts if all("=" in part for part in parts) else [text]


def _object(text: str) -> dict[str, str]:
    try:
        found = json.loads(text, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError(text) from None
    if isinstance(found, dict):
        return found
    raise ValueError(text)


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A name stands twice.")
    return found


def _nothing(text: str) -> str:
    return text


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "meter": _read_meter,
    "selector": read_selector,
    "unit_price": _read_price,
    "per": _read_whole,
    "minimum": _read_whole,
    "increment": _read_whole,
    "setup_fee": _read_price,
    "effective_from": _nothing,
}
