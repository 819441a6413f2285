"""`twin doctor`: what is wrong with this installation, in plain words."""

from __future__ import annotations

import click
from django.db import Error as DatabaseError

from twin.cli import health
from twin.cli.health import BAD, GOOD, POOR, Finding

_MARKS = {GOOD: "ok  ", POOR: "look", BAD: "BAD "}


@click.command()
def doctor() -> None:
    """Look at database, roles, schema, clock, disk, jobs, mails, addresses and backups.

    One line each: `ok`, `look` (works, but see to it) or `BAD`. Exit 1 when anything is BAD. Changes nothing.
    """
    findings = [finding for check in health.BEFORE_DATABASE for finding in check()]
    reached = health.database_answers()
    findings += reached
    if all(finding.state is not BAD for finding in reached):
        for check in health.WITH_DATABASE:
            findings += _asked(check)
    for finding in findings:
        click.echo(f"{_MARKS[finding.state]}  {finding.text}")
    bad = sum(finding.state is BAD for finding in findings)
    poor = sum(finding.state is POOR for finding in findings)
    if bad:
        raise click.ClickException(f"{bad} bad, {poor} to look at (docs/operations.md says what to do).")
    click.echo(f"Nothing is wrong; {poor} to look at." if poor else "Nothing is wrong.")


def _asked(check: health.Check) -> list[Finding]:
    try:
        return list(check())
    except DatabaseError as refused:
        first = (str(refused).strip().splitlines() or ["no reason given"])[0]
        return [Finding(BAD, f"{(check.__doc__ or '').splitlines()[0]} could not be asked: {first}")]
