"""`twin init`."""

from __future__ import annotations

from pathlib import Path

import click
from django.db import transaction

from twin.accounts.actions import create_person
from twin.cli.database import migrate_database
from twin.companies.access import platform_scope
from twin.companies.actions import add_employee, create_platform
from twin.companies.types import Company


@click.command()
@click.option("--admin-email", required=True, help="Email by which the first administrator signs in.")
@click.option(
    "--admin-password-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the administrator's password: at least 12 characters, hard to guess.",
)
@click.option("--admin-name", default="Administrator", show_default=True, help="Name of the first administrator.")
@click.option("--name", default="Twin", show_default=True, help="Name of the platform company.")
@click.option("--time-zone", default="UTC", show_default=True, help="IANA time zone of the platform company.")
@click.option("--currency", default="EUR", show_default=True, help="The one currency of this installation.")
def init(
    admin_email: str, admin_password_file: Path, admin_name: str, name: str, time_zone: str, currency: str
) -> None:
    """Create the platform company and its first administrator, and print its id.

    Brings the schema up to date first. Refuses when there is a platform company; what is
    refused leaves nothing behind.
    """
    password = _password_in(admin_password_file)
    migrate_database()
    with transaction.atomic():
        platform = create_platform(name=name, time_zone=time_zone, currency=currency)
        _employ(platform, admin_email, password, admin_name)
    click.echo(f"company={platform.id}")


def _employ(platform: Company, email: str, password: str, name: str) -> None:
    person = create_person(email=email, password=password, name=name, time_zone=platform.time_zone)
    add_employee(platform_scope(), user=person, company_id=platform.id, role="administrator")


def _password_in(file: Path) -> str:
    """The text of the file without the line break that editors put at its end."""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not a text file in UTF-8.") from None
