"""`twin metering`: the health of the totals."""

from __future__ import annotations

import sys

import click

from twin.cli.correcting import rerate, withdraw
from twin.kernel.errors import TwinError
from twin.metering import queries
from twin.metering.actions import fold as fold_journals


@click.group()
def metering() -> None:
    """Check the totals against the rows, correct what is charged."""


metering.add_command(rerate)
metering.add_command(withdraw)


@metering.command()
def verify() -> None:
    """Recompute all totals from the rows; exit 1 and a list when anything differs."""
    try:
        report = queries.find_differences()
    except TwinError as error:
        raise click.ClickException(str(error)) from error
    for note in report.notes:
        click.echo(f"note: {note}")
    for difference in report.differences:
        click.echo(difference)
    if report.differences:
        click.echo(f"{len(report.differences)} differences between totals and rows.", err=True)
        sys.exit(1)
    click.echo(f"{report.events} events, {report.cells} cells: totals equal the rows.")


@metering.command()
def fold() -> None:
    """Move the totals of recent batches into the books now; the server does it by itself."""
    click.echo(f"{fold_journals()} journal rows folded.")
