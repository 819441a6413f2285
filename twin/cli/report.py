"""`twin report`: reports without a server."""

from __future__ import annotations

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import click
import msgspec

from twin.companies.access import platform_scope, report_scope
from twin.kernel.period import Period, parse_instant
from twin.pricing.meters import SERVICES
from twin.reports import exports
from twin.reports.documents import json_chunks
from twin.reports.queries import reseller_companies as read_report
from twin.reports.types import ReportQuery, ResellerReport, Side

FORMATS = ("json", "csv", "xlsx")


@click.group()
def report() -> None:
    """Reports, without a server. Amounts are exact in every format."""


@report.command("reseller-companies")
@click.option("--reseller", "reseller_id", type=int, required=True, metavar="ID", help="Whose report.")
@click.option("--from", "start", required=True, metavar="T", help="First instant, RFC 3339 with offset.")
@click.option("--to", "end", required=True, metavar="T", help="First instant that no longer counts.")
@click.option("--has-expenses", is_flag=True, help="Only rows with a price other than zero, or still without one.")
@click.option("--section", type=click.Choice(SERVICES), help="One section only; required with --format csv.")
@click.option(
    "--side", type=click.Choice(["sell", "buy"]), default="sell", help="Price columns to reseller or to Twin."
)
@click.option("--search", default="", metavar="TEXT", help="Part of a company's name, or its whole id.")
@click.option(
    "--after-statements", is_flag=True, help="Also what came or changed after the closed statement of its month."
)
@click.option("--sort", default="company_id", metavar="KEY", help="Such as total_sell, or -total_sell for descending.")
@click.option("--time-zone", metavar="ZONE", help="How times are shown; the reseller's unless given.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", help="json unless given.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Standard output unless given.")
def reseller_companies(
    *,
    reseller_id: int,
    start: str,
    end: str,
    has_expenses: bool,
    section: str | None,
    side: Side,
    search: str,
    sort: str,
    after_statements: bool,
    time_zone: str | None,
    form: str,
    output: Path | None,
) -> None:
    """Who beneath the reseller used what, what it costs and what it earns.

    Acts for the platform, which may name any reseller or itself.
    """
    if form == "csv" and section is None:
        raise click.UsageError("--format csv needs --section: a table has one header.")
    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise click.UsageError("--format xlsx needs --output FILE: a workbook cannot be shown on a terminal.")
    query = ReportQuery(
        period=Period(parse_instant(start), parse_instant(end)),
        has_expenses=has_expenses,
        section=section,
        side=side,
        search=search,
        sort=sort,
        time_zone=time_zone,
        limit=None,
        after_statements=after_statements,
    )
    made = read_report(report_scope(platform_scope(), reseller_id), query)
    _write(_rendered(made, form, side), output)


def _rendered(made: ResellerReport, form: str, side: Side) -> bytes:
    if form == "xlsx":
        book = BytesIO()
        exports.xlsx_file(made, side, book)
        return book.getvalue()
    if form == "csv":
        [section] = made.sections
        return "".join(exports.csv_chunks(made, section, side)).encode()
    return msgspec.json.format(b"".join(json_chunks(made)), indent=2) + b"\n"


def _write(content: bytes, output: Path | None) -> None:
    """To standard output, or to the file in one step: a failure leaves the old file as it was."""
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    target = output.resolve()
    if not target.parent.is_dir():
        raise click.ClickException(f"{output} cannot be written: there is no folder {target.parent}.")
    if target.exists() and not target.is_file():
        # A pipe or a device is written to, never replaced by a file.
        target.write_bytes(content)
        return
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as half:
        try:
            half.write(content)
            half.close()
            Path(half.name).chmod(_usual_mode())
            Path(half.name).replace(target)
        except OSError:
            Path(half.name).unlink(missing_ok=True)
            raise


def _usual_mode() -> int:
    """What any new file of this process would get; a temporary one is the owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
