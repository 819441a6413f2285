"""The security page: profile, addresses, password, sessions, and proof before what is sensitive."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client

from tests.portal.security_clients import (
    PASSWORD,
    app_code,
    code_sent,
    events,
    is_signed_in,
    mails,
    make_person,
    set_up_app,
    sign_in,
    text_of,
)
from twin.accounts.models import Consent
from twin.kernel import clock
from twin.kernel.models import Dispatch

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("quick_passwords")]

NEW = "copper-garden-violin-65"
SENSITIVE = (
    "/security/email",
    "/security/email/code",
    "/security/phone",
    "/security/phone/code",
    "/security/authenticator",
    "/security/passkeys/add",
    "/security/recovery-codes",
    "/security/recovery-codes/download",
    "/security/second-factor/1/remove",
    "/security/passkeys/1/rename",
)
SENSITIVE_POSTS = (
    "/security/recovery-codes/renew",
    "/security/second-factor/everybody",
    "/security/email/resend",
    *SENSITIVE[:-3],
)


def person() -> Any:
    return get_user_model().objects.get(name="Ada Lane")


def test_the_page_shows_everything_about_getting_in() -> None:
    ada = make_person(time_zone="Europe/Berlin")
    Consent.objects.create(user=ada, kind="terms", version="2026-11", given_at=clock.now(), address="192.0.2.7")
    page = sign_in().get("/security").text
    for text in ("Ada Lane", "ada@example.org", "+49 1512 3454417", "Europe/Berlin", "Terms and conditions", "2026-11"):
        assert text in page
    assert "192.0.2.7" in page
    assert "This browser" in page


def test_strangers_are_sent_to_the_sign_in() -> None:
    for address in ("/security", "/security/profile", "/security/password", "/security/second-factor", *SENSITIVE):
        assert Client().get(address)["Location"].startswith("/login?next="), address


def test_what_is_sensitive_asks_for_the_password_after_ten_minutes() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        client = sign_in()
        traveller.shift(599)
        for address in SENSITIVE:
            assert not client.get(address).headers.get("Location", "").startswith("/security/confirm"), address
        traveller.shift(2)
        for address in SENSITIVE:
            assert client.get(address)["Location"].startswith("/security/confirm?next="), address


def test_no_sensitive_form_is_carried_out_without_fresh_proof() -> None:
    make_person()
    client = Client()
    client.force_login(person(), backend="allauth.account.auth_backends.AuthenticationBackend")
    fields = {"email": "new@example.org", "phone": "+4915123454418", "code": "123456", "credential": "{}"}
    for address in SENSITIVE_POSTS:
        assert client.post(address, fields)["Location"].startswith("/security/confirm?next="), address
    assert not Dispatch.objects.exists()


def test_the_proof_leads_back_carries_the_form_out_and_renews_the_session_id() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        client = sign_in()
        traveller.shift(700)
        asked = client.post("/security/email", {"email": "new@example.org"})["Location"]
        assert mails() == []
        before = client.session.session_key
        wrong = client.post(asked, {"password": "something-else-entirely-1", "next": "/security/email"})
        assert wrong.status_code == 200
        assert mails() == []
        answer = client.post(asked, {"password": PASSWORD, "next": "/security/email"})
        assert answer["Location"] == "/security/email/code"
        assert [mail.recipient for mail in mails()] == ["new@example.org"]
        assert client.session.session_key != before
        assert len(events("reauthenticated")) == len(events("reauthentication_refused")) == 1
        assert client.get("/security").text.count("This browser") == 1


def test_the_proof_leads_to_no_other_site() -> None:
    make_person()
    client = sign_in()
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = client.post("/security/confirm", {"password": PASSWORD, "next": elsewhere})
        assert answer["Location"] == "/personal-account"


def test_name_and_time_zone_are_changed_and_only_a_listed_zone_is_taken() -> None:
    make_person()
    client = sign_in()
    client.post("/security/profile", {"name": "Ada Lovelane", "time_zone": "Asia/Tokyo"})
    kept = get_user_model().objects.get()
    assert (kept.name, kept.time_zone) == ("Ada Lovelane", "Asia/Tokyo")
    for zone in ("Mars/Base", "../etc/passwd", "", "Berlin, or so"):
        assert client.post("/security/profile", {"name": "Ada", "time_zone": zone}).status_code == 422
    for name in ("", "a\x00b", "x" * 201, "two\nlines"):
        assert client.post("/security/profile", {"name": name, "time_zone": "UTC"}).status_code == 422, name
    assert get_user_model().objects.get().name == "Ada Lovelane"


def test_an_email_changes_once_the_code_sent_to_the_new_one_is_typed_in() -> None:
    make_person()
    client = sign_in()
    assert client.post("/security/email", {"email": "New@Example.org"})["Location"] == "/security/email/code"
    assert person().email == "ada@example.org"
    code = code_sent("new@example.org")
    assert client.post("/security/email/code", {"code": code})["Location"] == "/security"
    assert person().email == "new@example.org"
    told = mails(purpose="notice")
    assert sorted(mail.recipient for mail in told) == ["ada@example.org", "new@example.org"]
    assert {mail.subject for mail in told} == {"Your email address was changed"}
    assert is_signed_in(sign_in("new@example.org"))
    assert not is_signed_in(sign_in("ada@example.org"))
    assert len(events("email_changed")) == 1


def test_three_wrong_codes_use_the_code_up() -> None:
    make_person()
    client = sign_in()
    client.post("/security/email", {"email": "new@example.org"})
    code = code_sent("new@example.org")
    wrong = str((int(code) + 1) % 1_000_000).zfill(6)
    for _ in range(3):
        assert client.post("/security/email/code", {"code": wrong}).status_code == 422
    assert client.post("/security/email/code", {"code": code}).status_code == 422
    assert person().email == "ada@example.org"


def test_an_address_of_somebody_else_is_not_told_and_not_taken() -> None:
    make_person()
    make_person("bob@example.org", "Bob")
    client = sign_in()
    free = client.post("/security/email", {"email": "free@example.org"}, follow=True)
    taken = client.post("/security/email", {"email": "bob@example.org"}, follow=True)
    assert taken.redirect_chain == free.redirect_chain
    assert strip(taken.text).replace("bob@", "free@") == strip(free.text)
    assert [(mail.subject, mail.purpose) for mail in mails("bob@example.org")] == [
        ("Somebody tried to use your email address", "notice")
    ]
    for code in range(3):
        client.post("/security/email/code", {"code": f"{code:06}"})
    assert person().email == "ada@example.org"


def strip(page: str) -> str:
    """Without the tokens that differ each time."""
    return "\n".join(line for line in page.splitlines() if "csrfmiddlewaretoken" not in line)


def test_an_address_taken_while_the_code_was_under_way_stays_with_its_owner() -> None:
    make_person()
    client = sign_in()
    client.post("/security/email", {"email": "new@example.org"})
    make_person("new@example.org", "Newcomer")
    answer = client.post("/security/email/code", {"code": code_sent("new@example.org")}, follow=True)
    assert "This address cannot be used any more" in answer.text
    assert person().email == "ada@example.org"


def test_a_phone_changes_once_the_code_sent_to_it_is_typed_in_and_a_mail_tells() -> None:
    make_person()
    client = sign_in()
    assert client.post("/security/phone", {"phone": "+49 1512 3454418"})["Location"] == "/security/phone/code"
    assert person().phone == "+4915123454417"
    client.post("/security/phone/code", {"code": code_sent("+4915123454418")})
    assert person().phone == "+4915123454418"
    assert person().phone_verified_at is not None
    [told] = mails("ada@example.org", "notice")
    assert told.subject == "Your phone number was changed"
    assert "3454418" not in text_of(told)


@pytest.mark.parametrize("phone", ["", "12345", "+49 30 901820", "+1 900 555 0199", "x" * 41, "+49\x00151"])
def test_numbers_that_get_no_codes_are_refused(phone: str) -> None:
    make_person()
    client = sign_in()
    assert client.post("/security/phone", {"phone": phone}).status_code == 422
    assert not Dispatch.objects.exists()


def test_a_code_of_another_person_counts_for_nobody_else() -> None:
    make_person()
    make_person("bob@example.org", "Bob")
    ada, bob = sign_in(), sign_in("bob@example.org")
    ada.post("/security/email", {"email": "new@example.org"})
    session = bob.session
    session["security_challenge_email_change"] = ada.session["security_challenge_email_change"]
    session.save()
    assert bob.post("/security/email/code", {"code": code_sent("new@example.org")})["Location"] == "/security/email"
    assert get_user_model().objects.get(name="Bob").email == "bob@example.org"


def test_another_code_can_be_had_and_the_one_before_no_longer_counts() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        client = sign_in()
        client.post("/security/email", {"email": "new@example.org"})
        first = code_sent("new@example.org")
        assert "Another can be sent in" in client.post("/security/email/resend", follow=True).text
        traveller.shift(31)
        assert "Another code is on its way" in client.post("/security/email/resend", follow=True).text
        second = code_sent("new@example.org")
        if first != second:
            assert client.post("/security/email/code", {"code": first}).status_code == 422
        assert client.post("/security/email/code", {"code": second})["Location"] == "/security"
        assert client.post("/security/email/resend")["Location"] == "/security"
        assert client.post("/security/elsewhere/resend").status_code == 404


def test_codes_asked_for_too_often_are_answered_with_429() -> None:
    make_person()
    client = sign_in()
    statuses = [client.post("/security/phone", {"phone": "+4915123454418"}).status_code for _ in range(2)]
    assert statuses == [302, 429]
    assert Dispatch.objects.filter(channel="sms").count() == 1


def test_the_password_needs_the_current_one_and_ends_every_other_session() -> None:
    make_person()
    here, there = sign_in(), sign_in()
    wrong = here.post("/security/password", {"current": "something-else-entirely-1", "new": NEW})
    assert wrong.status_code == 422
    assert "This is not your current password." in wrong.text
    assert is_signed_in(there)
    key = here.session.session_key
    assert here.post("/security/password", {"current": PASSWORD, "new": NEW})["Location"] == "/security"
    assert is_signed_in(here)
    assert here.session.session_key != key
    assert not is_signed_in(there)
    assert there.get("/security")["Location"].startswith("/login")
    assert [mail.subject for mail in mails("ada@example.org")] == ["Your password was changed"]
    assert len(events("password_changed")) == len(events("password_change_refused")) == 1
    assert here.get("/security").text.count("<b>Unknown browser</b>") == 1


@pytest.mark.parametrize("new", ["short", PASSWORD, "aaaaaaaaaaaaaaaaaaaa", "x" * 129, "ada@example.org"])
def test_a_weak_or_unchanged_password_is_refused(new: str) -> None:
    make_person()
    client = sign_in()
    assert client.post("/security/password", {"current": PASSWORD, "new": new}).status_code == 422
    assert person().check_password(PASSWORD)
    assert mails() == []


def test_guessing_the_current_password_is_stopped_after_five() -> None:
    make_person()
    client = sign_in()
    statuses = [client.post("/security/password", {"current": f"guess {n}", "new": NEW}).status_code for n in range(6)]
    assert statuses == [422] * 5 + [429]


def test_a_person_ends_one_session_or_all_others_but_none_of_somebody_else() -> None:
    make_person()
    make_person("bob@example.org", "Bob")
    agents = ("Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", "Mozilla/5.0 (iPhone) Version/19 Safari/605", "curl/8")
    here, *others = [sign_in(HTTP_USER_AGENT=agent) for agent in agents]
    bob = sign_in("bob@example.org")
    page = here.get("/security").text
    assert "Firefox, Windows" in page
    assert "Safari, iPhone" in page
    assert "Unknown browser" in page
    ends = sorted({line.split('"')[0] for line in page.split('action="')[1:] if "/sessions/" in line})
    one = next(end for end in ends if end.endswith("/end"))
    assert bob.post(one).status_code == 404
    assert here.get(one).status_code == 405
    assert here.post(one)["Location"] == "/security#sessions"
    assert [is_signed_in(other) for other in others].count(True) == 1
    here.post("/security/sessions/end-others")
    assert [is_signed_in(each) for each in (here, *others, bob)] == [True, False, False, True]


def test_a_copied_cookie_of_an_ended_session_is_worth_nothing() -> None:
    make_person()
    here, there = sign_in(), sign_in()
    thief = Client()
    thief.cookies = there.cookies
    here.post("/security/sessions/end-others")
    assert thief.get("/security")["Location"].startswith("/login")


def test_the_list_of_sessions_says_when_each_was_last_seen_to_the_minute() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        here, there = sign_in(), sign_in()
        traveller.shift(timedelta(minutes=7))
        there.get("/security")
        assert "last seen 22 Nov 2026, 10:07" in here.get("/security").text


def test_the_proof_may_be_a_code_of_the_app() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        client = sign_in()
        secret = set_up_app(client)
        traveller.shift(700)
        page = client.get(client.get("/security/email")["Location"]).text
        assert "/security/confirm/code?next=" in page
        answer = client.post("/security/confirm/code", {"code": app_code(secret), "next": "/security/email"})
        assert answer["Location"] == "/security/email"
        assert client.get("/security/email").status_code == 200


def test_every_page_of_it_is_kept_by_no_cache() -> None:
    make_person()
    client = sign_in()
    set_up_app(client)
    for address in ("/security", "/security/authenticator", "/security/recovery-codes", "/security/password"):
        assert "no-store" in client.get(address).headers["Cache-Control"], address
