"""What pricing refuses, by the reason."""

from __future__ import annotations

from twin.kernel.errors import Invalid, NotFound


class RateCardNotFound(NotFound):
    """No card of this number belongs to the asker."""


class RatesUnusable(Invalid):
    """At least one of the rates cannot be recorded; none of them was."""


class RateCardUnusable(Invalid):
    """The card cannot be made, or not be given to this buyer by this seller."""


class NotTheSeller(Invalid):
    """Only the company's parent at that instant sets what it pays."""
