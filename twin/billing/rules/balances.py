"""What charges amount to on an invoice that is still to come, and whether more of them are covered."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, cast

from twin.billing.types import Account, AccountMode, Balance, Settings

# Percents have at most four decimals.
TAX_PARTS: Final = 1_000_000


def tax_parts(settings: Settings) -> int:
    """The seller's tax in millionths."""
    return int(settings.tax_percent * Decimal(TAX_PARTS // 100)) if settings.tax_kind == "rate" else 0


def with_tax(exact: int, parts: int) -> int:
    """Exact charges with the tax that would come on them, rounded up: nothing is spent that is not there."""
    return -(-exact * (TAX_PARTS + parts) // TAX_PARTS)


def balance_in(seller_id: int, currency: str, row: Sequence[Any]) -> Balance:
    """A row of `queries.balance.COLUMNS`."""
    buyer_id, mode, limit, warns, booked, unbilled, waiting, gross, available = row
    return Balance(
        account=Account(seller_id, buyer_id, cast(AccountMode, mode), limit, tuple(warns)),
        currency=currency,
        booked_minor=booked,
        unbilled=int(unbilled),
        waiting=int(waiting),
        unbilled_gross=int(gross),
        available=None if available is None else int(available),
    )
