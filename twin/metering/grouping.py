"""What threads of one process bring at the same time is stored together: one transaction, one wait for the disk."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from twin.companies.types import Scope
from twin.metering.rules.decoding import MAX_EVENTS, Decoded
from twin.metering.types import Refusal, TakenBatch


@dataclass(frozen=True)
class Outcome:
    """How each item of a batch was answered, by its index in the batch."""

    accepted: list[int]
    duplicates: list[int]
    unrated: list[int]
    conflicts: list[Refusal]
    rejected: list[Refusal]


_Asker = tuple[int, int | None]


@dataclass
class _Ticket:
    """One request on its way through the gate; `sign` opens when it is answered or has to lead."""

    scope: Scope
    decoded: Decoded
    answer: TakenBatch | None = None
    problem: BaseException | None = None
    sign: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.sign.acquire()

    @property
    def is_done(self) -> bool:
        return self.answer is not None or self.problem is not None

    @property
    def size(self) -> int:
        return len(self.decoded.events) + len(self.decoded.rejected)


class Gate:
    """One thread at a time stores, for itself and for all that wait behind it and come with the same key.

    Nobody waits for company: a request that finds the gate free goes alone. An answer is
    given only after the commit of the transaction that holds its events. Whoever has stored hands the gate
    to the first of those that came meanwhile, and the answered are called each by a sign of its own: were
    it one lock for all, the answered would stand in line for it between the groups, and groups would be small.
    """

    def __init__(self, take: Callable[[Scope, Decoded], Outcome]) -> None:
        self._take = take
        self._is_busy = False
        self._waiting: OrderedDict[_Asker, deque[_Ticket]] = OrderedDict()
        self._queue = threading.Lock()

    def pass_through(self, scope: Scope, decoded: Decoded) -> TakenBatch:
        """Take the batch; raises what taking it raised."""
        ticket = _Ticket(scope, decoded)
        with self._queue:
            self._waiting.setdefault(_asker(scope), deque()).append(ticket)
            is_first, self._is_busy = not self._is_busy, True
        if not is_first:
            ticket.sign.acquire()
        if not ticket.is_done:
            self._lead()
        if ticket.problem is not None:
            raise ticket.problem
        assert ticket.answer is not None
        return ticket.answer

    def _lead(self) -> None:
        """Serve the group that begins with the caller's own request, then call the next to lead."""
        try:
            self._serve(self._next_group())
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        with self._queue:
            heir = next(iter(self._waiting.values()))[0] if self._waiting else None
            self._is_busy = heir is not None
        if heir is not None:
            heir.sign.release()

    def _next_group(self) -> list[_Ticket]:
        """The oldest request of whoever is next, and those right behind it that fit into one batch with it.

        Askers take turns: however much one of them sends, another waits for one of its batches.
        """
        with self._queue:
            asker, queue = self._waiting.popitem(last=False)
            group = [queue.popleft()]
            size = group[0].size
            while queue and size + queue[0].size <= MAX_EVENTS:
                group.append(queue.popleft())
                size += group[-1].size
            if queue:
                self._waiting[asker] = queue
        return group

    def _serve(self, group: list[_Ticket]) -> None:
        try:
            answers = _answers(group, self._take(group[0].scope, _joined(group)))
        except BaseException as problem:  # noqa: BLE001 - raised again by the thread whose request it was
            if len(group) == 1:
                group[0].problem = problem
                group[0].sign.release()
                return
            # Whatever one of them brought on, the others shall not suffer from it.
            for ticket in group:
                self._serve([ticket])
            return
        for ticket, answer in zip(group, answers, strict=True):
            ticket.answer = answer
            ticket.sign.release()


def _asker(scope: Scope) -> _Asker:
    """What holds for one request of an asker holds for the others: the same organisation, by the same key."""
    return scope.organisation_id, scope.key_id


def _joined(group: list[_Ticket]) -> Decoded:
    """The requests one behind the other, as if they were one batch."""
    if len(group) == 1:
        return group[0].decoded
    joined = Decoded([], [], [])
    places: list[int] = []
    first = 0
    for ticket in group:
        decoded = ticket.decoded
        joined.events.extend(decoded.events)
        places.extend(first + decoded.place(number) for number in range(len(decoded.events)))
        joined.rejected.extend(replace(refusal, index=first + refusal.index) for refusal in decoded.rejected)
        first += ticket.size
    return replace(joined, places=places)


def _answers(group: list[_Ticket], outcome: Outcome) -> list[TakenBatch]:
    """To each request what became of its own items."""
    ends = np.cumsum([ticket.size for ticket in group])

    def counts(indexes: list[int]) -> list[int]:
        owners = np.searchsorted(ends, np.array(indexes, dtype=np.int64), side="right")
        found: list[int] = np.bincount(owners, minlength=len(group)).tolist()
        return found

    accepted, duplicates, unrated = (counts(each) for each in (outcome.accepted, outcome.duplicates, outcome.unrated))
    conflicts, rejected = (_refusals(group, each) for each in (outcome.conflicts, outcome.rejected))
    return [TakenBatch(*answer) for answer in zip(accepted, duplicates, unrated, conflicts, rejected, strict=True)]


def _refusals(group: list[_Ticket], refusals: list[Refusal]) -> list[list[Refusal]]:
    """The refusals of each request in the order of its items."""
    ends = np.cumsum([ticket.size for ticket in group])
    parts: list[list[Refusal]] = [[] for _ in group]
    for refusal in sorted(refusals, key=lambda each: each.index):
        owner = int(np.searchsorted(ends, refusal.index, side="right"))
        first = int(ends[owner]) - group[owner].size
        parts[owner].append(replace(refusal, index=refusal.index - first))
    return parts
