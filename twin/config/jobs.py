"""The process of jobs and schedule."""

from __future__ import annotations

import contextlib
import io
import os

import django
from django.core.management import call_command

from twin.engine.lifeline import end_with_parent

# More than the long jobs, of which each runs once at a time: a code that somebody waits for always finds a place.
_CONCURRENCY = "6"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twin.config.settings")
    end_with_parent()
    django.setup()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        # Only its greeting is lost: the log keeps the standard error it was set up with.
        _work()


def _work() -> None:
    # What went well is forgotten: the schedule alone makes thousands of jobs a day.
    options = ("--concurrency", _CONCURRENCY, "--shutdown-graceful-timeout", "15", "--delete-jobs", "successful")
    call_command("procrastinate", "worker", *options)


if __name__ == "__main__":
    main()
