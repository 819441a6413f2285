"""What billing refuses."""

from __future__ import annotations

from twin.kernel.errors import Clash, Invalid, NotFound


class StatementNotFound(NotFound):
    """There is no such statement for this organisation."""


class InvoiceNotFound(NotFound):
    """There is no such invoice or credit note for this organisation."""


class PeriodNotOver(Clash):
    """A month is closed when it is over and its grace period too."""


class UsageUnrated(Clash):
    """Usage of the month still lacks a price on the seller's edge, and nobody signed it off."""


class StatementHeld(Clash):
    """Closing waits for somebody's decision about late usage."""


class DetailsMissing(Clash):
    """An invoice needs the details of both parties; the message names what is missing."""


class CreditTooLarge(Clash):
    """A credit note would take back more than remains of an invoice line."""


class BillingInvalid(Invalid):
    """The input cannot be used as it is; `errors` names each field."""
