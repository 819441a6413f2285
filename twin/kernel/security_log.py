"""What happened to accounts and what was refused: one row that nobody can change, and one line of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import structlog
from django.db import connections

from twin.kernel.clock import now
from twin.kernel.masking import mask_fields
from twin.kernel.requests import current_acting, current_address
from twin.kernel.security_events import Event

_log = structlog.stdlib.get_logger("twin.security")

# Without RETURNING: whoever writes a row need not be allowed to read it.
_ADD = """
insert into kernel_securityevent (at, event, user_id, company_id, address, fields)
values (%s, %s, %s, %s, %s, %s::jsonb)
"""
_ADD_MANY = """
insert into kernel_securityevent (at, event, user_id, company_id, address, fields)
select %s, %s, %s, about.company_id, %s, about.fields::jsonb
from unnest(%s::int[], %s::text[]) with ordinality as about(company_id, fields, place) order by place
"""
_ROWS_AT_ONCE = 10_000


def record(
    event: Event,
    *,
    user_id: int | None = None,
    company_id: int | None = None,
    address: str | None = None,
    **fields: object,
) -> None:
    """Add an event such as `signed_in`, in the caller's transaction.

    `address` is that of the request under way unless told otherwise. Fields named like secrets
    are left out; emails, phones and codes within the others are masked.
    """
    kept, address = mask_fields({**current_acting(), **fields}), address or current_address()
    with connections["default"].cursor() as cursor:
        cursor.execute(_ADD, [now(), event, user_id, company_id, address, json.dumps(kept)])
    _write(event, {"user_id": user_id, "company_id": company_id, "address": address, **kept})


def record_many(
    event: Event, about: Sequence[tuple[int, Mapping[str, object]]], *, user_id: int | None = None, **fields: object
) -> None:
    """The same event at many companies, each with fields of its own: a row for each, one line of the log for all."""
    common, address = mask_fields({**current_acting(), **fields}), current_address()
    with connections["default"].cursor() as cursor:
        for first in range(0, len(about), _ROWS_AT_ONCE):
            part = about[first : first + _ROWS_AT_ONCE]
            texts = [json.dumps({**mask_fields(own), **common}) for _, own in part]
            cursor.execute(_ADD_MANY, [now(), event, user_id, address, [company for company, _ in part], texts])
    if about:
        _write(event, {"user_id": user_id, "address": address, "number": len(about), **common})


def note(event: Event, *, address: str | None = None, **fields: object) -> None:
    """The line of the log alone: for what strangers cause, who could fill any table."""
    _write(event, {"address": address, **mask_fields(fields)})


def _write(event: str, about: dict[str, object]) -> None:
    _log.info(event, **{name: value for name, value in about.items() if value is not None})
