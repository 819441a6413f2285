"""Codes by mail and SMS: single use, short-lived, bound, counted exactly under parallel tries."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connections

from twin.accounts import actions
from twin.accounts.errors import ChallengeNotFound, ResendsUsedUp, TooMany
from twin.accounts.models import Challenge as ChallengeRow
from twin.accounts.types import Challenge
from twin.accounts.under_way import challenge
from twin.kernel import clock
from twin.kernel.models import Dispatch
from twin.kernel.sealing import unseal

pytestmark = pytest.mark.database

EMAIL = "ada@example.org"


def start(**more: object) -> Challenge:
    given = {"purpose": "try", "channel": "mail", "target": EMAIL, "address": "192.0.2.1"} | more
    return actions.start_challenge(**given)  # type: ignore[arg-type]  # the tests' own words


def last_code(target: str = EMAIL) -> str:
    dispatch = Dispatch.objects.filter(recipient=target).latest("id")
    [code] = re.findall(r"\b\d{6}\b", json.loads(unseal(dispatch.sealed_body))["text"])
    return str(code)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_right_code_proves_its_target_once() -> None:
    sent = start()

    first = actions.answer_challenge(sent.id, purpose="try", code=last_code())
    again = actions.answer_challenge(sent.id, purpose="try", code=last_code())

    assert (first.is_right, first.target) == (True, EMAIL)
    assert (again.is_right, again.target, again.is_open) == (False, "", False)


def test_a_code_typed_with_blanks_and_dashes_is_the_same_code() -> None:
    sent = start()
    code = last_code()

    assert actions.answer_challenge(sent.id, purpose="try", code=f" {code[:3]}–{code[3:]} ").is_right


def test_the_third_wrong_code_closes_the_challenge() -> None:
    sent = start()
    code = last_code()

    told = [actions.answer_challenge(sent.id, purpose="try", code=wrong(code)) for _ in range(3)]

    assert [(each.is_right, each.tries_left, each.is_open) for each in told] == [
        (False, 2, True),
        (False, 1, True),
        (False, 0, False),
    ]
    assert not actions.answer_challenge(sent.id, purpose="try", code=code).is_right


def test_a_code_is_refused_from_ten_minutes_on() -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        sent, other = start(), start(target="bob@example.org")
        traveller.shift(timedelta(minutes=9, seconds=59))
        assert actions.answer_challenge(sent.id, purpose="try", code=last_code()).is_right
        traveller.shift(timedelta(seconds=1))
        assert not actions.answer_challenge(other.id, purpose="try", code=last_code("bob@example.org")).is_right


def test_a_code_answers_only_its_own_challenge_purpose_and_person() -> None:
    sent, other = start(), start(target="bob@example.org")
    code = last_code()

    assert not actions.answer_challenge(other.id, purpose="try", code=code).is_right
    for purpose, user_id, challenge_id in (("other", None, sent.id), ("try", 1, sent.id), ("try", None, uuid4())):
        with pytest.raises(ChallengeNotFound):
            actions.answer_challenge(challenge_id, purpose=purpose, code=code, user_id=user_id)
    assert challenge(sent.id, purpose="other") is None


def test_the_code_itself_is_kept_nowhere_but_in_the_sealed_message() -> None:
    start()
    with connections["owner"].cursor() as cursor:
        cursor.execute("select accounts_challenge::text from accounts_challenge")
        [[row]] = cursor.fetchall()

    assert last_code() not in row.replace("-", "")


def test_of_24_parallel_guesses_three_are_looked_at() -> None:
    sent = start()
    code = last_code()

    def guess(number: int) -> int:
        try:
            actions.answer_challenge(sent.id, purpose="try", code=wrong(code))
            return number
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(guess, range(24)))

    assert ChallengeRow.objects.get(pk=sent.id).attempts == 3
    assert not actions.answer_challenge(sent.id, purpose="try", code=code).is_right


def test_another_code_replaces_the_first_and_gives_three_new_tries() -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        sent = start()
        first = last_code()
        actions.answer_challenge(sent.id, purpose="try", code=wrong(first))
        traveller.shift(timedelta(seconds=30))

        again = actions.resend_challenge(sent.id, purpose="try", address="192.0.2.1")

        assert (again.tries_left, again.resends_left) == (3, 2)
        assert actions.answer_challenge(sent.id, purpose="try", code=last_code()).is_right


def test_a_code_is_sent_again_after_30_seconds_and_three_times_at_most() -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        sent = start()
        traveller.shift(timedelta(seconds=29))
        with pytest.raises(TooMany) as early:
            actions.resend_challenge(sent.id, purpose="try", address="192.0.2.1")
        assert early.value.wait == timedelta(seconds=1)
        for _ in range(3):
            traveller.shift(timedelta(seconds=31))
            actions.resend_challenge(sent.id, purpose="try", address="192.0.2.1")
        traveller.shift(timedelta(seconds=31))
        with pytest.raises(ResendsUsedUp):
            actions.resend_challenge(sent.id, purpose="try", address="192.0.2.1")
    assert Dispatch.objects.count() == 4


def test_nothing_answers_a_decoy_and_nothing_is_sent_for_it() -> None:
    sent = start(is_decoy=True)

    assert Dispatch.objects.count() == 0
    assert challenge(sent.id, purpose="try") == sent
    assert not actions.answer_challenge(sent.id, purpose="try", code="000000").is_right
    assert sent.expires_at > clock.now()
