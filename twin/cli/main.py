"""The group of all commands; each is loaded only when it is called, so that help needs no database."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import click
import django


@dataclass(frozen=True)
class Entry:
    """Where a command lives, and the line about it in the help of `twin`."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "run": Entry("twin.config.run", "run", "Migrate, load the demonstration world when empty, serve."),
    "demo": Entry("twin.config.demo", "demo", "More of the demonstration world."),
    "serve": Entry("twin.cli.serve", "serve", "Serve pages, API, jobs and schedule."),
    "init": Entry("twin.cli.init", "init", "Create the platform company and its first administrator."),
    "migrate": Entry("twin.cli.migrate", "migrate", "Bring the schema of the database up to date."),
    "backup": Entry("twin.cli.backup", "backup", "Write the whole installation to a file."),
    "restore": Entry("twin.cli.restore", "restore", "Bring an installation back from a file."),
    "api-key": Entry("twin.cli.keys", "api_key", "Keys of the API."),
    "usage": Entry("twin.cli.usage", "usage", "Import usage from files."),
    "report": Entry("twin.cli.report", "report", "Reports, without a server."),
    "doctor": Entry("twin.cli.doctor", "doctor", "Say what is wrong with this installation, in plain words."),
    "outbox": Entry("twin.cli.outbox", "outbox", "How the last mails and SMS fared."),
    "trace": Entry("twin.cli.trace", "trace", "The whole way of one usage event."),
    "audit": Entry("twin.cli.audit", "audit", "Check the record of what happened."),
    "billing": Entry("twin.cli.billing", "billing", "Close months and prove the closed ones."),
    "metering": Entry("twin.cli.metering", "metering", "Check the totals against the rows."),
}


class LazyGroup(click.Group):
    """Knows the commands by name; imports one, and sets Django up, only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, entry in COMMANDS.items() if find_spec(entry.module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        entry = COMMANDS[cmd_name]
        _set_up()
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twin")
def main() -> None:
    """Twin: usage taken in once, rated once per seller, reported exactly."""


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twin.config.settings")
    if {"-h", "--help"} & set(sys.argv[1:]):
        # Help about a command has to import it, and shall not start a database for that.
        os.environ["TWIN_NO_DATABASE"] = "1"
    django.setup()
    # A command speaks for itself; what the log would say of its doings stands in the record of security.
    logging.getLogger("twin").setLevel(logging.WARNING)
    # What took long belongs to the log of the servers, which are processes of their own: here it is in the way.
    logging.getLogger("twin.slow_queries").setLevel(logging.ERROR)
