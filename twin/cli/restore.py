"""`twin restore`: an installation out of its backup, into an empty one, proven by its totals."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import psycopg
from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from twin.cli.database import holding_migrations, let_roles_through, migrate_database
from twin.engine import contents
from twin.engine.archive import ArchiveReader, Manifest, reading
from twin.engine.settings import keep_secret_key
from twin.metering import queries as metering

_FILE = re.compile(r"exports/[0-9a-f]{32}\.[a-z]{3,4}", re.ASCII)
Migration = tuple[str, str]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring the installation of FILE back into an empty one.

    The backup may come from another major version of PostgreSQL and from an older Twin: its schema
    is then brought up to date. Ends by counting all totals again from the rows; exit 1 when they
    differ. Rows come in whole or not at all.
    """
    with reading(file) as backup:
        _refuse_unfit(backup)
        with holding_migrations():
            _make_schema(backup.manifest)
        _fill(backup)
    migrate_database()
    _analyse()
    _prove(backup.manifest)


def _refuse_unfit(backup: ArchiveReader) -> None:
    given = os.environ.get("TWIN_SECRET_KEY")
    if given and given != backup.secret:
        raise click.ClickException(
            "TWIN_SECRET_KEY is not the key of this backup, so sealed texts and second factors would be lost: set it to"
            " the key of that installation, or unset it and Twin keeps the backup's."
        )
    unknown = sorted(set(backup.manifest.migrations) - set(_executor().loader.graph.nodes))
    if unknown:
        raise click.ClickException(
            f"The backup was written by another Twin ({backup.manifest.twin_version}), whose migration"
            f" {'.'.join(unknown[0])} this one does not know: restore it with that Twin or a later one."
        )
    with _owner() as connection:
        contents.refuse_others(connection, [role["user"] for role in (settings.ROLES.app, settings.ROLES.writer)])
        _refuse_inhabited(connection, backup.manifest)


def _refuse_inhabited(connection: psycopg.Connection[Any], manifest: Manifest) -> None:
    tables = {table.name for table in contents.tables_of(connection)}
    inhabited = [
        name
        for name in ("companies_company", "accounts_user")
        if name in tables and connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - named above
    ]
    further = False
    if "django_migrations" in tables:
        applied = connection.execute("SELECT app, name FROM django_migrations").fetchall()
        further = bool(set(applied) - set(manifest.migrations))
    if inhabited or further:
        raise click.ClickException(
            "This installation is not empty, and nothing is written over: restore into a new TWIN_DATA_DIR"
            " or a new, empty database."
        )


def _make_schema(manifest: Manifest) -> None:
    """The tables as they were when the backup was made: the last migration of each app that it knows."""
    executor = _executor()
    wanted = set(manifest.migrations)
    followed = {
        parent.key
        for key in wanted
        for parent in executor.loader.graph.node_map[key].parents
        if parent.key[0] == key[0]
    }
    let_roles_through()
    executor.migrate(sorted(wanted - followed))
    let_roles_through()


def _fill(backup: ArchiveReader) -> None:
    """All rows, files and the secret key, in one transaction."""
    stored = {table.name: table for table in backup.manifest.tables}
    with _owner() as connection, connection.transaction():
        tables = contents.tables_of(connection)
        missing = sorted(stored.keys() - {table.name for table in tables})
        if missing:
            raise click.ClickException(f"The backup holds a table that its migrations do not make: {missing[0]}.")
        with contents.emptied(connection, tables):
            for name in contents.in_order(connection, stored):
                rows = contents.fill(connection, name, stored[name].columns, backup.table(name))
                if rows != stored[name].rows:
                    raise click.ClickException(
                        f"The backup promises {stored[name].rows} rows of {name}, it has {rows}."
                    )
        contents.set_sequences(connection, backup.manifest.sequences)
        # Before the commit: rows without their files and key would be poor, those without rows do no harm.
        _put_files(backup)
        if not os.environ.get("TWIN_SECRET_KEY"):
            keep_secret_key(settings.DATA_DIR, backup.secret)


def _put_files(backup: ArchiveReader) -> None:
    for name in backup.manifest.files:
        # A name that leads elsewhere was not written by us.
        if not _FILE.fullmatch(name):
            continue
        place = Path(settings.DATA_DIR) / name
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for piece in backup.file(name):
                file.write(piece)


def _prove(manifest: Manifest) -> None:
    report = metering.find_differences()
    for difference in report.differences:
        click.echo(difference)
    if report.differences:
        raise click.ClickException(
            f"{len(report.differences)} differences between totals and rows: the backup was made of an installation"
            " that `twin metering verify` would not have passed."
        )
    click.echo(
        f"tables={len(manifest.tables)} rows={manifest.rows} files={len(manifest.files)} made_at={manifest.made_at}\n"
        f"{report.events} events, {report.cells} cells: totals equal the rows."
    )


def _analyse() -> None:
    with _owner() as connection:
        for table in contents.tables_of(connection):
            connection.execute(f'ANALYZE public."{table.name}"')


def _executor() -> MigrationExecutor:
    return MigrationExecutor(connections["owner"])


def _owner() -> psycopg.Connection[Any]:
    connection: psycopg.Connection[Any] = psycopg.connect(**settings.ROLES.owner, autocommit=True)
    contents.speak_plainly(connection)
    return connection
