"""`twin audit`: whether the record of what happened is still what it was."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import Any

import click

from twin.kernel.audit_chain import check_seals, seal_days

_EXPECTED = re.compile(r"(\d{4}-\d{2}-\d{2})=([0-9a-f]{64})", re.ASCII)


class _Expected(click.ParamType[tuple[date, str]]):
    name = "DAY=DIGEST"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, str]:
        found = _EXPECTED.fullmatch(str(value).strip().lower())
        try:
            if found is None:
                raise ValueError
            return date.fromisoformat(found[1]), found[2]
        except ValueError:
            self.fail("write it as 2026-11-21=… with the 64 digits of the digest.", param, ctx)


@click.group()
def audit() -> None:
    """Check the record of what happened."""


@audit.command()
def seal() -> None:
    """Seal the days that have ended; the server does it by itself every night."""
    made = seal_days()
    for one in made:
        click.echo(f"{one.day} events={one.events} {one.digest}")
    if not made:
        click.echo("Every day that has ended is sealed already.", err=True)


@audit.command()
@click.option(
    "--expect",
    "expected",
    multiple=True,
    type=_Expected(),
    help="A seal that was written down elsewhere, as DAY=DIGEST; repeat for several.",
)
def verify(expected: tuple[tuple[date, str], ...]) -> None:
    """Recompute every day's seal from the events; exit 1 and the days that differ, the first one first."""
    report = check_seals(dict(expected))
    for difference in report.differences:
        click.echo(f"{difference.day} {difference.text}")
    if report.differences:
        click.echo(f"The audit was changed after it was sealed, first on {report.differences[0].day}.", err=True)
        sys.exit(1)
    if report.last is None:
        click.echo("No day is sealed yet: a day is sealed in the night after it.")
        return
    click.echo(f"{report.days} days, {report.events} events: all as they were sealed.")
    click.echo(f"{report.last.day}={report.last.digest}")
