"""The drill: an installation at work is backed up, comes back on another PostgreSQL, goes on there, and returns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.flows.installation import Client, Installation
from tests.flows.oracle import Event
from tests.flows.wire import batch_body
from twin.engine.binaries import system_programs
from twin.engine.testing import ThrowawayServer, address_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

T0 = datetime(2026, 1, 1, tzinfo=UTC)
REPORT = "/api/v1/reports/reseller-companies?from=2025-12-01T00:00:00Z&to=2026-12-01T00:00:00Z&reseller="


@pytest.fixture
def other_address() -> Iterator[str]:
    """An empty database on the system's PostgreSQL, of another major version where there is one.

    Its role may create roles and nothing else: before PostgreSQL 16 it cannot give BYPASSRLS.
    """
    server = ThrowawayServer(system_programs())
    server.start()
    with psycopg.connect(**server.superuser("postgres"), autocommit=True) as admin:
        admin.execute("CREATE ROLE manager LOGIN CREATEROLE PASSWORD 'test-only'")
        admin.execute("CREATE DATABASE company OWNER manager")
    yield address_of({**server.superuser("company"), "user": "manager", "password": "test-only"})
    server.stop()


class Business:
    """A reseller with a priced company, spoken to over HTTP."""

    def __init__(self, installation: Installation) -> None:
        self.key = installation.key(installation.init())
        self.reseller = self.found(installation, name="Rhea", kind="reseller")
        self.company = self.found(installation, name="Acme", kind="company", parent_id=self.reseller)
        self.price(installation, self.key, self.reseller, "0.01")
        self.price(installation, installation.key(self.reseller), self.company, "0.02")

    def found(self, installation: Installation, **company: object) -> int:
        body = {"time_zone": "UTC", "effective_from": T0.isoformat(), **company}
        with Client(installation.port, self.key) as client:
            return int(client.post("/api/v1/companies", body).json["id"])

    @staticmethod
    def price(installation: Installation, key: str, buyer: int, amount: str) -> None:
        rate = {"meter": "sms.sent", "unit_price": amount, "effective_from": T0.isoformat()}
        with Client(installation.port, key) as client:
            card = client.post("/api/v1/rate-cards", {"name": "Card"}).json["id"]
            assert client.post(f"/api/v1/rate-cards/{card}/rates", {"rates": [rate]}).status == 201
            body = {"rate_card_id": card, "effective_from": T0.isoformat()}
            answer = client.ask("PUT", f"/api/v1/companies/{buyer}/rate-card", body)
            assert answer.status in (200, 201, 204), answer.body

    def send(self, installation: Installation, numbers: range, meter: str = "sms.sent") -> dict[str, int]:
        events = (Event(self.company, "smsc", f"e{n}", meter, T0 + n * timedelta(seconds=1)) for n in numbers)
        with Client(installation.port, self.key) as client:
            answer = client.send_events(batch_body(events))
        assert answer.status == 200, answer.body
        told: dict[str, int] = answer.json
        return told

    def report(self, installation: Installation) -> bytes:
        with Client(installation.port, self.key) as client:
            answer = client.get(f"{REPORT}{self.reseller}")
        assert answer.status == 200, answer.body
        return answer.body


def backed_up_at_work(installation: Installation, business: Business, file: Path) -> None:
    """The backup is made while usage comes in without a pause."""
    stop = threading.Event()

    def send() -> None:
        number = 1000
        while not stop.is_set():
            business.send(installation, range(number, number + 50))
            number += 50

    sender = threading.Thread(target=send)
    sender.start()
    try:
        installation.twin("backup", str(file))
    finally:
        stop.set()
        sender.join()


def test_a_backup_made_at_work_comes_back_elsewhere_and_returns(
    installation: Installation, other_address: str, tmp_path: Path
) -> None:
    installation.serve()
    business = Business(installation)
    business.send(installation, range(100))
    business.send(installation, range(200, 210), meter="chat.bot_message")
    backed_up_at_work(installation, business, tmp_path / "first")
    installation.stop()

    there = Installation(tmp_path / "there", other_address)
    back = Installation(tmp_path / "back")
    try:
        assert "totals equal the rows" in there.twin("restore", str(tmp_path / "first")).stdout
        there.serve()
        assert business.send(there, range(100)) | {"unrated": 0} == told(duplicates=100)
        assert business.send(there, range(100_000, 100_100))["accepted"] == 100
        report = business.report(there)
        there.stop()
        there.twin("backup", str(tmp_path / "second"))

        assert "totals equal the rows" in back.twin("restore", str(tmp_path / "second")).stdout
        back.serve()
        assert business.report(back) == report
        assert business.send(back, range(100_000, 100_100))["duplicates"] == 100
        assert business.send(back, range(200_000, 200_010))["accepted"] == 10
        back.stop()
        back.twin("metering", "verify")
    finally:
        there.destroy()
        back.destroy()


def told(**counts: int) -> dict[str, object]:
    return {"accepted": 0, "duplicates": 0, "unrated": 0, "conflicts": [], "rejected": []} | counts
