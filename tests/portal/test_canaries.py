"""Nothing of a person gets where it does not belong: not into the log, not readable into the database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.logbook import events, log_lines
from tests.outbox import all_messages
from tests.portal.newcomer import Newcomer, code_to, other_than
from tests.world import build_world
from twin.kernel import gateways
from twin.kernel.models import Dispatch
from twin.kernel.ports.outcomes import Refused, TryLater
from twin.kernel.sending import attempt

pytestmark = pytest.mark.database

EMAIL = "canary.of.emails@elbtal-energie.example"
PHONE = "+4915123459917"
PASSWORD = "canary-wolke-9-anker"
WRONG = "canary-wrong-password-7"


class Refusing:
    """A gateway that says more than it should."""

    keeps_text = False

    def send(self, message: Any, /) -> str:
        said = f"550 cannot write {message.text!r} to {message.to}\r\nforged line"
        raise (Refused if message.to == EMAIL else TryLater)(said)


def live_through_everything() -> list[str]:
    """Registration with wrong turns, sign-ins, recovery, a broken page; the secrets that came up on the way."""
    newcomer = Newcomer()
    newcomer.details |= {"email": EMAIL, "password": PASSWORD, "phone": "1512 3459917"}
    newcomer.give_details()
    email_code = code_to(EMAIL)
    newcomer.type_email_code(other_than(email_code))
    newcomer.type_email_code(email_code)
    phone_code = code_to(PHONE)
    newcomer.type_phone_code(other_than(phone_code))
    newcomer.type_phone_code(phone_code, PHONE)
    client = newcomer.client
    client.post("/login", {"login": EMAIL, "password": WRONG})
    client.post("/login", {"login": f"x{EMAIL}", "password": WRONG})
    assert newcomer.sign_in().status_code == 302
    session = client.cookies["sessionid"].value
    client.get(f"/nowhere/{PHONE}/{EMAIL}")
    client.post("/logout")
    Client().post("/recovery", {"email": EMAIL})
    links = [each.link for each in all_messages(to=EMAIL) if "/recovery/" in each.text]
    assert links
    key = links[-1].rpartition("/")[2]
    Client().get(f"/recovery/{key[:-1]}")
    Client().get(f"/recovery/{key}")
    return [email_code, phone_code, other_than(email_code), other_than(phone_code), session, key]


def test_a_whole_life_leaves_no_secret_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    build_world()
    with log_lines() as written:
        secrets = live_through_everything()
        monkeypatch.setattr(gateways, "mail_port", Refusing)
        monkeypatch.setattr(gateways, "sms_port", Refusing)
        for number in Dispatch.objects.values_list("pk", flat=True):
            attempt(number)
        broken = Client(raise_request_exception=False)
        monkeypatch.setattr("twin.portal.views.people.render", _break)
        broken.get("/", {"email": EMAIL, "code": secrets[0]})
    log = written.getvalue()
    for canary in ("canary", PHONE[1:], "3459917", *secrets):
        assert canary not in log, _around(canary, log)
    assert any("Traceback" in str(event.get("exception", "")) for event in events(written))
    for name, text in _security_rows():
        for canary in ("canary", PHONE[1:], "3459917", *secrets):
            assert canary not in text, (name, text)


def test_neither_codes_nor_passwords_lie_readable_in_any_table() -> None:
    build_world()
    secrets = live_through_everything()
    session = secrets[4]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'select t::text from "{table}" t')
            for (row,) in cursor.fetchall():
                for secret in (PASSWORD, WRONG, *secrets):
                    if secret != session:
                        assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", row), (table, row)


def _break(*_: object, **__: object) -> None:
    raise ValueError(f"Key (email, phone)=({EMAIL}, {PHONE}) exists")


def _security_rows() -> list[tuple[str, str]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select event, s::text from kernel_securityevent s order by id")
        return list(cursor.fetchall())


def _around(canary: str, log: str) -> str:
    place = log.index(canary)
    return log[max(0, place - 300) : place + 200]
