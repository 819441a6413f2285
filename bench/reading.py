"""A program: how long the figures of a report take in a process of Twin, without rows, names, JSON and HTTP."""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime

import django

django.setup()

from twin.companies.access import scope_for_key  # noqa: E402 - needs the settings
from twin.kernel.period import Period  # noqa: E402 - as above
from twin.metering.queries import cells_in  # noqa: E402 - as above


def main() -> None:
    """Reads key, periods and how often from standard input; writes milliseconds."""
    asked = json.load(sys.stdin)
    scope = scope_for_key(asked["key"])
    if scope is None:
        raise SystemExit("the key is not valid")
    periods = [Period(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in asked["periods"]]
    taken = []
    for turn in range(asked["times"] + 1):
        for period in periods:
            begun = time.perf_counter()
            cells_in(scope, period)
            if turn:
                taken.append((time.perf_counter() - begun) * 1000)
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main()
