"""Importing usage from a file through the same door as HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from twin.companies.types import Scope
from twin.metering.actions.folding import fold
from twin.metering.actions.taking import take_decoded
from twin.metering.rules.files import (
    REASON,
    Chunk,
    FileUnreadable,
    Line,
    read_csv,
    read_ndjson,
    rejected_csv,
    rejected_ndjson,
)
from twin.metering.types import TakenBatch

_CHUNKS_BETWEEN_FOLDS = 100
_REJECTED = ".rejected"


@dataclass(frozen=True)
class ImportCounts:
    """How the lines of a file were answered."""

    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    unrated: int = 0

    def plus(self, taken: TakenBatch) -> ImportCounts:
        return ImportCounts(
            self.accepted + taken.accepted,
            self.duplicates + taken.duplicates,
            self.conflicts + len(taken.conflicts),
            self.rejected + len(taken.rejected),
            self.unrated + taken.unrated,
        )

    def __str__(self) -> str:
        return (
            f"accepted={self.accepted} duplicates={self.duplicates} conflicts={self.conflicts}"
            f" rejected={self.rejected} unrated={self.unrated}"
        )


def import_file(
    scope: Scope, *, path: Path, source: str | None, progress: Callable[[int], None] | None = None
) -> ImportCounts:
    """Take every event of the file, in its order, chunk by chunk; each chunk is one transaction.

    Bad lines go to `FILE.rejected` with the reason. Safe to repeat, also after it was
    killed: what was taken counts as duplicate. `progress` hears the bytes read so far.
    """
    counts = ImportCounts()
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        rejects = stack.enter_context(_Rejects(path))
        is_csv = _is_csv(path)
        if is_csv and source is None:
            raise FileUnreadable("A CSV file needs --source: the name of the system that counted.")
        chunks: Iterator[Chunk] = read_csv(file, source or "") if is_csv else read_ndjson(file, source)
        for number, chunk in enumerate(chunks, 1):
            taken = take_decoded(scope, chunk.decoded)
            rejects.write(chunk, taken)
            counts = counts.plus(taken)
            if progress is not None:
                progress(chunk.lines[-1].read_to)
            if number % _CHUNKS_BETWEEN_FOLDS == 0:
                fold()
    fold()
    return counts


def _is_csv(path: Path) -> bool:
    """By the name; also what an import refused may be mended and imported as it is."""
    name = path.name.lower()
    while name.endswith(_REJECTED):
        name = name.removesuffix(_REJECTED)
    return name.endswith(".csv")


class _Rejects:
    """`FILE.rejected`: begun at the first bad line, in the form of the file itself."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + _REJECTED)
        self._header = ""
        self._original = path
        self._out: TextIO | None = None

    def __enter__(self) -> _Rejects:
        self._path.unlink(missing_ok=True)
        if _is_csv(self._original):
            with self._original.open(encoding="utf-8-sig", errors="surrogateescape") as file:
                self._header = file.readline().rstrip("\r\n")
        return self

    def __exit__(self, *problem: object) -> None:
        if self._out is not None:
            self._out.close()

    def write(self, chunk: Chunk, taken: TakenBatch) -> None:
        refusals = sorted((*taken.rejected, *taken.conflicts), key=lambda refusal: refusal.index)
        for refusal in refusals:
            self._line(chunk.lines[refusal.index], refusal.detail)

    def _line(self, line: Line, reason: str) -> None:
        if self._out is None:
            self._out = self._path.open("w", encoding="utf-8", errors="surrogateescape")
            if self._header:
                self._out.write(rejected_csv(self._header, None, REASON))
        self._out.write(rejected_csv("", line, reason) if self._header else rejected_ndjson(line, reason))
