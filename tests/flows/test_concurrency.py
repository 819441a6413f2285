"""Writers, price changes, moves, folds and reports at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connections

from tests.flows.driver import Twins, new_rates
from tests.flows.oracle import Event, Oracle, Rate
from tests.flows.wire import batch_body
from twin.kernel.errors import Clash, Invalid
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering import queries as usage
from twin.metering.types import TakenBatch
from twin.reports import queries as reports
from twin.reports.types import ReportQuery, ResellerReport

pytestmark = [pytest.mark.database, pytest.mark.timeout(180)]

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)
SPAN = 60 * DAY
WHOLE = (T0, T0 + SPAN)
HALF = T0 + SPAN / 2 + MICRO
CENT = 10_000_000


def at_once(*works: Callable[[], None]) -> None:
    """Run each in a thread with connections of its own; the first failure is raised."""

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result()


class Shop:
    """Platform, two resellers, two companies each; everything priced at one cent and at three."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.rhea, self.birch = (twins.create(name, "reseller", twins.platform, T0) for name in ("Rhea", "Birch"))
        self.companies = [
            twins.create(f"{reseller} {number}", "company", reseller, T0)
            for reseller in (self.rhea, self.birch)
            for number in range(2)
        ]
        self.cards = {seller: twins.card(seller, "card") for seller in (twins.platform, self.rhea, self.birch)}
        for seller, card in self.cards.items():
            twins.publish(card, [Rate("sms.sent", "0.01" if seller == twins.platform else "0.03", T0)])
        for reseller in (self.rhea, self.birch):
            twins.assign(twins.platform, reseller, self.cards[twins.platform], T0)
        for company in self.companies:
            twins.assign(
                twins.oracle.chain(company, T0)[0], company, self.cards[twins.oracle.chain(company, T0)[0]], T0
            )
        self.scope = twins.scope(twins.platform)
        self.scopes = {seller: twins.scope(seller) for seller in self.cards}

    def events(self, random: Random, number: int, *, until: datetime = T0 + SPAN, name: str = "e") -> list[Event]:
        return [
            Event(
                random.choice(self.companies),
                "gateway",
                f"{name}{n}",
                "sms.sent",
                T0 + random.randrange((until - T0) // MICRO) * MICRO,
                random.randrange(1, 4),
            )
            for n in range(number)
        ]

    def take(self, batch: Sequence[Event]) -> TakenBatch:
        return metering.take_events(self.scope, batch_body(batch), batch=True)

    def report(self, seller: int, start: datetime = T0, end: datetime = T0 + SPAN) -> ResellerReport:
        query = ReportQuery(reseller_id=seller, period=Period(start, end))
        return reports.reseller_companies(self.scopes[seller], query)


def in_batches(events: Sequence[Event], size: int) -> Iterable[Sequence[Event]]:
    return (events[start : start + size] for start in range(0, len(events), size))


def test_writers_that_overlap_take_every_event_once(twins: Twins) -> None:
    shop = Shop(twins)
    events = shop.events(Random(1), 1_500)
    accepted: list[int] = []

    def writer(seed: int) -> Callable[[], None]:
        def write() -> None:
            mine = list(events)
            Random(seed).shuffle(mine)
            for batch in in_batches(mine, 70):
                answer = shop.take(batch)
                assert (answer.rejected, answer.conflicts) == ([], [])
                assert answer.accepted + answer.duplicates == len(batch)
                accepted.append(answer.accepted)

        return write

    at_once(*(writer(seed) for seed in range(4)))
    assert sum(accepted) == len(events)
    twins.oracle.take(events, latest=T0 + 2 * SPAN)
    twins.check_everything([WHOLE, (T0 + 3 * DAY + MICRO, T0 + 40 * DAY)])


def test_of_two_contradictions_sent_at_once_exactly_one_is_charged(twins: Twins) -> None:
    shop = Shop(twins)
    first = shop.events(Random(2), 400)
    second = [Event(e.company, e.source, e.key, e.meter, e.time, e.quantity + 10) for e in first]
    refused: dict[int, set[str]] = {1: set(), 2: set()}

    def writer(number: int, events: Sequence[Event], seed: int) -> Callable[[], None]:
        def write() -> None:
            mine = list(events)
            Random(seed).shuffle(mine)
            for batch in in_batches(mine, 40):
                refused[number] |= {refusal.id for refusal in shop.take(batch).conflicts}

        return write

    at_once(writer(1, first, 5), writer(2, second, 6))
    assert refused[1].isdisjoint(refused[2])
    assert len(refused[1]) + len(refused[2]) == len(first)
    taken = [e for e in first if e.key not in refused[1]] + [e for e in second if e.key not in refused[2]]
    twins.oracle.take(taken, latest=T0 + 2 * SPAN)
    twins.check_everything([WHOLE])


class Changes:
    """Random price changes and moves, made while usage comes in; remembers those that were made."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.published: list[tuple[int, list[Rate]]] = []
        self.moves: list[tuple[int, int, datetime]] = []

    def publish(self) -> None:
        random = Random(3)
        for number in range(12):
            seller = random.choice(list(self.shop.cards))
            card = self.shop.cards[seller]
            rates = [Rate("sms.sent", f"0.0{number + 11}", any_instant(random))]
            with suppress(Clash):
                metering.publish_rates(self.shop.scopes[seller], card_id=card, rates=new_rates(rates))
                self.published.append((card, rates))

    def move(self) -> None:
        random = Random(4)
        for number in range(12):
            company = self.shop.companies[number % 4]
            parent = random.choice([self.shop.rhea, self.shop.birch])
            # The first ones aim far ahead of the usage, so that some are made however busy the machine is.
            start = any_instant(random) if number >= 4 else T0 + (SPAN * (7 + number)) // 11
            # Invalid: it lies under that parent already.
            with suppress(Clash, Invalid):
                metering.move_company(self.shop.scope, company_id=company, parent_id=parent, effective_from=start)
                self.moves.append((company, parent, start))

    def tell(self, oracle: Oracle) -> None:
        for card, rates in self.published:
            oracle.add_rates(card, rates)
        for company, parent, start in self.moves:
            oracle.move(company, parent, start)


def any_instant(random: Random) -> datetime:
    return T0 + random.randrange(SPAN // MICRO) * MICRO


def test_prices_and_moves_that_come_during_ingestion_part_usage_exactly(twins: Twins) -> None:
    shop = Shop(twins)
    changes = Changes(shop)
    # Usage arrives roughly in order of time, as it does in life, so changes ahead of it can succeed.
    events = sorted(shop.events(Random(3), 2_000), key=lambda event: event.time)

    def writer(mine: Sequence[Event]) -> Callable[[], None]:
        def write() -> None:
            for batch in in_batches(mine, 50):
                assert shop.take(batch).accepted == len(batch)

        return write

    works = [writer(events[::2]), writer(events[1::2]), changes.publish, changes.move]
    while_folding(lambda: at_once(*works))
    changes.tell(twins.oracle)
    assert changes.published
    assert changes.moves
    twins.oracle.take(events, latest=T0 + 2 * SPAN)
    twins.check_everything([WHOLE, (T0 + 3 * DAY + MICRO, T0 + 40 * DAY)])


def while_folding(work: Callable[[], None]) -> None:
    done = threading.Event()

    def fold() -> None:
        while not done.wait(0.05):
            metering.fold(None)

    def until_done() -> None:
        try:
            work()
        finally:
            done.set()

    at_once(until_done, fold)


class Watched:
    """Usage that comes in while reports are asked for; every answer must be whole."""

    def __init__(self, shop: Shop, events: Sequence[Event]) -> None:
        self.shop, self.events = shop, events
        self.answered = self.sent = 0
        self.done = threading.Event()
        self.seen: list[int] = []

    def write(self) -> None:
        try:
            for batch in in_batches(self.events, 25):
                self.sent += len(batch)
                self.answered += self.shop.take(batch).accepted
        finally:
            self.done.set()

    def read(self) -> None:
        """The platform's report shows at least what was answered, and nothing that was not sent."""
        while not self.done.is_set():
            at_least = self.answered
            section = self.shop.report(self.shop.twins.platform).sections["messaging"]
            at_most = self.sent
            figures = section.totals.meters["sms.sent"]
            assert at_least <= figures.count <= at_most
            assert (figures.sell, section.totals.unrated) == (figures.quantity * CENT, 0)
            assert sum(row.total_sell for row in section.rows) == section.totals.total_sell
            self.seen.append(figures.count)

    def read_ragged(self) -> None:
        while not self.done.is_set():
            totals = self.shop.report(self.shop.rhea, T0 + MICRO, HALF).sections["messaging"].totals
            figures = totals.meters["sms.sent"]
            assert (figures.buy, figures.sell) == (figures.quantity * CENT, figures.quantity * 3 * CENT)

    def verify(self) -> None:
        while not self.done.is_set():
            assert usage.find_differences().differences == []


def test_reports_during_ingestion_are_whole_and_show_all_that_was_answered(twins: Twins) -> None:
    shop = Shop(twins)
    events = shop.events(Random(5), 2_500)
    watched = Watched(shop, events)
    while_folding(lambda: at_once(watched.write, watched.read, watched.read_ragged, watched.verify))
    assert watched.seen == sorted(watched.seen)
    twins.oracle.take(events, latest=T0 + 2 * SPAN)
    twins.check_everything([WHOLE, (T0 + MICRO, HALF), (HALF, T0 + SPAN)])


def test_late_prices_during_ingestion_leave_nothing_unrated(twins: Twins) -> None:
    shop = Shop(twins)
    random = Random(6)
    meters = ["email.sent", "bot.message", "call.incoming"]
    events = [
        Event(e.company, e.source, e.key, random.choice(meters), e.time, e.quantity) for e in shop.events(random, 1_500)
    ]
    chance = Random(8)

    def write() -> None:
        for batch in in_batches(events, 60):
            assert shop.take(batch).accepted == len(batch)

    def publish() -> None:
        wanted = [(seller, meter) for seller in shop.cards for meter in meters]
        chance.shuffle(wanted)
        for seller, meter in wanted:
            rates = [Rate(meter, f"0.00{seller % 7 + 1}", T0, per=3)]
            metering.publish_rates(shop.scopes[seller], card_id=shop.cards[seller], rates=new_rates(rates))
            twins.oracle.add_rates(shop.cards[seller], rates)

    at_once(write, publish)
    twins.oracle.take(events, latest=T0 + 2 * SPAN)
    assert shop.report(twins.platform).unrated == 0
    assert shop.report(shop.rhea).unrated == 0
    twins.check_everything([WHOLE, (T0 + 3 * DAY + MICRO, T0 + 40 * DAY)])
