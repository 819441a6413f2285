"""What the installation writes to its log while a test runs, letter by letter."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from twin.kernel.logs import logging_settings


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """What our handler writes during the block, wherever the event comes from."""
    written = io.StringIO()
    formatter = logging_settings()["formatters"]["json"]
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=formatter["processors"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)


def events(written: io.StringIO) -> list[dict[str, Any]]:
    """Each line as the object it is."""
    return [json.loads(line) for line in written.getvalue().split("\n") if line]
