"""`twin api-key`."""

from __future__ import annotations

import click

from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key
from twin.companies.types import PERMISSIONS


@click.group(name="api-key")
def api_key() -> None:
    """Keys of the API."""


@api_key.command()
@click.option("--company", required=True, type=int, help="Id of the company the key acts for.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice(PERMISSIONS),
    help="What the key may do; repeat for several. usage:write is the operator's: give it knowingly.",
)
@click.option("--name", default="command line", show_default=True, help="What people will know the key by.")
def create(company: int, scopes: tuple[str, ...], name: str) -> None:
    """Create a key and print it, once, alone on standard output. It cannot be shown again."""
    _, secret = create_api_key(platform_scope(), company, scopes, name=name)
    click.echo(secret)
