"""One JSON object per line on standard error: nothing a stranger types can forge a line, no secret gets into one."""

from __future__ import annotations

from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from twin.kernel.masking import is_secret, mask_people

_ADDED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
)
_OURS = ("at", "level", "logger")


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Emails, phones, credentials and tokens go from every text, fields named like secrets go as a whole."""
    return {name: value if name in _OURS else _masked(value) for name, value in event.items() if not is_secret(name)}


def logging_settings() -> dict[str, Any]:
    """Django's LOGGING: what our own code says from INFO on, what others say from WARNING on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_ADDED],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    mask_event,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "twin": {"level": "INFO"},
            # Django hangs handlers of its own on these; ours stands at the root.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


def set_up_structlog() -> None:
    """structlog hands its events to the standard library, so that there is one way to the log."""
    structlog.configure(
        processors=[*_ADDED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _masked(value: object) -> object:
    return mask_people(value) if isinstance(value, str) else value
