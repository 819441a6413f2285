"""How an attempt to hand a message over may fail; every adapter speaks these three."""

from __future__ import annotations

from twin.kernel.errors import TwinError


class TryLater(TwinError):
    """The message was certainly not taken; it may be taken later."""


class Refused(TwinError):
    """The message was not taken and never will be."""


class OutcomeUnknown(TwinError):
    """The message was handed over and no answer came: it may have been taken."""
