"""`twin serve`: web, jobs and schedule under one parent."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sys
from collections.abc import Callable

import click
from django.conf import settings
from django.db import connections

from twin.cli.database import migrate_database, refuse_strong_app_role, refuse_when_behind
from twin.cli.exposure import refuse_open_address
from twin.cli.family import Child, Family
from twin.engine.types import DatabaseRoles
from twin.kernel import demonstration, gateways

PARTS = ("web", "jobs")
_PROGRAMS = {"web": "twin.config.web", "jobs": "twin.config.jobs", "metrics": "twin.config.metrics_process"}


@click.command()
@click.option("--only", metavar="PARTS", help="Only these parts, comma separated: web, jobs.")
def serve(only: str | None) -> None:
    """Serve pages, API, jobs and schedule until SIGTERM or Ctrl-C.

    The embedded database is migrated first; another one that is
    behind is refused: run `twin migrate`.
    """
    parts = parts_of(only)
    if "web" in parts:
        refuse_open_address()
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
    """The schema as this version needs it, or a refusal; settings that cannot be meant are refused as well."""
    gateways.check_settings()
    roles: DatabaseRoles = settings.ROLES
    if roles.embedded:
        migrate_database()
    else:
        refuse_when_behind()
    refuse_strong_app_role()
    refuse_exposed_demonstration()


def refuse_exposed_demonstration() -> None:
    """Its passwords are printed for everybody: they open nothing that others can reach."""
    if demonstration.is_exposed():
        raise click.ClickException(
            "This data directory holds the demonstration, whose passwords everybody knows: serve it on loopback only"
            " (TWIN_HOST), or begin an installation of your own with another TWIN_DATA_DIR and `twin init`."
        )


def warn_of_silence() -> None:
    """Without gateways people cannot register: that is said at once, not when the first one tries."""
    for setting in gateways.missing():
        click.echo(f"twin: {setting} is not set: what it would carry waits here unsent (docs/settings.md).", err=True)


def refuse_taken_port() -> None:
    """The web server itself would share a port with another program without a word."""
    _refuse_taken(settings.HOST, settings.PORT, "TWIN_HOST", "TWIN_PORT")
    if settings.METRICS_PORT:
        _refuse_taken(settings.METRICS_HOST, settings.METRICS_PORT, "TWIN_METRICS_HOST", "TWIN_METRICS_PORT")


def _refuse_taken(host: str, port: int, host_setting: str, port_setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            if refused.errno == errno.EADDRINUSE:
                advice = f"stop the program that listens there, or set {port_setting} to a free one"
            else:
                wanted = f"set {host_setting} and {port_setting} to an address of this machine"
                advice = f"{refused.strerror or refused}: {wanted}"
            raise click.ClickException(f"Port {port} at {host} cannot be used: {advice}.") from refused


def serve_parts(parts: tuple[str, ...], *, greeting: Callable[[], str] | None = None) -> None:
    """Start the parts and keep them up; `greeting` is printed once the address answers."""
    warn_of_silence()
    connections.close_all()
    if "web" in parts and settings.METRICS_PORT:
        _prepare_metrics()
        parts = (*parts, "metrics")
    children = [Child(part, (sys.executable, "-m", _PROGRAMS[part])) for part in parts]
    where = f" at {settings.URL}" if "web" in parts else ""
    say = greeting or (lambda: f"Twin serves {' and '.join(parts)}{where}")

    def announce() -> bool:
        if "web" in parts and not _answers():
            return False
        click.echo(say())
        return True

    Family(children, settings.ROLES.data_dir).live(when_started=announce)


def _prepare_metrics() -> None:
    """An empty folder in which the web workers count; the children learn of it from the environment."""
    folder = settings.ROLES.data_dir / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _answers() -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    try:
        socket.create_connection((host, settings.PORT), timeout=1).close()
    except OSError:
        return False
    return True
