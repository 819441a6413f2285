"""The web processes: granian's parent, and its workers below it."""

from __future__ import annotations

import logging

from django.conf import settings
from environs import Env
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from twin.engine.lifeline import end_with_parent

# Threads that send usage wait for one another and share one connection (`metering/writing.py`); those that answer
# pages keep one each. So many that small requests of usage find company on their way to the disk.
_THREADS = 32


def _is_news(record: logging.LogRecord) -> bool:
    """Granian wonders at the number of threads at each start; it is meant."""
    return "Python threads" not in record.getMessage()


def main() -> None:
    end_with_parent()
    logging.getLogger("_granian").addFilter(_is_news)
    Granian(
        "twin.config.web_worker:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=Env().int("TWIN_WEB_WORKERS", 2),
        blocking_threads=_THREADS,
        runtime_blocking_threads=8,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=15,
    ).serve()


if __name__ == "__main__":
    main()
