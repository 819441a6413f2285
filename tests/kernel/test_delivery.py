"""A message leaves with the transaction that sends it, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connections, transaction

from tests.outbox import all_messages, last_mail, last_sms
from twin.kernel.delivery import Letter, MessageUnusable, RecipientUnusable, send_mail, send_mails, send_sms
from twin.kernel.models import Dispatch

pytestmark = pytest.mark.database


def jobs() -> list[tuple[str, int, str]]:
    with connections["default"].cursor() as cursor:
        cursor.execute("select task_name, priority, args::text from procrastinate_jobs order by id")
        return cursor.fetchall()  # type: ignore[no-any-return]  # Django's cursor gives Any


def test_a_mail_is_a_row_and_a_job() -> None:
    made = send_mail(to="ann@example.com", subject="Welcome", text="Your code is 123456", purpose="email_code")
    assert jobs() == [("twin.kernel.jobs.deliver", 10, f'{{"dispatch_id": {made}}}')]
    assert last_mail("ann@example.com").code == "123456"


def test_a_message_goes_with_its_transaction() -> None:
    with transaction.atomic():
        send_sms(to="+491701234567", text="Code 123456", purpose="phone_code")
        transaction.set_rollback(True)
    assert jobs() == []
    assert all_messages() == []


def test_many_mails_are_a_row_and_a_job_each_and_go_with_their_transaction() -> None:
    letters = [Letter(f"p{number}@example.com", f"Invoice {number}", "It is there.") for number in (1, 2)]
    letters.append(Letter("nobody at home", "Invoice 3", "It is there."))
    with transaction.atomic():
        send_mails(letters, purpose="invoice")
        transaction.set_rollback(True)
    assert jobs() == []
    send_mails(letters, purpose="invoice")
    sent = all_messages(purpose="invoice")
    assert [(mail.to, mail.subject) for mail in sent] == [
        ("p1@example.com", "Invoice 1"),
        ("p2@example.com", "Invoice 2"),
    ]
    assert jobs() == [("twin.kernel.jobs.deliver", 0, f'{{"dispatch_id": {mail.id}}}') for mail in sent]
    with pytest.raises(MessageUnusable):
        send_mails([Letter("p1@example.com", "Line\nbreak", "x")], purpose="invoice")


def test_the_text_lies_sealed_in_the_database() -> None:
    send_sms(to="+491701234567", text="Code 987650", purpose="phone_code")
    row = Dispatch.objects.get()
    assert "987650" not in "|".join(str(value) for value in vars(row).values())
    assert last_sms().code == "987650"


def test_a_notice_waits_behind_codes() -> None:
    send_mail(to="ann@example.com", subject="Changed", text="Your phone was changed", purpose="notice")
    send_mail(to="ann@example.com", subject="Code", text="123456", purpose="email_code")
    assert [priority for _, priority, _ in jobs()] == [0, 10]


@pytest.mark.parametrize(
    "to", ["", "ann", "ann@", "@example.com", "a b@example.com", "a@x.org,b@x.org", "<a@x.org>", "a@b@c.org"]
)
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(RecipientUnusable):
        send_mail(to=to, subject="s", text="t", purpose="notice")


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\u2028", "\u2029", "\x00", "\x85", "\x0b"])
def test_a_line_break_in_a_header_is_refused(break_: str) -> None:
    with pytest.raises(MessageUnusable):
        send_mail(to="ann@example.com", subject=f"Hello{break_}Bcc: all@example.com", text="t", purpose="notice")
    with pytest.raises(MessageUnusable):
        send_mail(to=f"ann@example.com{break_}Bcc:x@example.com", subject="s", text="t", purpose="notice")
    assert jobs() == []


@pytest.mark.parametrize("to", ["491701234567", "+0491701234567", "+49 170 1234567", "+49", "+4917012345678901", ""])
def test_what_is_no_number_is_refused(to: str) -> None:
    with pytest.raises(RecipientUnusable):
        send_sms(to=to, text="t", purpose="phone_code")


def test_a_code_carries_its_end() -> None:
    send_sms(to="+491701234567", text="1", purpose="phone_code", expires_in=timedelta(minutes=10))
    row = Dispatch.objects.get()
    assert row.expires_at == row.created_at + timedelta(minutes=10)
