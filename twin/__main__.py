"""The console command `twin`: every failure is one line on standard error and an exit code other than 0."""

from __future__ import annotations

import os
import sys
import traceback

import click
import django.db
import psycopg
from django.core.exceptions import ImproperlyConfigured

from twin.cli.main import main as commands
from twin.engine.errors import EngineError
from twin.kernel.errors import TwinError

FAILED = 1
MISUSED = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit code."""
    try:
        answer = commands.main(args=arguments, prog_name="twin", standalone_mode=False)
    except click.UsageError as misuse:
        return _refuse(_with_help(misuse), MISUSED)
    except click.ClickException as refused:
        return _refuse(refused.format_message(), refused.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _refuse("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell, and flushing at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as failure:  # noqa: BLE001 - the last door before the operator
        return _refuse(_in_one_line(failure), FAILED)
    # Commands answer nothing; `ctx.exit(code)` arrives here as a number.
    return answer if isinstance(answer, int) else 0


def _refuse(message: str, code: int) -> int:
    click.echo(f"twin: {' '.join(message.split())}", err=True)
    return code


def _with_help(misuse: click.UsageError) -> str:
    path = misuse.ctx.command_path if misuse.ctx is not None else "twin"
    return f"{misuse.format_message()} (`{path} --help` tells more)"


def _in_one_line(failure: Exception) -> str:
    if os.environ.get("TWIN_TRACEBACK") == "1":
        traceback.print_exception(failure)
    if isinstance(failure, (EngineError, TwinError, ImproperlyConfigured)):
        return str(failure)
    first = (str(failure).strip().splitlines() or [""])[0]
    if isinstance(failure, (psycopg.OperationalError, django.db.OperationalError)):
        return f"The database does not answer: {first}"
    if isinstance(failure, OSError):
        return str(failure)
    return f"{type(failure).__name__}: {first} (TWIN_TRACEBACK=1 shows where)"


if __name__ == "__main__":
    sys.exit(main())
