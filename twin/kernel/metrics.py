"""What the processes that serve count about themselves; `twin serve` shows it where TWIN_METRICS_PORT is set.

Figures only: no company, no person, no address is ever a label.
"""

from __future__ import annotations

from prometheus_client import Counter

_EVENTS = Counter("twin_usage_events", "Usage events sent over HTTP, by what became of them.", ["outcome"])


def count_usage(*, accepted: int, duplicates: int, conflicts: int, rejected: int) -> None:
    """Note the answer to one request of usage."""
    outcomes = {"accepted": accepted, "duplicate": duplicates, "conflict": conflicts, "rejected": rejected}
    for outcome, count in outcomes.items():
        if count:
            _EVENTS.labels(outcome).inc(count)
