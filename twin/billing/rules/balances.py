"""What charges amount to on an invoice that is still to come, and whether more of them are covered."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from twin.billing.types import Settings

# Percents have at most four decimals.
TAX_PARTS: Final = 1_000_000


def tax_parts(settings: Settings) -> int:
    """The seller's tax in millionths."""
    return int(settings.tax_percent * Decimal(TAX_PARTS // 100)) if settings.tax_kind == "rate" else 0


def with_tax(exact: int, parts: int) -> int:
    """Exact charges with the tax that would come on them, rounded up: nothing is spent that is not there."""
    return -(-exact * (TAX_PARTS + parts) // TAX_PARTS)
