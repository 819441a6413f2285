"""`twin run`: from nothing to a served demonstration."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from types import ModuleType

import click
from django.conf import settings

from twin.cli.serve import PARTS, prepare_schema, refuse_taken_port, serve_parts


@click.command()
def run() -> None:
    """Migrate, load the demonstration world when the database is empty, serve.

    The demonstration has known passwords, so it is loaded only where
    nobody but this machine can sign in.
    """
    refuse_taken_port()
    prepare_schema()
    demo = _demonstration()
    if demo is not None and is_loopback(settings.HOST):
        demo.load_world(progress=True)
    serve_parts(PARTS, greeting=lambda: _greeting(demo))


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _demonstration() -> ModuleType | None:
    return import_module("twin.demo.actions") if find_spec("twin.demo.actions") is not None else None


def _greeting(demo: ModuleType | None) -> str:
    lines = ["", f"Twin is ready: {settings.URL}", ""]
    sign_ins = demo.sign_ins() if demo is not None and is_loopback(settings.HOST) else ()
    if sign_ins:
        lines.append("Sign in as")
        lines += [f"  {each.title:<10} {each.email:<28} {each.password}" for each in sign_ins]
        lines.append("")
    return "\n".join([*lines, "Ctrl-C ends it."])
