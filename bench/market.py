"""The market that is measured: a platform, ten resellers, a thousand companies, and what they use."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tests.flows.installation import Client, Installation

RESELLERS = 10
COMPANIES = 1_000
DAYS = 30
MESSAGES = ("sms.sent", "sms.delivered", "viber.delivered", "whatsapp.sent", "email.sent", "push.sent")
CHATS = ("chat.operator_message", "chat.bot_message", "chat.user_message", "bot.message")
CALLS = ("call.outgoing", "call.incoming")
METERS = (*MESSAGES, *CHATS, *CALLS)
COUNTRIES = ("DE", "FR", "GB", "IT", "PL", "ES", "NL", "BD", "RU", "US")


@dataclass(frozen=True)
class Market:
    """Who is there: keys to act with, the companies that use Twin, the span their usage lies in."""

    platform: int
    key: str
    resellers: list[int]
    reseller_key: str
    companies: list[int]
    start: datetime
    end: datetime


def found(installation: Installation) -> Market:
    """The tree and its prices, made over HTTP; every seller has a default card for its children."""
    end = datetime.now(UTC).replace(microsecond=0)
    start = (end - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0)
    platform = installation.init()
    installation.serve()
    key = installation.key(platform)
    with Client(installation.port, key) as client:
        price(client, start, "0.0061")
        resellers = [create(client, f"Reseller {n}", "reseller", platform, start) for n in range(RESELLERS)]
        keys = [installation.key(reseller) for reseller in resellers]
        for number, reseller_key in enumerate(keys):
            with Client(installation.port, reseller_key) as seller:
                price(seller, start, f"0.00{number + 71}")
        companies = [
            create(client, f"Company {n}", "company", resellers[n % RESELLERS], start) for n in range(COMPANIES)
        ]
    return Market(platform, key, resellers, keys[0], companies, start, end)


def create(client: Client, name: str, kind: str, parent: int, start: datetime) -> int:
    """A company from the beginning of the span; its number."""
    body = {"name": name, "kind": kind, "parent_id": parent, "time_zone": "UTC", "effective_from": text_of(start)}
    answer = client.post("/api/v1/companies", body)
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {answer.body!r}")
    return int(answer.json["id"])


def price(client: Client, start: datetime, unit_price: str, meters: Sequence[str] = METERS) -> None:
    """A default card with a rate for every meter, calls by the minute, delivered SMS by country."""
    card = client.post("/api/v1/rate-cards", {"name": "Standard", "default": True}).json["id"]
    rates: list[dict[str, object]] = [
        {"meter": meter, "unit_price": unit_price} for meter in meters if meter not in CALLS
    ]
    rates += [{"meter": meter, "unit_price": "0.05", "per": 60, "minimum": 60, "increment": 1} for meter in CALLS]
    rates += [
        {"meter": "sms.delivered", "unit_price": f"0.0{n + 11}", "selector": {"country": country}}
        for n, country in enumerate(COUNTRIES)
    ]
    body = {"rates": [{**rate, "effective_from": text_of(start)} for rate in rates]}
    answer = client.post(f"/api/v1/rate-cards/{card}/rates", body)
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {answer.body!r}")


def text_of(moment: datetime) -> str:
    """An instant as the API reads it."""
    return moment.isoformat().replace("+00:00", "Z")


class Usage:
    """An endless stream of events: few large companies and many small ones, all meters, ten countries.

    Every event's id is a UUID. `recent` is the share that happened within the last day; the
    rest lies anywhere in the span.
    """

    def __init__(self, market: Market, seed: int, recent: float) -> None:
        self.random = Random(seed)
        self.market = market
        self.recent = recent
        self.weights = [1 / (rank + 3) for rank in range(len(market.companies))]
        self.span = (market.end - market.start) // timedelta(microseconds=1)
        self.day = timedelta(days=1) // timedelta(microseconds=1)

    def lines(self, number: int) -> Iterator[str]:
        """Events as JSON texts."""
        random, market = self.random, self.market
        companies = random.choices(market.companies, self.weights, k=number)
        meters = random.choices(METERS, k=number)
        for company, meter in zip(companies, meters, strict=True):
            back = random.randrange(self.day if random.random() < self.recent else self.span)
            moment = market.end - timedelta(microseconds=back)
            key = uuid.UUID(int=random.getrandbits(128), version=4)
            yield (
                f'{{"specversion":"1.0","type":"twin.usage","source":"gateway-{company % 4}","id":"{key}",'
                f'"subject":"{company}","time":"{text_of(moment)}","data":{self._data(meter)}}}'
            )

    def _data(self, meter: str) -> str:
        country = self.random.choice(COUNTRIES)
        if meter in CALLS:
            return json.dumps(
                {"meter": meter, "quantity": self.random.randrange(600), "attributes": {"country": country}}
            )
        if meter == "sms.delivered":
            return (
                f'{{"meter":"{meter}","quantity":{self.random.randrange(1, 4)},"attributes":{{"country":"{country}"}}}}'
            )
        return f'{{"meter":"{meter}"}}'

    def bodies(self, batches: int, size: int) -> list[bytes]:
        """Whole requests, encoded before anything is measured."""
        return [("[" + ",".join(self.lines(size)) + "]").encode() for _ in range(batches)]
