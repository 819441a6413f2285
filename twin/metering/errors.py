"""What metering refuses."""

from __future__ import annotations

from datetime import datetime

from twin.kernel.errors import Clash, Invalid, NotFound, TwinError


class UnreadableBody(TwinError):
    """The body is not JSON; nothing was taken."""


class BatchTooLong(TwinError):
    """The batch has more events than one request may carry; nothing was taken."""


class NotABatch(Invalid):
    """The body is JSON but not a list of events; nothing was taken."""


class AlreadyCharged(Clash):
    """Usage is charged whose price or seller the change would alter.

    Where a price is concerned, `last_at` is when the latest of it happened, `company_id` whose and of which
    meter it is.
    """

    def __init__(
        self, message: str, *, last_at: datetime | None = None, company_id: int | None = None, meter: str = ""
    ) -> None:
        super().__init__(message)
        self.last_at = last_at
        self.company_id = company_id
        self.meter = meter


class EventUnknown(NotFound):
    """No event of that company, source and id was taken."""


class BookDamaged(TwinError):
    """A packed total cannot be read; `twin metering verify` names it."""


class KeyOutdated(TwinError):
    """The key a batch came with does not hold any more; nothing was taken."""


class StoreUnavailable(TwinError):
    """The database could not store the batch now; nothing was taken, sending it again is safe."""


class ReratingUnknown(NotFound):
    """There is no such correction of this organisation."""


class ReratingUndecidable(Clash):
    """The correction cannot be decided as it stands: it was decided, or prices have changed since its preview."""
