"""`twin migrate`."""

from __future__ import annotations

import click

from twin.cli.database import migrate_database


@click.command()
def migrate() -> None:
    """Bring the schema of the database up to date. Safe to repeat."""
    applied = migrate_database()
    click.echo(f"applied={applied}" if applied else "applied=0 (the schema is up to date)")
