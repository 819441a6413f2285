"""Where the demonstration shows mails and SMS, and where it refuses to be."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner
from django.test import Client

from twin.cli.outbox import outbox
from twin.cli.serve import refuse_exposed_demonstration, warn_of_silence
from twin.kernel import gateways
from twin.kernel.adapters.addresses import GatewayUnusable
from twin.kernel.adapters.outbox import Outbox
from twin.kernel.delivery import send_mail, send_sms
from twin.kernel.demonstration import is_exposed, is_open
from twin.kernel.sending import attempt
from twin.portal.views.outbox import Piece, pieces_of

pytestmark = pytest.mark.database


def yes() -> bool:
    return True


def no() -> bool:
    return False


@pytest.fixture
def loaded(settings: Any) -> Any:
    settings.DEMONSTRATION_LOADED = f"{__name__}.yes"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return settings


@pytest.mark.parametrize(
    ("host", "url", "answer"),
    [
        ("127.0.0.1", "http://localhost:8000", True),
        ("::1", "http://127.0.0.1:8000", True),
        ("0.0.0.0", "http://localhost:8000", False),  # noqa: S104 - compared, not bound
        ("10.0.0.5", "http://localhost:8000", False),
        ("127.0.0.1", "https://twin.example.com", False),
        ("127.0.0.1", "http://localhost.example.com", False),
    ],
)
def test_the_outbox_is_there_for_this_machine_only(loaded: Any, host: str, url: str, answer: bool) -> None:
    loaded.HOST, loaded.URL = host, url
    assert is_open() is answer
    assert Client().get("/outbox").status_code == (200 if answer else 404)
    assert isinstance(gateways.mail_port(), Outbox) is answer


def test_without_the_demonstration_there_is_no_outbox(settings: Any) -> None:
    for knows in (f"{__name__}.no", ""):
        settings.DEMONSTRATION_LOADED = knows
        assert not is_open()
        assert Client().get("/outbox").status_code == 404


def test_known_passwords_are_not_served_to_other_machines(loaded: Any) -> None:
    loaded.HOST = "0.0.0.0"  # noqa: S104 - compared, not bound
    assert is_exposed()
    with pytest.raises(click.ClickException, match="everybody knows"):
        refuse_exposed_demonstration()
    loaded.HOST = "127.0.0.1"
    refuse_exposed_demonstration()


def test_a_start_without_gateways_says_so_but_not_in_the_demonstration(
    settings: Any, loaded: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_of_silence()
    assert capsys.readouterr().err == ""
    settings.DEMONSTRATION_LOADED = f"{__name__}.no"
    warn_of_silence()
    assert capsys.readouterr().err.count("is not set") == 2


def test_a_start_with_a_gateway_that_cannot_be_meant_is_refused(settings: Any) -> None:
    settings.SMTP_URL = "smtp://user:pass-word@host"
    with pytest.raises(GatewayUnusable, match="TWIN_SMTP_URL"):
        gateways.check_settings()
    settings.SMTP_URL, settings.SMS_URL = "", "ftp://user:pass-word@host"
    with pytest.raises(GatewayUnusable, match="TWIN_SMS_URL"):
        gateways.check_settings()


def test_letters_are_read_newest_first_with_codes_to_copy(loaded: Any) -> None:
    mail = send_mail(to="ann@example.com", subject="Your code", text="It is 482137.", purpose="email_code")
    sms = send_sms(to="+491701234567", text="Code: 190283 <b>&", purpose="phone_code")
    attempt(mail)
    attempt(sms)
    page = Client().get("/outbox").text
    assert page.index("190283 &lt;b&gt;&amp;") < page.index("Your code")
    assert 'data-copies="482137"' in page
    assert 'data-copies="190283"' in page


def test_only_our_own_addresses_become_links(settings: Any) -> None:
    settings.URL = "http://localhost:8000"
    text = "See http://localhost:8000/r/x?a=1. Not http://evil.example/, http://localhost:8000.evil.example/x"
    assert pieces_of(text) == [
        Piece("See "),
        Piece("http://localhost:8000/r/x?a=1", "http://localhost:8000/r/x?a=1"),
        Piece("."),
        Piece(" Not "),
        Piece("http://evil.example/,"),
        Piece(" "),
        Piece("http://localhost:8000.evil.example/x"),
    ]


def test_the_outbox_is_only_read(loaded: Any) -> None:
    assert Client().post("/outbox").status_code == 405


def test_the_operator_sees_how_messages_fare_but_not_what_they_say() -> None:
    send_mail(to="ann.acre@example.com", subject="Secret word", text="482137", purpose="email_code")
    send_sms(to="+491701234567", text="190283", purpose="phone_code")
    told = CliRunner().invoke(outbox)
    assert told.exit_code == 0
    lines = told.stdout.splitlines()
    assert len(lines) == 2
    assert "sms   queued     phone_code  +49…67  0 tries" in lines[0]
    assert "mail  queued     email_code  a…@example.com  0 tries" in lines[1]
    for secret in ("482137", "190283", "Secret", "ann.acre", "1701234"):
        assert secret not in told.output


def test_the_operator_is_told_when_there_is_nothing() -> None:
    assert CliRunner().invoke(outbox).stdout == ""
