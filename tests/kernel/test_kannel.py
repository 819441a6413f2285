"""SMS against a real Kannel with a fake SMSC behind it."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, unquote_to_bytes, urlsplit

import pytest

from tests.api.live import serving
from tests.kernel.kannel_peer import PASSWORD, USER, Kannel, kannel
from tests.kernel.smtp_peer import free_port
from twin.kernel.adapters.addresses import GatewayUnusable
from twin.kernel.adapters.kannel import KannelGateway
from twin.kernel.delivery import send_sms
from twin.kernel.models import Dispatch
from twin.kernel.ports.outcomes import OutcomeUnknown, Refused, TryLater
from twin.kernel.ports.sms import ShortMessage
from twin.kernel.sending import attempt

RECEIPT = "http://127.0.0.1:1/sms/receipt/x?state=%d"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kannel]:
    with kannel(tmp_path_factory.mktemp("kannel")) as running:
        yield running


def address(gateway: Kannel, password: str = PASSWORD) -> str:
    return f"http://{USER}:{quote(password, safe='')}@127.0.0.1:{gateway.port}/cgi-bin/sendsms?from=TWIN"


def wait_until_sent(gateway: Kannel, number: str) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = [line for line in gateway.received() if number in line]
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"{number} did not arrive: {gateway.received()}")


@pytest.mark.kannel
def test_plain_letters_travel_as_they_are(gateway: Kannel) -> None:
    said = KannelGateway(address(gateway)).send(ShortMessage("+491701234501", "Code 123456 & 1+1=2 €", RECEIPT))
    assert said.startswith("0: Accepted")
    arrived = wait_until_sent(gateway, "+491701234501")
    assert arrived.startswith("TWIN +491701234501 text ")
    assert "123456" in arrived
    assert "%26" in arrived or "&" in arrived


@pytest.mark.kannel
def test_other_letters_travel_as_unicode(gateway: Kannel) -> None:
    KannelGateway(address(gateway)).send(ShortMessage("+491701234502", "Код", RECEIPT))
    sender, number, coding, letters = wait_until_sent(gateway, "+491701234502").split(" ", 3)
    assert (sender, number, coding) == ("TWIN", "+491701234502", "ucs-2")
    assert unquote_to_bytes(letters).decode("utf-16-be") == "Код"


@pytest.mark.kannel
def test_a_wrong_password_is_for_the_operator_to_mend(gateway: Kannel) -> None:
    with pytest.raises(TryLater, match="403 Authorization failed") as refused:
        KannelGateway(address(gateway, "wrong-word")).send(ShortMessage("+491701234503", "x", RECEIPT))
    assert "wrong-word" not in str(refused.value)


@pytest.mark.kannel
def test_what_kannel_cannot_use_is_refused(gateway: Kannel) -> None:
    with pytest.raises(Refused, match="40"):
        KannelGateway(address(gateway) + "&dlr-mask=none&priority=99").send(ShortMessage("", "x", RECEIPT))


@pytest.mark.kannel
@pytest.mark.database
def test_from_the_queue_over_the_gateway_to_the_receipt(gateway: Kannel, settings: Any) -> None:
    with serving() as live:
        settings.URL, settings.SMS_URL = live, address(gateway)
        number = send_sms(to="+491701234504", text="Code 123456", purpose="phone_code")
        attempt(number)
        deadline = time.monotonic() + 10
        while (state := Dispatch.objects.get(pk=number).state) != "delivered" and time.monotonic() < deadline:
            time.sleep(0.1)
    assert state == "delivered"
    assert "123456" in wait_until_sent(gateway, "+491701234504")
    assert Dispatch.objects.get(pk=number).sealed_body == ""


class Answering:
    """A gateway that answers one request with what it is told, or not at all."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        caller, _ = self._door.accept()
        with caller:
            self.requests.append(caller.recv(65536))
            caller.sendall(self._answer)

    def close(self) -> None:
        self._thread.join()
        self._door.close()


def answer_to(answer: bytes, text: str = "Code 123456") -> tuple[KannelGateway, Answering]:
    peer = Answering(answer)
    return KannelGateway(f"http://user:secret@127.0.0.1:{peer.port}/send?from=TWIN&smsc=A"), peer


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", TryLater),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 4\r\n\r\nslow", TryLater),
        (b"HTTP/1.1 403 No\r\nContent-Length: 28\r\n\r\nNot routable. Do not try agai", Refused),
        (b"HTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno", Refused),
        (b"", OutcomeUnknown),
        (b"rubbish\r\n\r\n", OutcomeUnknown),
    ],
)
def test_answers_are_told_apart(answer: bytes, outcome: type[Exception]) -> None:
    gateway, peer = answer_to(answer)
    with pytest.raises(outcome) as failed:
        gateway.send(ShortMessage("+491701234567", "Code 123456", RECEIPT))
    peer.close()
    assert "secret" not in str(failed.value)
    assert "123456" not in str(failed.value)


def test_the_request_has_kannels_shape() -> None:
    gateway, peer = answer_to(b"HTTP/1.1 202 Accepted\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery")
    assert gateway.send(ShortMessage("+491701234567", "Привет", RECEIPT)) == "0: Accepted for delivery"
    peer.close()
    target = peer.requests[0].decode().split(" ")[1]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
    assert asked == {
        "username": "user",
        "password": "secret",
        "from": "TWIN",
        "smsc": "A",
        "to": "+491701234567",
        "text": "Привет",
        "charset": "UTF-8",
        "coding": "2",
        "dlr-mask": "31",
        "dlr-url": RECEIPT,
    }


def test_a_gateway_that_is_away_is_tried_later() -> None:
    with pytest.raises(TryLater, match="ConnectionRefusedError"):
        KannelGateway(f"http://127.0.0.1:{free_port()}/?from=TWIN").send(ShortMessage("+491701234567", "x", RECEIPT))


def test_an_answer_that_does_not_come_is_no_reason_to_send_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.adapters.kannel._TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = KannelGateway(f"http://127.0.0.1:{silent.getsockname()[1]}/?from=TWIN")
        with pytest.raises(OutcomeUnknown, match="TimeoutError"):
            gateway.send(ShortMessage("+491701234567", "x", RECEIPT))


@pytest.mark.parametrize(
    "wrong",
    ["smpp://user:pass-word@host", "http://user:pass-word@host/send", "host:13013", "http://user:pass-word@host:x/"],
)
def test_an_address_that_cannot_be_used_is_told_without_its_password(wrong: str) -> None:
    with pytest.raises(GatewayUnusable, match="TWIN_SMS_URL") as refused:
        KannelGateway(wrong)
    assert "pass-word" not in str(refused.value)


@pytest.mark.database
def test_a_receipt_with_a_wrong_token_is_not_found() -> None:
    with serving() as live:
        connection = http.client.HTTPConnection(live.removeprefix("http://"))
        for path in ("/sms/receipt/1.x?state=1", "/sms/receipt/x", "/sms/receipt/1.x?state=none"):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (404, b""), path
        connection.close()
