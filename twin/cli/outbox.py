"""`twin outbox`: how mails and SMS fare, for whoever runs the installation."""

from __future__ import annotations

import click

from twin.kernel.outbox import Passage, passages
from twin.kernel.period import instant_text


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many, newest first.")
def outbox(limit: int) -> None:
    """List the newest mails and SMS: when, to whom (masked), what for, how it went. Never what they say."""
    found = passages(limit)
    for passage in found:
        click.echo(_line(passage))
    if not found:
        click.echo("Nothing has been sent yet.", err=True)


def _line(passage: Passage) -> str:
    when = instant_text(passage.created_at.replace(microsecond=0))
    tries = f"{passage.attempts} {'try' if passage.attempts == 1 else 'tries'}"
    words = [when, f"{passage.channel:<4}", f"{passage.state:<9}", passage.purpose, passage.to, tries]
    return "  ".join([*words, passage.last_error] if passage.last_error else words)
