"""One plain bank file: its columns, its lines, and which document and company each line speaks of.

Columns, in any order: `date` (2026-03-05), `amount` (1234.56; a decimal comma where columns are parted by semicolons),
and, as far as the bank gives them, `currency`, `payer`, `reference`, `id`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from twin.billing.errors import BillingInvalid
from twin.billing.rules.rounding import typed_minor
from twin.kernel.period import local_instant

COLUMNS: Final = ("date", "amount", "currency", "payer", "reference", "id")
_NEEDED: Final = ("date", "amount")
MOST_LINES: Final = 1_000
MOST_LETTERS: Final = 500_000
MOST_MINOR: Final = 10**15
_LONGEST: Final = 140
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AMOUNT: Final = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?", re.ASCII)
_NAMED_DELIMITER: Final = re.compile(r"sep=([;,])", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W_]+")

Problem = Literal["date", "amount", "currency", "columns"]
Match = Literal["document", "company", "amount", ""]


@dataclass(frozen=True, slots=True)
class BankLine:
    """A line as the file has it; `problem` names the column that cannot be used, `amount_minor` is 0 then.

    `key` is the same whenever the same line comes again: from the bank's id, else from all that the line says
    and how many equal ones stand before it.
    """

    number: int
    on: date | None
    amount_minor: int
    payer: str
    reference: str
    key: bytes
    problem: Problem | None = None

    @property
    def is_outgoing(self) -> bool:
        return self.problem is None and self.amount_minor <= 0


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """An invoice that is not settled, or a request for a top-up, under which money may come."""

    id: int
    buyer_id: int
    code: str
    open_minor: int
    is_top_up: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """What a line was found to be: by which sign, from whom, for which documents."""

    line: BankLine
    match: Match = ""
    buyer_id: int | None = None
    documents: tuple[OpenDocument, ...] = ()


def read_bank_file(text: str, *, currency: str) -> list[BankLine]:
    """Every line of the file; raises `BillingInvalid` when it is no such file or too long."""
    if len(text) > MOST_LETTERS or "\0" in text:
        raise BillingInvalid("The file is too large, or no text.")
    text, delimiter = _parted(text.removeprefix("\ufeff"))
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().casefold() for name in next(rows, [])]
        _check_names(names)
        lines = list(_lines(rows, names, currency, has_comma=delimiter == ";"))
    except csv.Error as error:
        raise BillingInvalid(f"The file cannot be read as CSV: {error}.") from None
    return _told_apart(lines)


def _parted(text: str) -> tuple[str, str]:
    """The text from the names of the columns on, and what parts them."""
    first, _, rest = text.partition("\n")
    # Excel begins such a file by naming the delimiter.
    named = _NAMED_DELIMITER.fullmatch(first.strip())
    if named:
        return rest, named[1]
    return text, ";" if first.count(";") > first.count(",") else ","


def _check_names(names: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if missing or len(set(names)) != len(names):
        raise BillingInvalid(f"The first line names the columns: {', '.join(COLUMNS)}; date and amount are needed.")


def _lines(
    rows: Iterator[list[str]], names: Sequence[str], currency: str, *, has_comma: bool
) -> Iterator[tuple[BankLine, str]]:
    """Each line with the text that its key is made of."""
    for count, row in enumerate((row for row in rows if any(cell.strip() for cell in row)), start=1):
        if count > MOST_LINES:
            raise BillingInvalid(f"At most {MOST_LINES} lines in one file.")
        given = dict(zip(names, (cell.strip() for cell in row), strict=False))
        line = _line(count, given, currency, has_comma=has_comma)
        if len(row) != len(names):
            line = replace(line, amount_minor=0, problem="columns")
        own = given.get("id", "")
        said = ("id", own) if own else ("line", *(given.get(name, "") for name in COLUMNS))
        yield line, "\x1f".join(said)


def _line(number: int, given: Mapping[str, str], currency: str, *, has_comma: bool) -> BankLine:
    payer, reference = (given.get(name, "")[:_LONGEST] for name in ("payer", "reference"))
    line = BankLine(number, _day(given.get("date", "")), 0, payer, reference, b"")
    if line.on is None:
        return replace(line, problem="date")
    if given.get("currency", currency).upper() not in (currency, ""):
        return replace(line, problem="currency")
    amount = given.get("amount", "").replace(" ", "").replace("\u00a0", "")
    if has_comma:
        amount = amount.replace(",", ".")
    if not _AMOUNT.fullmatch(amount):
        return replace(line, problem="amount")
    try:
        minor = typed_minor(amount, currency)
    except BillingInvalid:
        return replace(line, problem="amount")
    return replace(line, amount_minor=minor) if abs(minor) <= MOST_MINOR else replace(line, problem="amount")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _told_apart(lines: Sequence[tuple[BankLine, str]]) -> list[BankLine]:
    """Equal lines without an id of the bank are several payments: the first, the second, … of them."""
    seen: Counter[str] = Counter()
    kept = []
    for line, said in lines:
        # An id names one payment: a second line with it is the same one.
        place = 0 if said.startswith("id\x1f") else seen[said]
        seen[said] += 1
        kept.append(replace(line, key=hashlib.sha256(f"{said}\x1f{place}".encode()).digest()))
    return kept


def match_lines(
    lines: Sequence[BankLine], documents: Sequence[OpenDocument], names: Mapping[str, int | None]
) -> list[Matched]:
    """What each line pays. A number of a document in its reference decides; else the payer's name, if one company
    alone has it; else the amount, if one open invoice alone has it. `names` are folded, None where several share one.
    """
    by_code = {plain(one.code): one for one in documents}
    by_amount: dict[int, list[OpenDocument]] = {}
    for one in documents:
        by_amount.setdefault(one.open_minor, []).append(one)
    return [_match(line, by_code, by_amount, names) for line in lines]


def _match(
    line: BankLine,
    by_code: Mapping[str, OpenDocument],
    by_amount: Mapping[int, list[OpenDocument]],
    names: Mapping[str, int | None],
) -> Matched:
    if line.problem or line.is_outgoing:
        return Matched(line)
    named = documents_in(line.reference, by_code)
    payers = {one.buyer_id for one in named}
    if len(payers) == 1:
        return Matched(line, "document", payers.pop(), tuple(named))
    equal = by_amount.get(line.amount_minor, [])
    buyer_id = None if payers else names.get(folded_name(line.payer))
    if buyer_id is not None:
        fitting = [one for one in equal if one.buyer_id == buyer_id]
        return Matched(line, "company", buyer_id, tuple(fitting) if len(fitting) == 1 else ())
    if len(equal) == 1 and not payers:
        return Matched(line, "amount", equal[0].buyer_id, (equal[0],))
    return Matched(line)


def documents_in(reference: str, by_code: Mapping[str, OpenDocument]) -> list[OpenDocument]:
    """Every document whose number stands in the text, however banks have parted or joined its letters."""
    words = [word.casefold() for word in _WORD.findall(reference)]
    # A series may itself have parts: up to four words make one number.
    runs = ("".join(words[start:end]) for start in range(len(words)) for end in range(start + 1, start + 5))
    return list({one.id: one for run in runs if (one := by_code.get(run)) is not None}.values())


def folded_name(name: str) -> str:
    """A name as it is compared: any case, single blanks."""
    return " ".join(name.split()).casefold()


def plain(code: str) -> str:
    """Only the letters and digits of a number."""
    return "".join(_WORD.findall(code)).casefold()


def moment_of(line: BankLine, zone: ZoneInfo) -> datetime:
    """A bank tells a day: its first instant at the seller."""
    assert line.on is not None
    return local_instant(line.on, zone)
