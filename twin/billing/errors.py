"""What billing refuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from twin.kernel.errors import Clash, Invalid, NotFound


class StatementNotFound(NotFound):
    """There is no such statement for this organisation."""


class InvoiceNotFound(NotFound):
    """There is no such invoice or credit note for this organisation."""


class AccountNotFound(NotFound):
    """There is no account between these two for this organisation."""


class LogoMissing(NotFound):
    """New documents of this organisation bear no logo."""


class TransactionNotFound(NotFound):
    """There is no such payment or refund for this organisation."""


class PaymentKnown(Clash):
    """The same payment seems to be recorded already; whoever knows that there were two says so."""

    def __init__(self, message: str, by: str, at: datetime) -> None:
        super().__init__(message)
        self.by = by
        self.at = at


class PaymentSpent(Clash):
    """A payment cannot be taken back, or money not given back, beyond what is there."""


class PeriodNotOver(Clash):
    """A month is closed when it is over and its grace period too."""


class UsageUnrated(Clash):
    """Usage of the month still lacks a price on the seller's edge, and nobody signed it off."""


class StatementHeld(Clash):
    """Closing waits for somebody's decision about late usage."""


class DetailsMissing(Clash):
    """An invoice needs the details of both parties; `seller` and `buyer` name the fields that are missing."""

    def __init__(self, message: str, seller: Sequence[str] = (), buyer: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.seller = tuple(seller)
        self.buyer = tuple(buyer)


class CreditTooLarge(Clash):
    """A credit note would take back more than remains of an invoice line."""


class RequestKeyTaken(Clash):
    """A key for doing something once was used before, for something else."""


class BillingInvalid(Invalid):
    """The input cannot be used as it is; `errors` names each field."""
