"""What every direct buyer owes in all for its usage, now: the table of what is folded plus the journals."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from django.db import connection

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.rules.packing import unpack

# One statement sees a charge either in its journal or folded, never both or neither.
_SPENT: Final = """
    select buyer_id, amount::text, null::bytea from metering_spent
    where seller_id = %(seller)s and (%(buyers)s::int[] is null or buyer_id = any(%(buyers)s))
    union all
    select null, null, spent from metering_journal where seller_id = %(seller)s
"""


@scoped
def spent_by_buyers(scope: Scope, *, only: Collection[int] | None = None) -> dict[int, int]:
    """All charges and corrections ever made on the edges of the asking seller, exact, by buyer (or those named).

    Usage of whatever lies beneath a buyer stands with that buyer. Who never used anything has no place here.
    """
    found: dict[int, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, {"seller": scope.organisation_id, "buyers": None if only is None else list(only)})
        for buyer, amount, journal in cursor.fetchall():
            if journal is None:
                found[buyer] = found.get(buyer, 0) + int(amount)
                continue
            owed = unpack(journal)
            if only is not None:
                owed = owed.taken(np.isin(owed.company, list(only)))
            for one, added in zip(owed.company.tolist(), owed.sell.tolist(), strict=True):
                found[one] = found.get(one, 0) + added
    return found
