"""Budgets of messages: per number, address, network, prefix and day, exact under parallel requests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections

from twin.accounts import actions
from twin.accounts.errors import TooMany
from twin.accounts.models import CodeSend, User
from twin.kernel import clock
from twin.kernel.models import Dispatch

pytestmark = pytest.mark.database


@pytest.fixture
def traveller() -> Iterator[Any]:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as travelling:
        yield travelling


def number(at: int, prefix: str = "+49151234") -> str:
    return f"{prefix}{at:05d}"


def send(target: str, address: str | None = None, user_id: int | None = None) -> None:
    actions.start_challenge(purpose="try", channel="sms", target=target, address=address, user_id=user_id)


def refused(target: str, address: str | None = None, user_id: int | None = None) -> str:
    with pytest.raises(TooMany) as caught:
        send(target, address, user_id)
    return caught.value.limit


def note_sends(how_many: int, *, answered: int = 0, ago: timedelta, prefix: str = "+49151") -> None:
    """As if so many SMS had gone out to other numbers of the prefix."""
    CodeSend.objects.bulk_create(
        CodeSend(
            at=clock.now() - ago,
            channel="sms",
            purpose="try",
            target=number(at),
            prefix=prefix,
            country="DE",
            is_answered=at < answered,
        )
        for at in range(how_many)
    )


def test_one_sms_goes_to_a_number_in_30_seconds_and_five_in_a_day(traveller: Any) -> None:
    send(number(1))
    traveller.shift(timedelta(seconds=29))
    assert refused(number(1)) == "target"
    for _ in range(4):
        traveller.shift(timedelta(seconds=31))
        send(number(1))
    traveller.shift(timedelta(hours=1))
    assert refused(number(1)) == "target"
    traveller.shift(timedelta(hours=23))
    send(number(1))
    assert Dispatch.objects.count() == 6


def test_ten_sms_go_out_for_one_address_in_an_hour(traveller: Any) -> None:
    for at in range(10):
        send(number(at), "192.0.2.7")

    assert refused(number(10), "192.0.2.7") == "place"
    send(number(10), "198.51.100.7")


def test_thirty_sms_go_out_for_one_network_in_an_hour(traveller: Any) -> None:
    for at in range(30):
        send(number(at, f"+4915{at % 10}234"), f"192.0.2.{at}")

    assert refused(number(99, "+49170234"), "192.0.2.200") == "place"
    send(number(99, "+49170234"), "192.0.3.200")


def test_an_ipv6_network_counts_as_one_neighbour(traveller: Any) -> None:
    for at in range(30):
        send(number(at, f"+4915{at % 10}234"), f"2001:db8:1:{at:x}::1")

    assert refused(number(99, "+49170234"), "2001:db8:1:ffff::1") == "place"


def test_ten_sms_go_out_for_one_account_in_a_day(traveller: Any) -> None:
    person = User.objects.create_user("ada@example.org", None, name="Ada")
    for at in range(10):
        send(number(at), None, person.pk)

    assert refused(number(10), None, person.pk) == "place"


def test_thirty_sms_go_to_one_prefix_in_an_hour(traveller: Any) -> None:
    for at in range(30):
        send(number(at), f"198.51.{at}.1")

    assert refused(number(99), "203.0.113.1") == "prefix"
    send(number(99, "+49170234"), "203.0.113.1")


def test_a_prefix_whose_codes_do_not_come_back_is_switched_off(traveller: Any) -> None:
    note_sends(20, answered=3, ago=timedelta(hours=2))

    assert refused(number(99)) == "prefix"
    send(number(99, "+49170234"))


def test_a_prefix_whose_codes_come_back_stays_on(traveller: Any) -> None:
    note_sends(20, answered=4, ago=timedelta(hours=2))

    send(number(99))


def test_codes_that_may_still_be_typed_in_do_not_count_as_lost(traveller: Any) -> None:
    note_sends(20, ago=timedelta(minutes=9))

    send(number(99))


def test_a_switched_off_prefix_comes_back_after_a_day(traveller: Any) -> None:
    note_sends(20, ago=timedelta(hours=2))
    traveller.shift(timedelta(hours=22, seconds=1))

    send(number(99))


def test_the_fuse_of_the_day_stops_every_sms(traveller: Any, settings: Any) -> None:
    settings.SMS_DAILY = 3
    for at in range(3):
        send(number(at))

    assert refused(number(9, "+49170234")) == "all"
    assert Dispatch.objects.count() == 3


def test_an_answered_code_is_counted_as_come_back() -> None:
    sent = actions.start_challenge(purpose="try", channel="mail", target="ada@example.org", address=None)
    row = CodeSend.objects.get(challenge_id=sent.id)

    assert not row.is_answered
    assert row.target == "ada@example.org"


def test_of_12_parallel_requests_for_one_number_one_sends() -> None:
    def ask(_at: int) -> bool:
        try:
            send(number(1), "192.0.2.7")
        except TooMany:
            return False
        finally:
            connections["default"].close()
        return True

    with ThreadPoolExecutor(12) as pool:
        went_out = list(pool.map(ask, range(12)))

    assert went_out.count(True) == 1
    assert Dispatch.objects.count() == CodeSend.objects.count() == 1


def test_a_refused_message_leaves_no_trace(traveller: Any) -> None:
    send(number(1))
    refused(number(1))

    assert CodeSend.objects.count() == Dispatch.objects.count() == 1


def test_mails_are_counted_per_purpose(traveller: Any) -> None:
    for at in range(6):
        traveller.shift(timedelta(seconds=31))
        actions.start_challenge(purpose="one", channel="mail", target="ada@example.org", address=f"192.0.2.{at}")
    traveller.shift(timedelta(seconds=31))

    with pytest.raises(TooMany):
        actions.start_challenge(purpose="one", channel="mail", target="ada@example.org", address=None)
    actions.start_challenge(purpose="other", channel="mail", target="ada@example.org", address=None)


def test_counts_and_codes_are_forgotten_after_two_days(traveller: Any) -> None:
    send(number(1))
    traveller.shift(timedelta(days=2, seconds=1))

    assert actions.forget_codes() == 1
    assert CodeSend.objects.count() == 0
