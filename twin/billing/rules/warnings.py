"""How much of what may be spent is spent, and which warning that calls for."""

from __future__ import annotations

from collections.abc import Sequence

from twin.billing.rules.rounding import minor_nano
from twin.billing.types import Balance


def spent_percent(balance: Balance) -> int:
    """Of the credit limit and the money paid in advance, the part that is used: whole per cent, rounded down.

    Without anything that could be spent it is 100 at once. Needs a limit.
    """
    if balance.available is None:
        raise ValueError("Without a limit there is nothing to be used up.")
    limit = balance.account.limit_minor or 0
    capacity = minor_nano(limit + max(balance.booked_minor, 0), balance.currency)
    if capacity <= 0:
        return 100 if balance.available <= 0 else 0
    return max(0, (capacity - balance.available) * 100 // capacity)


def reached(percents: Sequence[int], spent: int) -> int:
    """The highest warning that is reached; 0: none."""
    return max((percent for percent in percents if percent <= spent), default=0)
