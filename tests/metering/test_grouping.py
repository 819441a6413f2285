"""Requests that arrive together: one transaction, each its own answer."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connections

from tests.metering.test_taking import cells, event
from tests.world import World
from twin.companies.types import Scope
from twin.metering import actions, grouping
from twin.metering.grouping import Gate, Outcome
from twin.metering.rules.decoding import Decoded, decode_batch
from twin.metering.types import Refusal, TakenBatch

SCOPE = Scope(1, "platform", frozenset({"usage:write"}))  # the test of the gate alone needs no tree
OTHER = Scope(2, "reseller", frozenset({"usage:write"}))


def batch(*ids: str) -> Decoded:
    return decode_batch(json.dumps([event(1, event_id) if event_id else 7 for event_id in ids]).encode())


class Slow:
    """Takes everything but ids that begin with a word it knows; the first batch waits for a sign."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.may_go = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self, scope: Scope, decoded: Decoded) -> Outcome:
        self.sizes.append(len(decoded.events))
        if len(self.sizes) == 1:
            self.has_begun.set()
            self.may_go.wait(10)
        ids = {decoded.place(number): each.id for number, each in enumerate(decoded.events)}
        if "poison" in ids.values():
            raise ValueError("poison")
        beyond = [decoded.place(len(ids) - 1) + 100] if "riddle" in ids.values() else []
        return Outcome(
            accepted=beyond + [place for place, each in ids.items() if not each.startswith(("again", "other"))],
            duplicates=[place for place, each in ids.items() if each.startswith("again")],
            unrated=[],
            conflicts=[Refusal(place, each, "other") for place, each in ids.items() if each.startswith("other")],
            rejected=decoded.rejected,
        )


def pass_together(requests: list[tuple[Scope, Decoded]]) -> tuple[list[Any], list[int]]:
    """The first request holds the gate until all others wait behind it; what each was answered."""
    slow = Slow()
    gate = Gate(slow)
    answers: list[Any] = [None] * len(requests)

    def run(number: int) -> None:
        try:
            answers[number] = gate.pass_through(*requests[number])
        except ValueError as problem:
            answers[number] = problem

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(requests))]
    threads[0].start()
    slow.has_begun.wait(10)
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while sum(map(len, list(gate._waiting.values()))) < number:
            pass
    slow.may_go.set()
    for thread in threads:
        thread.join(10)
    return answers, slow.sizes


def test_those_that_wait_are_stored_together_and_answered_apart() -> None:
    answers, sizes = pass_together(
        [(SCOPE, batch("a")), (SCOPE, batch("b", "", "again")), (SCOPE, batch("", "other", "c"))]
    )

    assert sizes == [1, 4]
    assert answers[0] == TakenBatch(accepted=1)
    assert (answers[1].accepted, answers[1].duplicates) == (1, 1)
    assert [refusal.index for refusal in answers[1].rejected] == [1]
    assert answers[2].accepted == 1
    assert [refusal.index for refusal in answers[2].rejected] == [0]
    assert [(refusal.index, refusal.id) for refusal in answers[2].conflicts] == [(1, "other")]


def test_organisations_are_not_mixed() -> None:
    _, sizes = pass_together([(SCOPE, batch("a")), (SCOPE, batch("b")), (OTHER, batch("c")), (SCOPE, batch("d"))])

    assert sizes == [1, 2, 1]


def test_a_request_that_fails_fails_alone() -> None:
    answers, _ = pass_together([(SCOPE, batch("a")), (SCOPE, batch("b")), (SCOPE, batch("poison"))])

    assert answers[:2] == [TakenBatch(accepted=1), TakenBatch(accepted=1)]
    assert isinstance(answers[2], ValueError)


def test_what_cannot_be_told_apart_leaves_nobody_waiting() -> None:
    answers, _ = pass_together([(SCOPE, batch("a")), (SCOPE, batch("b")), (SCOPE, batch("riddle"))])

    assert answers[:2] == [TakenBatch(accepted=1), TakenBatch(accepted=1)]
    assert isinstance(answers[2], ValueError)


def test_a_group_is_no_longer_than_a_batch_may_be() -> None:
    large = Decoded(batch("x").events * 6_000, None, [])

    _, sizes = pass_together([(SCOPE, batch("a")), (SCOPE, large), (SCOPE, large)])

    assert sizes == [1, 6_000, 6_000]


@pytest.mark.database
def test_one_event_sent_by_many_at_once_is_accepted_by_one(world: World) -> None:
    body = json.dumps([event(world.acme.id, "same")]).encode()
    answers: list[TakenBatch] = []

    def send() -> None:
        answers.append(actions.take_events(world.twin.scope, body, batch=True))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted((answer.accepted, answer.duplicates) for answer in answers) == [(0, 1)] * 7 + [(1, 0)]
    assert cells(world, "rhea")[0][2] == 1


def test_askers_take_turns_however_much_one_of_them_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MAX_EVENTS", 2)
    flood = [(SCOPE, batch(f"f{number}", f"g{number}")) for number in range(8)]
    answers, sizes = pass_together([*flood, (OTHER, batch("one"))])

    assert [answer.accepted for answer in answers] == [2] * 8 + [1]
    # The first was being taken already; one more of the flood at most comes before the other.
    assert sizes.index(1) <= 2
