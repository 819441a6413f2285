"""`twin serve`: web, jobs and schedule under one parent."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable

import click
from django.conf import settings
from django.db import connections

from twin.cli.database import migrate_database, refuse_strong_app_role, refuse_when_behind
from twin.cli.family import Child, Family
from twin.engine.types import DatabaseRoles

PARTS = ("web", "jobs")
_PROGRAMS = {"web": "twin.config.web", "jobs": "twin.config.jobs"}


@click.command()
@click.option("--only", metavar="PARTS", help="Only these parts, comma separated: web, jobs.")
def serve(only: str | None) -> None:
    """Serve pages, API, jobs and schedule until SIGTERM or Ctrl-C.

    The embedded database is migrated first; another one that is
    behind is refused: run `twin migrate`.
    """
    parts = parts_of(only)
    if "web" in parts:
        refuse_taken_port()
    prepare_schema()
    serve_parts(parts)


def parts_of(only: str | None) -> tuple[str, ...]:
    wanted = tuple(part.strip() for part in only.split(",")) if only is not None else PARTS
    unknown = [part for part in wanted if part not in PARTS]
    if unknown or not wanted:
        raise click.BadParameter(f"{', '.join(unknown)!r} is none of {', '.join(PARTS)}.", param_hint="--only")
    return wanted


def prepare_schema() -> None:
    """The schema as this version needs it, or a refusal; then the app role is checked."""
    roles: DatabaseRoles = settings.ROLES
    if roles.embedded:
        migrate_database()
    else:
        refuse_when_behind()
    refuse_strong_app_role()


def refuse_taken_port() -> None:
    """The web server itself would share a port with another program without a word."""
    host, port = settings.HOST, settings.PORT
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                advice = "stop the program that listens there, or set TWIN_PORT to a free one"
            else:
                advice = f"{refused.strerror or refused}: set TWIN_HOST and TWIN_PORT to an address of this machine"
            raise click.ClickException(f"Port {port} at {host} cannot be used: {advice}.") from refused


def serve_parts(parts: tuple[str, ...], *, greeting: Callable[[], str] | None = None) -> None:
    """Start the parts and keep them up; `greeting` is printed once the address answers."""
    connections.close_all()
    children = [Child(part, (sys.executable, "-m", _PROGRAMS[part])) for part in parts]
    where = f" at {settings.URL}" if "web" in parts else ""
    say = greeting or (lambda: f"Twin serves {' and '.join(parts)}{where}")

    def announce() -> bool:
        if "web" in parts and not _answers():
            return False
        click.echo(say())
        return True

    Family(children, settings.ROLES.data_dir).live(when_started=announce)


def _answers() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((host, settings.PORT), timeout=1).close()
    except OSError:
        return False
    return True
