"""`twin trace`: the whole way of one usage event."""

from __future__ import annotations

import click

from twin.companies.access import platform_scope
from twin.kernel.errors import TwinError
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.metering import queries as metering
from twin.metering.types import Trace


@click.command()
@click.option("--company", required=True, type=int, help="Id of the company that used it.")
@click.option("--source", required=True, help="The system that counted.")
@click.option("--id", "event_id", required=True, help="The id of the event in that system.")
def trace(company: int, source: str, event_id: str) -> None:
    """Show how one event was taken and what every seller charged for it."""
    try:
        found = metering.trace(platform_scope(), company_id=company, source=source, event_id=event_id)
    except TwinError as error:
        raise click.ClickException(str(error)) from error
    for line in _lines(found):
        click.echo(line)


def _lines(found: Trace) -> list[str]:
    attributes = ", ".join(f"{key}={value}" for key, value in found.attributes.items()) or "none"
    lines = [
        f"event       {found.id} of {found.source}, company {found.company_id}",
        f"used        {found.quantity} × {found.meter}, attributes: {attributes}",
        f"happened    {instant_text(found.event_time)}",
        f"received    {instant_text(found.received_at)}, batch {found.batch} of shard {found.shard}",
    ]
    for charge in found.charges:
        rate = f"rate {charge.rate_id}" if charge.rate_id else "no rate"
        amount = amount_text(charge.amount) if charge.amount is not None else "unrated"
        lines.append(
            f"charge      {charge.buyer_id} owes {charge.seller_id}: {amount}"
            f"  [{rate}: {charge.calculation}; recorded {charge.recorded_as}]"
        )
    hour = found.event_time.replace(minute=0, second=0, microsecond=0)
    sellers = ", ".join(str(charge.seller_id) for charge in found.charges) or "nobody"
    lines.append(f"totals      hour {instant_text(hour)} in the books of {sellers}")
    lines.append("statement   none: statements are not made yet")
    return lines
