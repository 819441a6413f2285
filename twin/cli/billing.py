"""`twin billing`: months by hand, and the proof of those that are closed."""

from __future__ import annotations

import re
import sys
from datetime import date

import click

from twin.billing.actions.closing import close_due
from twin.billing.queries.sellers import billing_sellers
from twin.billing.queries.verifying import differing_statements
from twin.companies.access import billing_scope, platform_scope
from twin.kernel import clock
from twin.kernel.errors import TwinError


@click.group()
def billing() -> None:
    """Close months and prove the closed ones."""


def _month(_context: click.Context, _parameter: click.Parameter, text: str | None) -> date | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if match is None or match[1] == "0000":
        raise click.BadParameter("a month such as 2026-10.")
    return date(int(match[1]), int(match[2]), 1)


@billing.command()
@click.option("--seller", type=click.IntRange(1, 2**31 - 1), help="Only this seller; all of them without it.")
@click.option("--month", callback=_month, metavar="YYYY-MM", help="Nothing later than this month.")
def close(seller: int | None, month: date | None) -> None:
    """Close the months that are over, grace included; safe to repeat and to interrupt. The server does it hourly."""
    try:
        for one in _sellers(seller):
            done = close_due(billing_scope(one), now=clock.now(), until_month=month)
            waits = f" correcting={done.correcting}" if done.correcting else ""
            click.echo(f"seller={one} closed={done.closed} unrated={done.unrated} late={done.late}{waits}")
    except TwinError as error:
        raise click.ClickException(str(error)) from error


@billing.command()
@click.option("--seller", type=click.IntRange(1, 2**31 - 1), help="Only this seller; all of them without it.")
def verify(seller: int | None) -> None:
    """Make every closed statement again from the rows; exit 1 and a list when one is not the same."""
    total, wrong = 0, 0
    try:
        for one in _sellers(seller):
            number, differing = differing_statements(billing_scope(one))
            total, wrong = total + number, wrong + len(differing)
            for statement_id in differing:
                click.echo(f"seller {one}: statement {statement_id} is not what its rows give")
    except TwinError as error:
        raise click.ClickException(str(error)) from error
    if wrong:
        click.echo(f"{wrong} of {total} statements differ from their rows.", err=True)
        sys.exit(1)
    click.echo(f"{total} statements: each is what its rows give.")


def _sellers(named: int | None) -> list[int]:
    everybody = billing_sellers(platform_scope())
    if named is None:
        return everybody
    if named not in everybody:
        raise click.ClickException(f"There is no seller {named}.")
    return [named]
