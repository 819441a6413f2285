"""`kill -9` of anything at any moment: what was answered is there exactly once."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import psutil
import pytest

from tests.flows.installation import Client, Installation, end_process
from tests.flows.oracle import Event
from tests.flows.wire import batch_body

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SEED = int(os.environ.get("TWIN_CRASH_SEED", "20261122"))
KILLS = int(os.environ.get("TWIN_CRASH_KILLS", "6"))
CLIENTS = 3


@dataclass
class Sender:
    """Posts its own events over and over until each batch is answered; remembers what it was told."""

    installation: Installation
    key: str
    companies: list[int]
    name: str
    random: Random
    batches: list[bytes] = field(default_factory=list)
    accepted: int = 0
    duplicates: int = 0
    events: int = 0
    wrong: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            size = self.random.choice([1, 20, 200, 800, 3_000])
            body = batch_body(self._event(self.events + n) for n in range(size))
            self.batches.append(body)
            self.events += size
            self._until_answered(body, size)

    def _event(self, number: int) -> Event:
        company = self.companies[number % len(self.companies)]
        return Event(company, self.name, f"{self.name}-{number}", "sms.sent", T0 + number * SECOND)

    def _until_answered(self, body: bytes, size: int) -> None:
        with Client(self.installation.port, self.key, timeout=20) as client:
            while True:
                try:
                    answer = client.send_events(body)
                except OSError:
                    time.sleep(0.05)
                    continue
                if answer.status == 200:
                    break
                if answer.status < 500:
                    self.wrong.append(f"{answer.status} {answer.body[:200]!r}")
                    return
                time.sleep(0.05)
        told = answer.json
        if told["accepted"] + told["duplicates"] != size or told["rejected"] or told["conflicts"]:
            self.wrong.append(str(told)[:500])
        # Of a batch that was tried twice all or nothing was stored the first time.
        if told["accepted"] not in (0, size):
            self.wrong.append(f"half a batch was stored: {told}")
        self.accepted += told["accepted"]
        self.duplicates += told["duplicates"]


@dataclass
class Market:
    """Platform, a reseller and four companies, each message at 0.02 bought and 0.05 sold."""

    installation: Installation
    key: str
    reseller: int
    reseller_key: str
    companies: list[int]


def open_market(installation: Installation) -> Market:
    platform = installation.init()
    installation.serve()
    with Client(installation.port, installation.key(platform)) as client:
        reseller = create(client, "Rhea", "reseller", platform)
        price(client, reseller, "0.02")
        reseller_key = installation.key(reseller)
        with Client(installation.port, reseller_key) as own:
            companies = [create(own, f"Company {number}", "company", reseller) for number in range(4)]
            for company in companies:
                price(own, company, "0.05")
        return Market(installation, client.key, reseller, reseller_key, companies)


def create(client: Client, name: str, kind: str, parent: int) -> int:
    body = {
        "name": name,
        "kind": kind,
        "parent_id": parent,
        "time_zone": "UTC",
        "effective_from": "2026-01-01T00:00:00Z",
    }
    answer = client.post("/api/v1/companies", body)
    assert answer.status == 201, answer.body
    return int(answer.json["id"])


def price(client: Client, buyer: int, unit_price: str) -> None:
    start = "2026-01-01T00:00:00Z"
    card = client.post("/api/v1/rate-cards", {"name": f"for {buyer}"}).json["id"]
    rates = {"rates": [{"meter": "sms.sent", "unit_price": unit_price, "effective_from": start}]}
    assert client.post(f"/api/v1/rate-cards/{card}/rates", rates).status == 201
    put = client.ask("PUT", f"/api/v1/companies/{buyer}/rate-card", {"rate_card_id": card, "effective_from": start})
    assert put.status in (200, 201, 204), put.body


def totals(market: Market) -> tuple[int, str, str, int]:
    """Count, buy, sell and unrated of everything, as the reseller's report has it."""
    with Client(market.installation.port, market.reseller_key) as client:
        answer = client.get("/api/v1/reports/reseller-companies?from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z")
    assert answer.status == 200, answer.body
    found = answer.json["sections"]["messaging"]["totals"]
    return (
        found["meters"]["sms.sent"]["count"],
        found["total_buy"],
        found["total_sell"],
        answer.json["unrated"],
    )


def expected(events: int) -> tuple[int, str, str, int]:
    return events, cents(2 * events), cents(5 * events), 0


def cents(number: int) -> str:
    text = f"{number // 100}.{number % 100:02d}".rstrip("0")
    return text.rstrip(".")


def kill_something(installation: Installation, random: Random) -> str:
    """One of: a web or job process, the parent of all, the database, one of its processes."""
    serving = installation.serving_processes()
    postmaster = installation.postmaster()
    victims: dict[str, list[psutil.Process]] = {
        "worker": serving[1:],
        "parent": serving[:1],
        "database": [postmaster] if postmaster else [],
        "backend": postmaster.children() if postmaster else [],
    }
    kinds = [name for name, found in victims.items() if found]
    if not kinds:
        # After too many deaths within a minute the parent gives up, and the database goes with it.
        revive(installation)
        return kill_something(installation, random)
    kind = random.choice(kinds)
    end_process(random.choice(victims[kind]))
    return kind


def revive(installation: Installation) -> None:
    """What an operator's supervisor does: start `twin serve` again when it has ended."""
    end = time.monotonic() + 60
    # A web worker whose parent was killed may answer once more before it ends.
    while not (installation.is_serving() and installation.is_ready()):
        if not installation.is_serving():
            for left in installation.orphans():
                left.wait(20)
            installation.serve(wait=30)
        assert time.monotonic() < end, installation.last_words()
        time.sleep(0.1)


def test_nothing_answered_is_lost_or_doubled_whatever_is_killed(installation: Installation) -> None:
    random = Random(SEED)
    market = open_market(installation)
    senders = [
        Sender(installation, market.key, market.companies, f"gw{number}", Random(SEED + number))
        for number in range(CLIENTS)
    ]
    stop = threading.Event()
    threads = [threading.Thread(target=sender.run, args=[stop], daemon=True) for sender in senders]
    for thread in threads:
        thread.start()
    killed = []
    for _ in range(KILLS):
        time.sleep(random.uniform(0.5, 3))
        killed.append(kill_something(installation, random))
        revive(installation)
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()

    print(
        f"killed {killed}, {sum(sender.events for sender in senders)} events, "
        f"{sum(sender.duplicates for sender in senders)} found stored although the answer was lost"
    )
    assert [wrong for sender in senders for wrong in sender.wrong] == [], killed
    events = sum(sender.events for sender in senders)
    assert sum(sender.accepted + sender.duplicates for sender in senders) == events
    assert totals(market) == expected(events), killed
    with Client(installation.port, market.key) as client:
        for body in [body for sender in senders for body in sender.batches]:
            assert client.send_events(body).json["accepted"] == 0
    assert totals(market) == expected(events)
    installation.twin("metering", "verify")
    assert installation.stop() == 0
    installation.twin("metering", "verify")
