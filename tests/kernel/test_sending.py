"""Every way an attempt may end, and what is never done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connections

from tests.outbox import all_messages
from twin.kernel import gateways
from twin.kernel.delivery import send_mail, send_sms
from twin.kernel.errors import TwinError
from twin.kernel.models import Dispatch
from twin.kernel.ports.mail import Mail
from twin.kernel.ports.outcomes import OutcomeUnknown, Refused, TryLater
from twin.kernel.ports.sms import ShortMessage
from twin.kernel.receipts import ReceiptUnknown, note_receipt, receipt_url
from twin.kernel.sending import KEPT_ROWS, KEPT_TEXTS, PAUSES, attempt, forget_old, resume_waiting

pytestmark = pytest.mark.database

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass
class Peer:
    """A gateway that answers as it is told, and remembers."""

    keeps_text: bool = False
    answers: list[TwinError] = field(default_factory=list)
    taken: list[Mail | ShortMessage] = field(default_factory=list)
    pause: Callable[[], object] = lambda: None

    def send(self, message: Mail | ShortMessage, /) -> str:
        self.pause()
        self.taken.append(message)
        if self.answers:
            raise self.answers.pop(0)
        return "taken"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Peer:
    peer = Peer()
    monkeypatch.setattr(gateways, "mail_port", lambda: peer)
    monkeypatch.setattr(gateways, "sms_port", lambda: peer)
    return peer


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as travelling:
        yield travelling


def a_mail(expires_in: timedelta | None = None) -> int:
    return send_mail(to="ann@example.com", subject="Hello", text="Words", purpose="notice", expires_in=expires_in)


def an_sms(expires_in: timedelta | None = None) -> int:
    return send_sms(to="+491701234567", text="Code 123456", purpose="phone_code", expires_in=expires_in)


def row(number: int) -> Dispatch:
    return Dispatch.objects.get(pk=number)


def jobs() -> int:
    with connections["default"].cursor() as cursor:
        cursor.execute("select count(*) from procrastinate_jobs")
        count: int = cursor.fetchone()[0]
    return count


def token(number: int) -> str:
    return receipt_url(number).partition("?")[0].rpartition("/")[2]


def test_a_taken_message_is_sent_once_and_its_text_erased(peer: Peer) -> None:
    number = a_mail()
    attempt(number)
    attempt(number)
    assert len(peer.taken) == 1
    assert (row(number).state, row(number).sealed_body, row(number).reference) == ("sent", "", "taken")


def test_the_demonstration_keeps_the_text(peer: Peer) -> None:
    peer.keeps_text = True
    attempt(an_sms())
    assert [letter.code for letter in all_messages()] == ["123456"]


def test_attempts_at_the_same_time_send_once(peer: Peer) -> None:
    gate = threading.Barrier(8)

    def try_it(number: int) -> None:
        gate.wait()
        attempt(number)
        connections.close_all()

    number = a_mail()
    threads = [threading.Thread(target=try_it, args=(number,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(peer.taken) == 1


def test_it_is_tried_eight_times_with_growing_pauses_then_given_up(peer: Peer, clock: time_machine.Traveller) -> None:
    number = a_mail()
    peer.answers = [TryLater("451 later") for _ in range(20)]
    for pause in PAUSES:
        attempt(number)
        attempt(number)
        assert (row(number).state, row(number).next_try_at) == ("queued", datetime.now(UTC) + pause)
        clock.shift(pause)
    attempt(number)
    assert (row(number).state, row(number).attempts, row(number).sealed_body) == ("failed", 8, "")
    assert list(PAUSES) == sorted(PAUSES)
    assert timedelta(hours=1) < sum(PAUSES, timedelta()) < timedelta(hours=3)


def test_a_refused_message_is_not_tried_again(peer: Peer) -> None:
    number = a_mail()
    peer.answers = [Refused("550 no such user ann@example.com 123456")]
    attempt(number)
    attempt(number)
    assert len(peer.taken) == 1
    assert (row(number).state, row(number).last_error) == ("failed", "550 no such user a…@example.com …")


def test_an_sms_of_which_nobody_knows_is_not_repeated(peer: Peer, clock: time_machine.Traveller) -> None:
    number = an_sms()
    peer.answers = [OutcomeUnknown("timed out")]
    attempt(number)
    clock.shift(3600)
    resume_waiting()
    attempt(number)
    assert len(peer.taken) == 1
    assert row(number).state == "unknown"


def test_a_code_that_is_too_old_is_dropped(peer: Peer, clock: time_machine.Traveller) -> None:
    number = an_sms(timedelta(minutes=10))
    clock.shift(600)
    attempt(number)
    assert (peer.taken, row(number).state, row(number).sealed_body) == ([], "failed", "")


def test_a_code_that_waits_for_no_job_expires_too(peer: Peer, clock: time_machine.Traveller) -> None:
    number = an_sms(timedelta(minutes=10))
    clock.shift(601)
    resume_waiting()
    assert row(number).state == "failed"


def test_without_a_gateway_messages_wait_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture, clock: time_machine.Traveller
) -> None:
    number = a_mail()
    attempt(number)
    clock.shift(120)
    resume_waiting()
    assert (row(number).state, row(number).attempts) == ("queued", 0)
    assert caplog.text.count("TWIN_SMTP_URL is not set") == 2


def test_what_waited_for_a_gateway_goes_when_there_is_one(peer: Peer, clock: time_machine.Traveller) -> None:
    number = a_mail()
    before = jobs()
    resume_waiting()
    assert jobs() == before
    clock.shift(90)
    resume_waiting()
    resume_waiting()
    assert jobs() == before + 1
    attempt(number)
    assert row(number).state == "sent"


def test_a_sender_that_died_repeats_a_mail_but_not_an_sms(peer: Peer, clock: time_machine.Traveller) -> None:
    mail, sms = a_mail(), an_sms()

    def die() -> None:
        raise KeyboardInterrupt

    peer.pause = die
    for number in (mail, sms):
        with pytest.raises(KeyboardInterrupt):
            attempt(number)
        assert row(number).state == "sending"
    peer.pause = lambda: None
    clock.shift(timedelta(minutes=6))
    resume_waiting()
    attempt(mail)
    attempt(sms)
    assert (row(mail).state, row(sms).state) == ("sent", "unknown")


def test_texts_go_after_a_week_and_rows_after_thirty_days(peer: Peer, clock: time_machine.Traveller) -> None:
    peer.keeps_text = True
    number = a_mail()
    attempt(number)
    clock.shift(KEPT_TEXTS + timedelta(hours=1))
    forget_old()
    assert row(number).sealed_body == ""
    clock.shift(KEPT_ROWS)
    forget_old()
    assert not Dispatch.objects.exists()


def test_a_receipt_says_that_it_was_delivered(peer: Peer) -> None:
    number = an_sms()
    attempt(number)
    note_receipt(token(number), 8)
    assert row(number).state == "sent"
    note_receipt(token(number), 1)
    note_receipt(token(number), 1)
    note_receipt(token(number), 8)
    note_receipt(token(number), 2)
    assert row(number).state == "delivered"


@pytest.mark.parametrize("state", [2, 16])
def test_a_receipt_says_that_it_failed(peer: Peer, state: int) -> None:
    number = an_sms()
    attempt(number)
    note_receipt(token(number), state)
    assert row(number).state == "failed"


def test_a_receipt_that_overtakes_the_answer_is_not_lost(peer: Peer) -> None:
    number = an_sms()
    peer.pause = lambda: note_receipt(token(number), 1)
    attempt(number)
    assert row(number).state == "delivered"


def test_a_receipt_clears_up_what_was_unknown(peer: Peer) -> None:
    number = an_sms()
    peer.answers = [OutcomeUnknown("timed out")]
    attempt(number)
    note_receipt(token(number), 1)
    assert row(number).state == "delivered"


def test_a_receipt_of_another_making_is_unknown(peer: Peer) -> None:
    number = an_sms()
    for wrong in (str(number), f"{number}.x", f"{number + 1}.{token(number).partition('.')[2]}", "", "x" * 3000):
        with pytest.raises(ReceiptUnknown):
            note_receipt(wrong, 1)
    assert row(number).state == "queued"
