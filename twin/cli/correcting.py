"""`twin metering rerate` and `withdraw`: corrections of what is charged."""

from __future__ import annotations

from pathlib import Path

import click

from twin.companies.access import platform_scope, report_scope
from twin.companies.queries import get_company
from twin.companies.types import Scope
from twin.kernel.errors import TwinError
from twin.kernel.money import amount_text
from twin.kernel.period import Period, instant_text, parse_instant
from twin.metering import actions, queries
from twin.metering.types import PLANNED_RATE, NewPrices, RateFigures, Rerating, ReratingFigures
from twin.pricing.meters import METER_BY_ID
from twin.pricing.rules.rate_files import Problem, read_rates, text_of

_OPERATOR = "operator"


@click.command()
@click.option("--seller", "seller_id", type=int, required=True, metavar="ID", help="Whose charges.")
@click.option("--from", "start", metavar="T", help="First instant, RFC 3339 with offset; not with --rates.")
@click.option("--to", "end", metavar="T", help="First instant that no longer counts; not with --rates.")
@click.option("--buyer", "buyer_id", type=int, metavar="ID", help="Only what this direct buyer owes.")
@click.option("--company", "company_id", type=int, metavar="ID", help="Only what this company used.")
@click.option("--meter", "meters", multiple=True, metavar="METER", help="Only this meter; may be repeated.")
@click.option("--card", "card_id", type=int, metavar="ID", help="The card that --rates are recorded on.")
@click.option(
    "--rates",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV of rates to record although usage is charged; everything they change is charged again.",
)
@click.option("--both-sides", is_flag=True, help="Also the edge above: what the seller itself owes for this usage.")
@click.option("--reason", metavar="TEXT", help="Why; needed unless --dry-run.")
@click.option("--dry-run", is_flag=True, help="Only say what it would change.")
def rerate(
    *,
    seller_id: int,
    start: str | None,
    end: str | None,
    buyer_id: int | None,
    company_id: int | None,
    meters: tuple[str, ...],
    card_id: int | None,
    file: Path | None,
    both_sides: bool,
    reason: str | None,
    dry_run: bool,
) -> None:
    """Charge again, by the prices of now, what is charged otherwise: a reversal and a new charge for each.

    Safe to interrupt and to run again: what is charged as the prices say is left alone.
    """
    if not dry_run and not reason:
        raise click.UsageError("--reason is needed: the correction is recorded with it.")
    prices = _prices(card_id, file)
    if prices is None and not (start and end):
        raise click.UsageError("--from and --to are needed, or --card and --rates.")
    period = Period(parse_instant(start), parse_instant(end)) if start and end and prices is None else None
    try:
        scope, above = _scopes(seller_id, both_sides=both_sides)
        run = actions.ask_rerating(
            scope, period=period, buyer_id=buyer_id, company_id=company_id,
            meters=meters or None, prices=prices, above=above, by=_OPERATOR,
        )  # fmt: skip
        actions.count_preview(run.id)
        run = queries.rerating(scope, run.id)
        _tell(run, run.preview, "would change")
        if dry_run or not reason:
            actions.discard_rerating(scope, rerating_id=run.id)
            return
        actions.decide_rerating(scope, rerating_id=run.id, reason=reason, above=above, by=_OPERATOR)
        actions.carry_out(run.id)
        run = queries.rerating(scope, run.id)
        _tell(run, run.figures, "changed")
    except TwinError as error:
        raise click.ClickException(str(error)) from error


def _scopes(seller_id: int, *, both_sides: bool) -> tuple[Scope, Scope | None]:
    """The operator speaks for every seller."""
    platform = platform_scope()
    scope = report_scope(platform, seller_id)
    parent = get_company(platform, seller_id).parent_id
    if not both_sides:
        return scope, None
    if parent is None:
        raise click.UsageError("Nobody is above the platform: --both-sides has no other side.")
    return scope, report_scope(platform, parent)


def _prices(card_id: int | None, file: Path | None) -> NewPrices | None:
    if (card_id is None) != (file is None):
        raise click.UsageError("--card and --rates belong together.")
    if card_id is None or file is None:
        return None
    text = text_of(file.read_bytes())
    if isinstance(text, Problem):
        raise click.ClickException(f"{file} cannot be read: {text.code}.")
    found = read_rates(text, parse_instant)
    problems = [*found.problems, *(problem for line in found.lines for problem in line.problems)]
    if problems:
        first = problems[0]
        raise click.ClickException(
            f"{file}, line {first.line}, {first.column or 'file'}: {first.code} {first.given!r}."
        )
    return NewPrices(card_id, tuple(line.rate for line in found.lines if line.rate is not None))


def _tell(run: Rerating, figures: ReratingFigures | None, verb: str) -> None:
    if figures is None:
        return
    for line in figures.by_rate:
        click.echo(_line(run, line))
    click.echo(
        f"correction={run.id} {verb}: looked_at={figures.looked_at} sell={figures.changed(0)} buy={figures.changed(1)}"
        f" sell_difference={amount_text(figures.difference(0))} buy_difference={amount_text(figures.difference(1))}"
        f" margin={amount_text(figures.margin)} without_price={figures.losing(0) + figures.losing(1)}"
    )


def _line(run: Rerating, line: RateFigures) -> str:
    """One change of rate, in one line."""
    side = "sell" if line.edge == 0 else "buy"
    rate = str(line.new_rate) if line.new_rate else "no price"
    if run.prices is not None and line.new_rate >= PLANNED_RATE:
        new = run.prices.rates[line.new_rate - PLANNED_RATE]
        rate = f"new from {instant_text(new.effective_from)}"
    return (
        f"{side} {METER_BY_ID[line.meter_id].code}: rate {line.old_rate} → {rate}: {line.count} charges,"
        f" {amount_text(line.before)} → {amount_text(line.after)}"
    )


@click.command()
@click.option("--company", type=int, required=True, metavar="ID", help="Who used it.")
@click.option("--source", required=True, help="The system that counted.")
@click.option("--id", "event_id", required=True, help="The id of the event in that system.")
@click.option("--reason", required=True, metavar="TEXT", help="Why it is taken back.")
def withdraw(*, company: int, source: str, event_id: str, reason: str) -> None:
    """Take one event back on every edge: nobody owes for it, no total counts it. Its id stays used."""
    try:
        done = actions.withdraw_event(
            platform_scope(), company_id=company, source=source, event_id=event_id, reason=reason
        )
    except TwinError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"edges={done.edges} {'withdrawn' if done.is_new else 'had been withdrawn before'}")
