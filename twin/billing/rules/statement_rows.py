"""What a row of the table of statements is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from twin.billing.types import Statement
from twin.kernel.period import Period

COLUMNS: Final = """
    id, seller_id, buyer_id, month, time_zone, starts_at, ends_at, currency, state, held, since, cutoff,
    late_policy, signed_off_reason, signed_off_by, amount::text, closed_at
"""


def statement_from(row: Sequence[Any]) -> Statement:
    """A row of `COLUMNS`, without its lines."""
    return Statement(
        id=row[0],
        seller_id=row[1],
        buyer_id=row[2],
        month=row[3],
        time_zone=row[4],
        period=Period(row[5], row[6]),
        currency=row[7],
        state=row[8],
        held=row[9],
        since=tuple(row[10]),
        cutoff=None if row[11] is None else tuple(row[11]),
        late_policy=row[12],
        signed_off_reason=row[13],
        signed_off_by=row[14],
        amount=None if row[15] is None else int(row[15]),
        closed_at=row[16],
    )
