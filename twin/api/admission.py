"""How much usage one process takes in hand at a time, and how much of it from one organisation.

What is in hand is read, decoded and waiting for the disk: it fills memory and threads. Whoever
would be too many is told at once to come again, so that a flood leaves room for everybody else.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from django.http import HttpRequest

from twin.api.bodies import LONGEST_BODY
from twin.api.errors import TooBusy

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bytes of bodies in hand, of all and of one organisation; requests of one."""

    all_bytes: int
    own_bytes: int
    own_requests: int


class Admission:
    """Counts what is in hand; safe for threads. An organisation that has nothing in hand is never refused."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._requests: Counter[int] = Counter()
        self._bytes: Counter[int] = Counter()

    def enter(self, request: HttpRequest, organisation_id: int) -> None:
        """Take a request in hand until `leave`; raises `TooBusy` when that would be too many."""
        size = _announced(request)
        with self._lock:
            if self._is_too_much(organisation_id, size):
                raise TooBusy("More usage is on its way in than can be taken at once. Send the same again in a second.")
            self._requests[organisation_id] += 1
            self._bytes[organisation_id] += size
        request.admitted = (self, organisation_id, size)  # type: ignore[attr-defined]  # what `leave` gives back

    def give_back(self, organisation_id: int, size: int) -> None:
        with self._lock:
            self._requests[organisation_id] -= 1
            self._bytes[organisation_id] -= size
            if not self._requests[organisation_id]:
                del self._requests[organisation_id], self._bytes[organisation_id]

    def _is_too_much(self, organisation_id: int, size: int) -> bool:
        own = self._requests[organisation_id]
        if not own:
            # The last bytes are kept for those who have nothing in hand.
            return False
        limits = self._limits
        return (
            own >= limits.own_requests
            or self._bytes[organisation_id] + size > limits.own_bytes
            or self._bytes.total() + size > limits.all_bytes
        )


def leave(request: HttpRequest) -> None:
    """The request is answered; nothing happens for one that was never taken in hand."""
    admitted = getattr(request, "admitted", None)
    if admitted is not None:
        admission, organisation_id, size = admitted
        request.admitted = None  # type: ignore[attr-defined]  # as above
        admission.give_back(organisation_id, size)


def _announced(request: HttpRequest) -> int:
    """The length the body says it has; one that does not say counts as the longest."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return min(int(length), LONGEST_BODY) if length.isdigit() else LONGEST_BODY


# A web worker has 32 threads (`config/web.py`): four stay free of any one organisation. 10 MiB are eight batches of
# 5,000 events, as many as keep a worker busy; more of them in hand only take memory and wait.
usage = Admission(Limits(all_bytes=40 * MIB, own_bytes=10 * MIB, own_requests=28))
