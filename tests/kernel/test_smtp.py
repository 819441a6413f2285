"""Mails against a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.kernel.smtp_peer import PASSWORD, USER, Postbox, make_certificate, smtp_server
from twin.kernel.adapters.addresses import GatewayUnusable
from twin.kernel.adapters.smtp import SmtpServer
from twin.kernel.delivery import send_mail
from twin.kernel.models import Dispatch
from twin.kernel.ports.mail import Mail
from twin.kernel.ports.outcomes import Refused, TryLater
from twin.kernel.sending import attempt

FROM = "from=Twin%20%3Ctwin%40example.com%3E"


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def port(postbox: Postbox) -> Iterator[int]:
    with smtp_server(postbox) as port:
        yield port


def server(address: str) -> SmtpServer:
    return SmtpServer(address, "https://twin.example.com")


def mail(to: str = "ann@example.org", subject: str = "Привет, Ann", text: str = "Words", html: str = "") -> Mail:
    return Mail(17, to, subject, text, html)


def test_a_mail_arrives_whole(postbox: Postbox, port: int) -> None:
    out = server(f"smtp://127.0.0.1:{port}/?{FROM}&reply_to=help@example.com")
    reference = out.send(mail(text="Код: 123456\n.\nend", html="<p>Код</p>"))
    (arrived,) = postbox.mails
    assert arrived["From"] == "Twin <twin@example.com>"
    assert (arrived["To"], arrived["Reply-To"]) == ("ann@example.org", "help@example.com")
    assert arrived["Subject"] == "Привет, Ann"
    assert arrived["Message-ID"] == reference == "<twin-17@twin.example.com>"
    assert arrived["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(arrived["Date"]).tzinfo is not None
    plain, html = arrived.get_body(("plain",)), arrived.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == ["Код: 123456", ".", "end"]
    assert html.get_content().strip() == "<p>Код</p>"
    assert postbox.senders == ["twin@example.com"]


def test_refused_is_told_from_later(postbox: Postbox, port: int) -> None:
    out = server(f"smtp://127.0.0.1:{port}/?{FROM}")
    with pytest.raises(Refused, match="550"):
        out.send(mail("gone@example.org"))
    postbox.busy = 1
    with pytest.raises(TryLater, match="451"):
        out.send(mail("later@example.org"))
    out.send(mail("later@example.org"))
    assert len(postbox.mails) == 1


def test_it_travels_encrypted_and_signed_in(postbox: Postbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with smtp_server(postbox, certificate=certificate, auth=True) as port:
        place = f"localhost:{port}/?{FROM}&starttls=required"
        server(f"smtp://{USER}:{quote(PASSWORD, safe='')}@{place}").send(mail())
        assert postbox.over_tls == [True]
        with pytest.raises(TryLater, match="535") as wrong:
            server(f"smtp://{USER}:wrong-password@{place}").send(mail())
        assert "wrong-password" not in str(wrong.value)


def test_a_server_nobody_vouches_for_gets_no_password(postbox: Postbox, tmp_path: Path) -> None:
    with smtp_server(postbox, certificate=make_certificate(tmp_path), auth=True) as port:
        out = server(f"smtp://{USER}:secret-word@localhost:{port}/?{FROM}&starttls=required")
        with pytest.raises(TryLater, match="SSLCertVerificationError") as refused:
            out.send(mail())
    assert "secret-word" not in str(refused.value)
    assert postbox.mails == []


def test_without_starttls_nothing_is_sent_where_it_is_demanded(postbox: Postbox, port: int) -> None:
    with pytest.raises(TryLater, match="STARTTLS"):
        server(f"smtp://127.0.0.1:{port}/?{FROM}&starttls=required").send(mail())
    assert postbox.mails == []


def test_beyond_this_machine_encryption_is_demanded_by_itself() -> None:
    assert server(f"smtp://mail.example.com/?{FROM}")._starttls
    assert not server(f"smtp://mail.example.com/?{FROM}&starttls=no")._starttls
    assert not server(f"smtp://localhost/?{FROM}")._starttls


def test_a_server_that_is_away_is_tried_later() -> None:
    with pytest.raises(TryLater, match="ConnectionRefusedError"):
        server(f"smtp://user:secret@127.0.0.1:1/?{FROM}").send(mail())


@pytest.mark.parametrize("subject", ["a\r\nBcc: all@example.org", "a\nb", "a\rb"])
def test_no_header_can_be_smuggled_in(postbox: Postbox, port: int, subject: str) -> None:
    with pytest.raises(Refused):
        server(f"smtp://127.0.0.1:{port}/?{FROM}").send(mail(subject=subject))
    with pytest.raises(Refused):
        server(f"smtp://127.0.0.1:{port}/?{FROM}").send(mail(to="ann@example.org\r\nBcc: all@example.org"))
    assert postbox.mails == []


def test_a_domain_beyond_ascii_is_written_in_ascii(postbox: Postbox, port: int) -> None:
    server(f"smtp://127.0.0.1:{port}/?{FROM}").send(mail("ann@bücher.example"))
    assert postbox.mails[0]["To"] == "ann@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "mail.example.com",
        "http://mail.example.com/?from=a@b.example",
        "smtp://mail.example.com",
        "smtp://:pass-word@/?from=a@b.example",
        "smtp://user:pass-word@mail.example.com:none/?from=a@b.example",
        "smtp://user:pass-word@mail.example.com/?from=nobody",
        "smtp://user:pass-word@mail.example.com/?from=a@b.example&starttls=maybe",
        "smtp://user:pass-word@mail.example.com/?from=a@b.example&colour=red",
        "smtp://user:pass-word@mail.example.com/?from=a@b.example%0d%0aBcc:x",
        "smtp://user:pass-word%0a@mail.example.com/?from=a@b.example",
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(address: str) -> None:
    with pytest.raises(GatewayUnusable, match="TWIN_SMTP_URL") as refused:
        server(address)
    assert "pass-word" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.database
def test_from_the_queue_to_the_postbox(settings: Any, postbox: Postbox, port: int) -> None:
    settings.SMTP_URL = f"smtp://127.0.0.1:{port}/?{FROM}"
    number = send_mail(to="ann@example.org", subject="Welcome", text="Words", purpose="notice")
    lost = send_mail(to="gone@example.org", subject="Welcome", text="Words", purpose="notice")
    attempt(number)
    attempt(lost)
    states = dict(Dispatch.objects.values_list("pk", "state"))
    assert states == {number: "sent", lost: "failed"}
    assert Dispatch.objects.get(pk=lost).last_error == "550 5.1.1 <g…@example.org> no such user here"
    assert len(postbox.mails) == 1
