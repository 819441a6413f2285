"""`twin run`: from nothing to a served demonstration."""

from __future__ import annotations

from ipaddress import ip_address

import click
from django.conf import settings

from twin.cli.serve import PARTS, prepare_schema, refuse_taken_port, serve_parts
from twin.demo.actions import load_world
from twin.demo.queries import sign_ins


@click.command()
def run() -> None:
    """Migrate, load the demonstration world when the database is empty, serve.

    The demonstration has known passwords, so it is loaded only where
    nobody but this machine can sign in.
    """
    refuse_taken_port()
    prepare_schema()
    if is_loopback(settings.HOST):
        load_world(progress=True)
    serve_parts(PARTS, greeting=_greeting)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _greeting() -> str:
    lines = ["", f"Twin is ready: {settings.URL}", ""]
    people = sign_ins()
    if people:
        width = max(len(person.email) for person in people)
        rows = (f"  {each.email:<{width}}  {each.password:<24}  {each.role}, {each.company}" for each in people)
        lines += ["Sign in as", *rows, ""]
    return "\n".join([*lines, "Ctrl-C ends it."])
