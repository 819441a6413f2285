"""`twin demo`: more of the demonstration world."""

from __future__ import annotations

from time import monotonic

import click

from twin.cli.serve import prepare_schema
from twin.demo.actions import grow_world
from twin.demo.queries import sign_ins
from twin.demo.rules.crowd import LARGE, MAGNA
from twin.kernel.errors import TwinError


@click.group()
def demo() -> None:
    """More of the demonstration world; refused on any other installation."""


@demo.command()
@click.option("--size", type=click.Choice(["large"]), required=True, help="large: one reseller with 10,000 companies.")
def world(size: str) -> None:  # noqa: ARG001 - there is one size, and it is named so that there can be others
    """Add a reseller with thousands of companies and their usage; safe to repeat.

    Loads the demonstration first where the database is empty.
    """
    started = monotonic()
    prepare_schema()
    try:
        number = grow_world(LARGE, progress=True)
    except TwinError as error:
        raise click.ClickException(str(error)) from error
    person = next((each for each in sign_ins() if each.company == MAGNA.name), None)
    click.echo(f"{MAGNA.name} has {number:,} companies ({monotonic() - started:.0f} s).")
    if person is not None:
        click.echo(f"Sign in as {person.email}  {person.password}")
