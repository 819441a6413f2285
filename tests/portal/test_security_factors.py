"""Second factors through the pages: set up, asked for at sign-in, used once, removed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from django.urls import URLPattern
from fido2.utils import websafe_encode

from tests.portal.security_clients import (
    PASSWORD,
    app_code,
    events,
    is_signed_in,
    mails,
    make_person,
    recovery_codes,
    set_up_app,
    shown_secret,
    sign_in,
    text_of,
)
from twin.accounts.passkeys import is_ours
from twin.portal.urls import urlpatterns

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("quick_passwords")]


def second_step(code: str) -> tuple[Client, Any]:
    client = sign_in()
    return client, client.post("/login/second-factor", {"code": code})


def test_an_app_is_set_up_with_its_code_and_the_person_is_told() -> None:
    make_person()
    client = sign_in()
    page = client.get("/security/authenticator")
    assert page.status_code == 200
    assert '<svg class="qr"' in page.text
    answer = client.post("/security/authenticator", {"code": app_code(shown_secret(page.text))})
    assert answer["Location"] == "/security/recovery-codes"
    assert "Set up" in client.get("/security").text
    assert [mail.subject for mail in mails("ada@example.org", "notice")] == ["An authenticator app was added"]
    assert len(events("app_added")) == 1


def test_a_wrong_code_sets_no_app_up() -> None:
    make_person()
    client = sign_in()
    secret = shown_secret(client.get("/security/authenticator").text)
    wrong = str((int(app_code(secret)) + 1) % 1_000_000).zfill(6)
    answer = client.post("/security/authenticator", {"code": wrong})
    assert answer.status_code == 422
    assert "This code does not fit" in answer.text
    assert shown_secret(answer.text) == secret
    assert not Authenticator.objects.exists()
    assert mails() == []


def test_sign_in_asks_for_the_second_factor_and_the_password_alone_opens_nothing() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        secret = set_up_app(sign_in())
        clock.shift(60)
        client = Client()
        answer = client.post("/login", {"login": "ada@example.org", "password": PASSWORD})
        assert answer["Location"] == "/login/second-factor"
        assert not is_signed_in(client)
        assert client.get("/security")["Location"].startswith("/login?")
        answer = client.post("/login/second-factor", {"code": app_code(secret)})
        assert answer["Location"] == "/personal-account"
        assert is_signed_in(client)


def test_the_code_that_set_the_app_up_opens_no_sign_in() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        secret = set_up_app(sign_in())
        client, answer = second_step(app_code(secret))
        assert answer.status_code == 200
        assert not is_signed_in(client)


def test_a_code_opens_one_sign_in_only_and_for_one_step_of_30_seconds() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        secret = set_up_app(sign_in())
        clock.shift(60)
        code = app_code(secret)
        assert is_signed_in(second_step(code)[0])
        assert not is_signed_in(second_step(code)[0])
        clock.shift(30)
        assert not is_signed_in(second_step(app_code(secret, steps=-1))[0])
        assert is_signed_in(second_step(app_code(secret))[0])


def test_guessing_codes_is_stopped_after_five() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        secret = set_up_app(sign_in())
        clock.shift(60)
        client = sign_in()
        wrong = str((int(app_code(secret)) + 1) % 1_000_000).zfill(6)
        for _ in range(5):
            client.post("/login/second-factor", {"code": wrong})
        client.post("/login/second-factor", {"code": app_code(secret)})
        assert not is_signed_in(client)
        assert len(events("second_factor_refused")) == 6
        clock.shift(301)
        client.post("/login/second-factor", {"code": app_code(secret)})
        assert is_signed_in(client)


def test_recovery_codes_are_shown_once_downloaded_once_and_each_signs_in_once() -> None:
    make_person()
    client = sign_in()
    set_up_app(client)
    codes = recovery_codes(client)
    assert len(set(codes)) == 10
    file = client.get("/security/recovery-codes/download")
    assert file["Content-Disposition"] == 'attachment; filename="twin-recovery-codes.txt"'
    assert all(code in file.text for code in codes)
    client.post("/security/recovery-codes")
    assert recovery_codes(client) == []
    assert client.get("/security/recovery-codes/download").status_code == 404
    assert is_signed_in(second_step(codes[0])[0])
    assert not is_signed_in(second_step(codes[0])[0])
    [told] = [mail for mail in mails() if mail.subject == "A recovery code was used"]
    assert "Left: 9." in text_of(told)


def test_the_page_forgets_recovery_codes_after_ten_minutes() -> None:
    make_person()
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as clock:
        client = sign_in()
        set_up_app(client)
        assert len(recovery_codes(client)) == 10
        clock.shift(601)
        client.post("/security/confirm?next=/security", {"password": PASSWORD, "next": "/security"})
        assert recovery_codes(client) == []


def test_new_recovery_codes_replace_the_old_ones() -> None:
    make_person()
    client = sign_in()
    set_up_app(client)
    old = recovery_codes(client)
    assert client.post("/security/recovery-codes/renew")["Location"] == "/security/recovery-codes"
    new = recovery_codes(client)
    assert not set(old) & set(new)
    assert not is_signed_in(second_step(old[0])[0])
    assert is_signed_in(second_step(new[0])[0])


def test_seeds_of_app_and_recovery_codes_lie_sealed_in_the_database() -> None:
    make_person()
    client = sign_in()
    secret = set_up_app(client).replace(" ", "")
    codes = [code.replace(" ", "") for code in recovery_codes(client)]
    with connections["default"].cursor() as cursor:
        cursor.execute("select type, data::text from mfa_authenticator order by type")
        rows = dict(cursor.fetchall())
        cursor.execute("select string_agg(session_data, ' ') from django_session")
        sessions = cursor.fetchone()[0]
    assert sorted(rows) == ["recovery_codes", "totp"]
    for text in rows.values():
        assert '"gAAAA' in text
        assert secret not in text
        assert not any(code in text for code in codes)
    assert secret not in sessions


def test_a_secret_under_way_lies_sealed_in_the_session() -> None:
    make_person()
    client = sign_in()
    secret = shown_secret(client.get("/security/authenticator").text).replace(" ", "")
    assert client.session["security_app_secret"].startswith("gAAAA")
    assert secret not in str(dict(client.session))


def test_without_the_app_the_password_is_enough_again_and_the_person_is_told() -> None:
    make_person()
    client = sign_in()
    set_up_app(client)
    [app] = Authenticator.objects.filter(type="totp")
    assert "It is the last one" in client.get(f"/security/second-factor/{app.pk}/remove").text
    client.post(f"/security/second-factor/{app.pk}/remove")
    assert not Authenticator.objects.exists()
    assert is_signed_in(sign_in())
    assert "The authenticator app was removed" in [mail.subject for mail in mails("ada@example.org")]


def test_nobody_touches_the_second_factor_of_another() -> None:
    make_person()
    make_person("bob@example.org", "Bob")
    set_up_app(sign_in())
    [app] = Authenticator.objects.filter(type="totp")
    stranger = sign_in("bob@example.org")
    for address in (f"/security/second-factor/{app.pk}/remove", f"/security/passkeys/{app.pk}/rename"):
        assert stranger.get(address).status_code == 404
        assert stranger.post(address, {"name": "mine"}).status_code == 404
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_recovery_codes_alone_cannot_be_made() -> None:
    make_person()
    client = sign_in()
    assert client.post("/security/recovery-codes/renew")["Location"] == "/security/second-factor"
    assert not Authenticator.objects.exists()


def test_sms_is_no_second_factor() -> None:
    make_person()
    page = sign_in().get("/security/second-factor").text
    assert "SMS is not offered" in page
    assert "/security/authenticator" in page
    assert "/security/passkeys/add" in page


def test_the_page_of_the_second_step_is_closed_without_a_password_given() -> None:
    assert Client().get("/login/second-factor")["Location"] == "/login"


def test_a_made_up_passkey_neither_signs_in_nor_breaks_the_page() -> None:
    make_person()
    client = sign_in()
    for credential in ("{}", "[]", '{"id": 1}', "no json", '{"response": {"userHandle": "AAAA"}}', '"text"', "null"):
        answer = client.post("/security/passkeys/add", {"name": "key", "credential": credential})
        assert answer.status_code == 422, credential
        stranger = Client()
        assert stranger.post("/login/passkey", {"credential": credential}).status_code in (302, 429), credential
        assert not is_signed_in(stranger)
    assert not Authenticator.objects.exists()


def test_a_refused_passkey_is_said_in_words() -> None:
    answer = Client().post("/login/passkey", {"credential": "{}"}, follow=True)
    assert answer.redirect_chain == [("/login", 302)]
    assert "This passkey is not known here" in answer.text


def test_there_are_three_ways_to_sign_in_and_no_other() -> None:
    ways = {str(way.pattern): way.name for way in urlpatterns if isinstance(way, URLPattern)}
    assert ways == {
        "login": "account_login",
        "logout": "account_logout",
        "login/second-factor": "mfa_authenticate",
        "login/passkey": "mfa_login_webauthn",
        "security/confirm": "account_reauthenticate",
        "security/confirm/code": "mfa_reauthenticate",
        "security/confirm/passkey": "mfa_reauthenticate_webauthn",
    }
    assert settings.AUTHENTICATION_BACKENDS == ["allauth.account.auth_backends.AuthenticationBackend"]
    assert not apps.is_installed("django.contrib.admin")
    for address in ("/admin", "/admin/login", "/accounts/login/", "/signup", "/_allauth/browser/v1/auth/login"):
        assert Client().post(address, {"login": "ada@example.org", "password": PASSWORD}).status_code == 404


def test_a_fresh_installation_has_no_people() -> None:
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize(
    ("origin", "more", "is_taken"),
    [
        ("https://twin.example.org", {}, True),
        ("https://twin.example.org:8443", {"crossOrigin": False}, True),
        ("http://twin.example.org", {}, False),
        ("https://evil.twin.example.org", {}, False),
        ("https://example.org", {}, False),
        ("https://twin.example.org.evil.example", {}, False),
        ("https://evil.example/#https://twin.example.org", {}, False),
        ("https://twin.example.org@evil.example", {}, False),
        ("https://twin.example.org", {"crossOrigin": True}, False),
        ("http://localhost:8000", {}, False),
    ],
)
def test_a_passkey_counts_only_when_a_page_of_ours_asked_for_it(
    settings: Any, origin: str, more: dict[str, bool], is_taken: bool
) -> None:
    settings.URL = "https://twin.example.org"
    signed = websafe_encode(json.dumps({"type": "webauthn.get", "origin": origin, **more}).encode())
    assert is_ours({"response": {"clientDataJSON": signed}}) is is_taken


def test_the_same_code_given_by_many_at_once_opens_one_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    make_person()
    secret = set_up_app(sign_in())
    # The clock stands still in a step of its own.
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: iter([12_345]))
    code = totp.format_hotp_value(totp.hotp_value(secret.replace(" ", ""), 12_345))
    clients = [sign_in() for _ in range(8)]

    def give(client: Client) -> bool:
        try:
            client.post("/login/second-factor", {"code": code})
            return is_signed_in(client)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        assert sum(pool.map(give, clients)) == 1


def test_passkeys_belong_to_the_host_of_the_settings_whatever_a_request_says() -> None:
    make_person()
    client = sign_in()
    page = client.get("/security/passkeys/add", headers={"host": "localhost"}).text
    assert "&quot;rp&quot;: {&quot;name&quot;: &quot;Twin&quot;, &quot;id&quot;: &quot;localhost&quot;}" in page
    assert "data-passkey" not in client.get("/security/passkeys/add", headers={"host": "127.0.0.1"}).text
