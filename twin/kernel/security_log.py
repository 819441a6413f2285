"""What happened to accounts and what was refused: one row that nobody can change, and one line of the log."""

from __future__ import annotations

import json

import structlog
from django.db import connections

from twin.kernel.clock import now
from twin.kernel.masking import mask_fields

_log = structlog.stdlib.get_logger("twin.security")

# Without RETURNING: whoever writes a row need not be allowed to read it.
_ADD = """
insert into kernel_securityevent (at, event, user_id, company_id, address, fields)
values (%s, %s, %s, %s, %s, %s::jsonb)
"""


def record(
    event: str,
    *,
    user_id: int | None = None,
    company_id: int | None = None,
    address: str | None = None,
    **fields: object,
) -> None:
    """Add an event such as `login_failed`, in the caller's transaction.

    Fields named like secrets are left out; emails, phones and codes within
    the others are masked.
    """
    kept = mask_fields(fields)
    with connections["default"].cursor() as cursor:
        cursor.execute(_ADD, [now(), event, user_id, company_id, address, json.dumps(kept)])
    _write(event, {"user_id": user_id, "company_id": company_id, "address": address, **kept})


def note(event: str, *, address: str | None = None, **fields: object) -> None:
    """The line of the log alone: for what strangers cause, who could fill any table."""
    _write(event, {"address": address, **mask_fields(fields)})


def _write(event: str, about: dict[str, object]) -> None:
    _log.info(event, **{name: value for name, value in about.items() if value is not None})
