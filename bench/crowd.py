"""The large market: resellers of 100, 1,000 and 10,000 companies, and one branch four levels deep; 90 days of usage."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from bench.market import CALLS, COUNTRIES, Market, create, price, text_of
from tests.flows.installation import Client, Installation
from twin.pricing.meters import METER_BY_CODE

DAYS = 90
METERS = tuple(METER_BY_CODE)
# One event in a hundred happened up to three days before those around it, one in two hundred up to sixty.
LATE = ((0.01, timedelta(days=3)), (0.005, timedelta(days=60)))
HANDS = 8


@dataclass(frozen=True)
class Crowd:
    """`markets` by number of companies: the platform's key, one reseller with its key, its companies."""

    markets: dict[int, Market]
    deep: Market
    start: datetime
    end: datetime

    @property
    def companies(self) -> list[int]:
        return [company for market in (*self.markets.values(), self.deep) for company in market.companies]


def found_crowd(installation: Installation, sizes: Sequence[int], deep: int) -> Crowd:
    """Made over HTTP like any market; the deep branch is platform, reseller, two sub-resellers, companies."""
    end = datetime.now(UTC).replace(microsecond=0)
    start = (end - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0)
    platform = installation.init()
    installation.serve()
    key = installation.key(platform)
    made = _Maker(installation, platform, key, start, end)
    with Client(installation.port, key) as client:
        price(client, start, "0.0061", METERS)
    markets = {size: made.reseller([f"Reseller of {size}"], size) for size in sizes}
    return Crowd(markets, made.reseller(["Upper", "Middle", "Lower"], deep), start, end)


@dataclass(frozen=True)
class _Maker:
    installation: Installation
    platform: int
    key: str
    start: datetime
    end: datetime

    def reseller(self, names: Sequence[str], size: int) -> Market:
        """A line of resellers, one beneath the other; the companies lie beneath the last."""
        parent, line, keys = self.platform, [], []
        for level, name in enumerate(names):
            with Client(self.installation.port, self.key) as client:
                parent = create(client, name, "reseller", parent, self.start)
            line.append(parent)
            keys.append(self.installation.key(parent))
            with Client(self.installation.port, keys[-1]) as client:
                price(client, self.start, f"0.00{level + 71}", METERS)
        with ThreadPoolExecutor(HANDS) as hands:
            parts = hands.map(lambda hand: self._companies(parent, range(hand, size, HANDS)), range(HANDS))
            companies = [company for part in parts for company in part]
        return Market(self.platform, self.key, line, keys[-1], companies, self.start, self.end)

    def _companies(self, parent: int, numbers: range) -> list[int]:
        with Client(self.installation.port, self.key, timeout=120) as client:
            return [create(client, f"Company {parent}-{n}", "company", parent, self.start) for n in numbers]


def history(crowd: Crowd, seed: int, number: int) -> Iterator[str]:
    """So many events over the 90 days, as lines: times ascend, but for the late."""
    chance = random.Random(seed)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(crowd.companies))))
    # The same companies are large in every part of the history.
    shuffled = random.Random(0).sample(crowd.companies, len(crowd.companies))
    companies = chance.choices(shuffled, cum_weights=weights, k=number)
    meters = chance.choices(METERS, k=number)
    span = crowd.end - crowd.start
    for place, (company, meter) in enumerate(zip(companies, meters, strict=True)):
        moment = max(crowd.start + span * (place / number) - _delay(chance), crowd.start)
        quantity = chance.randrange(600) if meter in CALLS else 1
        yield (
            f'{{"specversion":"1.0","type":"twin.usage","source":"gateway-{company % 4}",'
            f'"id":"{uuid.UUID(int=chance.getrandbits(128), version=4)}","subject":"{company}",'
            f'"time":"{text_of(moment)}","data":{{"meter":"{meter}","quantity":{quantity},'
            f'"attributes":{{"country":"{chance.choice(COUNTRIES)}"}}}}}}'
        )


def _delay(chance: random.Random) -> timedelta:
    drawn = chance.random()
    for share, longest in LATE:
        if drawn < share:
            return longest * chance.random()
        drawn -= share
    return timedelta()
