"""`twin backup`: the whole installation in one file, while it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import psycopg
from django.conf import settings

from twin.cli.database import MIGRATION_LOCK
from twin.engine import contents
from twin.engine.archive import ArchiveWriter, Manifest, StoredTable, writing
from twin.engine.passwords import write_private
from twin.kernel import clock

# Worth nothing to another installation: who lives now, and what is remembered for a moment.
LEFT_OUT = frozenset(("procrastinate_workers", "twin_cache"))
# A job that somebody works on right now is to be done again: every job may run twice.
INSTEAD = {
    "procrastinate_jobs": {
        "status": "case when status = 'doing' then 'todo'::procrastinate_job_status else status end",
        "queueing_lock": "case when status = 'doing' then null else queueing_lock end",
        "worker_id": "null::bigint",
    }
}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole installation to FILE: rows, files, secret key.

    One consistent moment, also while Twin serves. FILE must not exist, is whole or not there, and
    opens every account: keep it like a password.
    """
    with _snapshot() as connection, writing(file) as archive:
        manifest = _write(connection, archive)
    size = file.stat().st_size
    _remember(file, manifest.moment, size)
    click.echo(f"tables={len(manifest.tables)} rows={manifest.rows} files={len(manifest.files)} bytes={size}")


def last_backup() -> datetime | None:
    """When the last backup of this data directory was made; None when none is known."""
    try:
        return datetime.fromisoformat(json.loads(_note().read_text(encoding="utf-8"))["made_at"])
    except (OSError, ValueError, KeyError):
        return None


def release() -> str:
    try:
        return version("twin")
    except PackageNotFoundError:
        # Run from a checkout, which is not installed as a package.
        return "unreleased"


@contextmanager
def _snapshot() -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection in one snapshot, with no migration under way."""
    with psycopg.connect(**settings.ROLES.owner, autocommit=True) as connection:
        contents.speak_plainly(connection)
        contents.refuse_hidden_rows(connection)
        # Before the snapshot, so that it shows the schema as the migration left it.
        connection.execute("SELECT pg_advisory_lock_shared(%s)", [MIGRATION_LOCK])
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection
        connection.execute("COMMIT")


def _write(connection: psycopg.Connection[Any], archive: ArchiveWriter) -> Manifest:
    made_at = clock.now()
    tables = contents.tables_of(connection)
    if not any(table.name == "django_migrations" for table in tables):
        raise click.ClickException("There is nothing to back up: this database holds no installation.")
    applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    stored = [_write_table(connection, archive, table) for table in tables if table.name not in LEFT_OUT]
    archive.add_secret(settings.SECRET_KEY)
    # After the rows: a file that a row names was there before the row said so.
    files = [name for name, path in _files() if archive.add_file(name, path)]
    manifest = Manifest(
        made_at=made_at.isoformat(),
        twin_version=release(),
        server_version=connection.info.server_version,
        migrations=tuple((app, name) for app, name in applied),
        tables=tuple(stored),
        sequences=contents.sequences_of(connection),
        files=tuple(files),
    )
    archive.finish(manifest)
    return manifest


def _write_table(connection: psycopg.Connection[Any], archive: ArchiveWriter, table: contents.Table) -> StoredTable:
    rows = 0

    def counted() -> Iterator[contents.Piece]:
        nonlocal rows
        for row in contents.rows_of(connection, table, INSTEAD.get(table.name, {})):
            rows += 1
            yield row

    archive.add_table(table.name, counted())
    return StoredTable(table.name, table.columns, rows)


def _files() -> Iterator[tuple[str, Path]]:
    """Files that people may still fetch; halves are made anew."""
    folder = Path(settings.DATA_DIR) / "exports"
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix != ".part":
                yield f"exports/{path.name}", path


def _note() -> Path:
    return Path(settings.DATA_DIR) / "last-backup.json"


def _remember(file: Path, made_at: datetime, size: int) -> None:
    write_private(_note(), json.dumps({"made_at": made_at.isoformat(), "file": str(file.absolute()), "bytes": size}))
