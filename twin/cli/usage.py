"""`twin usage`: usage from files."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from twin.companies.access import platform_scope
from twin.kernel.errors import TwinError
from twin.metering.actions.importing import ImportCounts, import_file

REFUSED_SOME = 3


@click.group()
def usage() -> None:
    """Import usage from files."""


@usage.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", help="System that counted; needed for CSV, fills in where an event of NDJSON has none.")
def import_usage(file: Path, source: str | None) -> None:
    """Take the usage of FILE: NDJSON of CloudEvents, or CSV when it ends in .csv.

    The CSV header is id,company,time,meter,quantity and any attributes.NAME. Safe to repeat.
    Bad lines go to FILE.rejected with the reason. Exit code 3 when some were refused or in conflict.
    """
    try:
        counts = _import(file, source)
    except (TwinError, OSError) as error:
        raise click.ClickException(f"{error} What was taken before stays; repeat the command.") from error
    click.echo(str(counts))
    if counts.rejected or counts.conflicts:
        click.echo(f"Refused lines are in {file}.rejected", err=True)
        sys.exit(REFUSED_SOME)


def _import(file: Path, source: str | None) -> ImportCounts:
    scope = platform_scope()
    if not file.is_file():
        raise click.ClickException(f"There is no file {file}.")
    console = Console(stderr=True)
    if not console.is_terminal:
        return import_file(scope, path=file, source=source)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        return import_file(scope, path=file, source=source, progress=lambda read: bar.update(task, completed=read))
