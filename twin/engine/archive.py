"""The one file of a backup: a ZIP of COPY texts and files, whole only with its manifest, which is written last."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.engine.errors import BackupUnreadable, BackupUnwritable

FORMAT = 1
_MANIFEST = "manifest.json"
_SECRET = "secret-key"  # noqa: S105 - the name of a part, not a secret
_PIECE = 1024 * 1024
# Most of the time goes into packing; the next level costs half as much again for a tenth less.
_LEVEL = 1


@dataclass(frozen=True)
class StoredTable:
    """One table's rows; the columns in the order of the stored text."""

    name: str
    columns: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What a backup says about itself."""

    made_at: str
    twin_version: str
    server_version: int
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[StoredTable, ...]
    sequences: dict[str, tuple[int, bool]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


class ArchiveWriter:
    """Parts go in one after the other; rows and files are never held in memory as a whole."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add_table(self, name: str, pieces: Iterable[bytes | bytearray | memoryview]) -> None:
        with self._archive.open(_table_part(name), "w", force_zip64=True) as part:
            waiting: list[bytes | bytearray | memoryview] = []
            size = 0
            for piece in pieces:
                waiting.append(piece)
                size += len(piece)
                if size >= _PIECE:
                    part.write(b"".join(waiting))
                    waiting, size = [], 0
            part.write(b"".join(waiting))

    def add_file(self, name: str, source: Path) -> bool:
        """False when the file has gone in the meantime."""
        try:
            content = source.open("rb")
        except FileNotFoundError:
            return False
        with content, self._archive.open(f"files/{name}", "w", force_zip64=True) as part:
            while piece := content.read(_PIECE):
                part.write(piece)
        return True

    def add_secret(self, secret: str) -> None:
        self._archive.writestr(_SECRET, secret)

    def finish(self, manifest: Manifest) -> None:
        self._archive.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))


class ArchiveReader:
    """An open backup; every part is checked against its checksum while it is read."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    @property
    def secret(self) -> str:
        return self._archive.read(_SECRET).decode()

    def table(self, name: str) -> Iterator[bytes]:
        return self._pieces(_table_part(name))

    def file(self, name: str) -> Iterator[bytes]:
        return self._pieces(f"files/{name}")

    def _pieces(self, part: str) -> Iterator[bytes]:
        try:
            with self._archive.open(part) as content:
                while piece := content.read(_PIECE):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError) as damage:
            raise BackupUnreadable(f"The backup is damaged in its part {part}: {damage}. Use another one.") from damage


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """A new backup at the path: whole when the block ends well, else not there. Only its owner may read it."""
    if path.exists():
        raise BackupUnwritable(f"{path} exists already: name a new file, a backup is never written over.")
    growing = path.with_name(f".{path.name}.growing")
    try:
        growing.unlink(missing_ok=True)
        descriptor = os.open(growing, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refused:
        raise BackupUnwritable(f"{path} cannot be written: {refused.strerror}.") from refused
    try:
        with os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
                yield ArchiveWriter(archive)
            file.flush()
            os.fsync(file.fileno())
        growing.rename(path)
    except OSError as refused:
        raise BackupUnwritable(f"{path} cannot be written: {refused.strerror or refused}.") from refused
    finally:
        growing.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[ArchiveReader]:
    """A backup and what it says about itself; raises BackupUnreadable for anything else."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError) as damage:
        raise BackupUnreadable(f"{path} is no whole backup of Twin: {damage}.") from damage
    except OSError as refused:
        raise BackupUnreadable(f"{path} cannot be read: {refused.strerror or refused}.") from refused
    with archive:
        yield ArchiveReader(archive, _read_manifest(path, archive))


def _read_manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        stored: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        if stored["format"] != FORMAT:
            raise BackupUnreadable(
                f"{path} has the form {stored['format']}, this Twin reads {FORMAT}: restore it with the Twin"
                f" {stored.get('twin_version')} that wrote it."
            )
        return Manifest(
            made_at=stored["made_at"],
            twin_version=stored["twin_version"],
            server_version=stored["server_version"],
            migrations=tuple((app, name) for app, name in stored["migrations"]),
            tables=tuple(StoredTable(each["name"], tuple(each["columns"]), each["rows"]) for each in stored["tables"]),
            sequences={name: (value, called) for name, (value, called) in stored["sequences"].items()},
            files=tuple(stored["files"]),
        )
    except (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError) as damage:
        raise BackupUnreadable(f"{path} is no whole backup of Twin: its manifest cannot be read.") from damage


def _table_part(name: str) -> str:
    return f"tables/{name}.copy"
