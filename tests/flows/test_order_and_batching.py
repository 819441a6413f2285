"""However the same usage arrives — order, repeats, batches, folds between — the charges are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from tests.flows.driver import Twins, cell_of
from tests.flows.oracle import METERS, SECTIONS, Event, Rate
from tests.flows.wire import batch_body
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering import queries as usage
from twin.reports import queries as reports
from twin.reports.types import ReportQuery

pytestmark = pytest.mark.database

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MICRO = timedelta(microseconds=1)
WHOLE = (T0, T0 + 30 * DAY)
Figures = dict[tuple[str, str], tuple[int, ...]]


class Market:
    """Two resellers with two companies each, every meter priced on both sides."""

    def __init__(self, twins: Twins) -> None:
        self.twins = twins
        self.resellers = [twins.create(name, "reseller", twins.platform, T0) for name in ("Rhea", "Ops")]
        self.companies = [
            twins.create(f"{letter}{reseller}", "company", reseller, T0)
            for reseller in self.resellers
            for letter in "AB"
        ]
        for seller in (twins.platform, *self.resellers):
            self._price(seller)

    def _price(self, seller: int) -> None:
        card = self.twins.card(seller, "card")
        prices = [Rate(meter, f"0.0{number + 1}3", T0, per=7, increment=6) for number, meter in enumerate(METERS)]
        self.twins.publish(card, prices)
        for buyer, timeline in list(self.twins.oracle.parents.items()):
            if timeline and timeline[0][1] == seller:
                self.twins.assign(seller, buyer, card, T0)

    def events(self, random: Random, number: int) -> list[Event]:
        return [
            Event(
                random.choice(self.companies),
                "gateway",
                f"e{n}",
                random.choice(METERS),
                T0 + random.randrange(30 * DAY // MICRO) * MICRO,
                random.randrange(200),
            )
            for n in range(number)
        ]

    def figures(self, start: datetime, end: datetime) -> Figures:
        """Every figure of both resellers by the names of company and meter: ids differ from run to run."""
        found: Figures = {}
        for reseller in self.resellers:
            query = ReportQuery(reseller_id=reseller, period=Period(start, end))
            report = reports.reseller_companies(self.twins.scope(reseller), query)
            for section in report.sections.values():
                for row in section.rows:
                    place = self.companies.index(row.company_id)
                    found |= {(str(place), meter): cell_of(figures) for meter, figures in row.meters.items()}
        return found


def cut(events: Sequence[Event], random: Random, largest: int) -> list[list[Event]]:
    batches, rest = [], list(events)
    while rest:
        size = random.randrange(1, largest + 1)
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_repetition_and_batching_make_the_same_charges(
    twins: Twins, empty_database: Callable[[], None], seed: int
) -> None:
    market = Market(twins)
    events = market.events(Random(seed), 600)
    twins.take(events)
    straight = market.figures(*WHOLE)
    empty_database()

    other = Market(Twins())
    random = Random(seed + 100)
    of = dict(zip(market.companies, other.companies, strict=True))
    moved = [Event(of[e.company], e.source, e.key, e.meter, e.time, e.quantity) for e in events]
    shuffled = moved + random.sample(moved, 200)
    random.shuffle(shuffled)
    for batch in cut(shuffled, random, 90):
        other.twins.take(batch, spelling=random)
        if random.random() < 0.3:
            other.twins.fold()
    assert other.figures(*WHOLE) == straight


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_of_a_period_add_up_to_the_whole(twins: Twins, seed: int) -> None:
    random = Random(seed)
    market = Market(twins)
    events = market.events(random, 500)
    twins.take(events[:400])
    twins.fold()
    twins.take(events[400:])
    cuts = sorted(
        {*WHOLE}
        | {random.choice(events).time + random.choice([0, 1]) * MICRO for _ in range(4)}
        | {T0 + random.randrange(30 * 24) * HOUR for _ in range(4)}
        | {T0 + random.randrange(30) * DAY for _ in range(3)}
    )
    whole = market.figures(*WHOLE)
    parts = [market.figures(start, end) for start, end in pairwise(cuts)]
    assert whole == {key: tuple(map(sum, zip(*(part[key] for part in parts), strict=True))) for key in whole}


def test_folding_at_any_moment_changes_no_figure(twins: Twins) -> None:
    random = Random(7)
    market = Market(twins)
    periods = [WHOLE, (T0 + HOUR + MICRO, T0 + 20 * DAY), (T0 + 3 * DAY, T0 + 3 * DAY + 5 * HOUR)]
    for batch in cut(market.events(random, 400), random, 60):
        twins.take(batch)
        before = [market.figures(*period) for period in periods]
        metering.fold(random.sample(market.resellers, 1) if random.random() < 0.5 else None)
        assert [market.figures(*period) for period in periods] == before
    assert usage.find_differences().differences == []


def test_what_was_sent_long_ago_is_still_a_replay(twins: Twins) -> None:
    market = Market(twins)
    events = market.events(Random(9), 100)
    assert twins.take(events).accepted == 100
    twins.fold()
    twins.take([Event(market.companies[0], "other", str(n), "sms.sent", T0 + n * HOUR) for n in range(300)])
    twins.fold()
    before = market.figures(*WHOLE)
    answer = twins.take(events, spelling=Random(1))
    assert (answer.accepted, answer.duplicates) == (0, 100)
    assert market.figures(*WHOLE) == before


def test_within_one_batch_the_first_of_two_equal_keys_counts(twins: Twins) -> None:
    market = Market(twins)
    company = market.companies[0]
    first = Event(company, "s", "k", "sms.sent", T0, 3)
    other = Event(company, "s", "k", "sms.sent", T0, 4)
    answer = twins.take([first, other, first, other])
    assert (answer.accepted, answer.duplicates, answer.conflicts) == (1, 1, [1, 3])
    assert market.figures(*WHOLE)["0", "sms.sent"][:2] == (1, 3)


def test_a_refused_item_does_not_use_up_its_key(twins: Twins) -> None:
    market = Market(twins)
    company = market.companies[0]
    bad = Event(company, "s", "k", "sms.read", T0)
    good = Event(company, "s", "k", "sms.sent", T0)
    answer = twins.take([bad, good])
    assert (answer.accepted, answer.rejected) == (1, [0])


def test_a_contradiction_is_recorded_once_per_content_and_charged_never(twins: Twins) -> None:
    market = Market(twins)
    company = market.companies[0]
    twins.take([Event(company, "s", "k", "sms.sent", T0, 3)])
    before = market.figures(*WHOLE)
    for quantity in (4, 4, 5, 4):
        answer = twins.take([Event(company, "s", "k", "sms.sent", T0, quantity)])
        assert answer.conflicts == [0]
    assert len(usage.conflicts_page(twins.scope(twins.platform), after=None, limit=100).items) == 2
    assert market.figures(*WHOLE) == before


def test_the_same_key_of_another_company_or_source_is_another_event(twins: Twins) -> None:
    market = Market(twins)
    first, second = market.companies[:2]
    batch = [
        Event(first, "s", "k", "sms.sent", T0),
        Event(second, "s", "k", "sms.sent", T0),
        Event(first, "t", "k", "sms.sent", T0),
    ]
    assert twins.take(batch).accepted == 3
    found = usage.find_differences()
    assert found.differences == []
    assert found.notes != []  # one source used a key for two companies: worth a look


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("6f9619ff8b86d011b42d00c04fc964ff", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("{6f9619ff-8b86-d011-b42d-00c04fc964ff}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ("é", "e\u0301"),
        ("k", "K"),
        ("k", "k "),
    ],
)
def test_keys_that_differ_in_any_character_are_two_events(twins: Twins, one: str, other: str) -> None:
    market = Market(twins)
    company = market.companies[0]
    batch = [Event(company, "s", key, "sms.sent", T0) for key in (one, other)]
    assert twins.take(batch).accepted == 2
    assert twins.take(batch).duplicates == 2


def test_an_odd_source_has_its_own_place_between_key_and_source(twins: Twins) -> None:
    """Identity is a triple, not the text of its parts put together."""
    market = Market(twins)
    company = market.companies[0]
    batch = [Event(company, "ab", "c", "sms.sent", T0), Event(company, "a", "bc", "sms.sent", T0)]
    assert twins.take(batch).accepted == 2


def test_the_same_content_in_another_spelling_is_a_replay(twins: Twins) -> None:
    market = Market(twins)
    event = Event(market.companies[0], "s", "k", "sms.sent", T0 + MICRO, 1, (("a", "1"), ("b", "2")))
    bare = Event(market.companies[0], "s", "l", "sms.sent", T0)
    twins.take([event, bare])
    for seed in range(20):
        assert twins.take([event, bare], spelling=Random(seed)).duplicates == 2


def test_a_single_event_is_answered_like_a_batch(twins: Twins) -> None:
    market = Market(twins)
    body = batch_body([Event(market.companies[0], "s", "k", "sms.sent", T0)])[1:-1]
    scope = twins.scope(twins.platform)
    answers = [metering.take_events(scope, body, batch=False) for _ in range(2)]
    assert [(answer.accepted, answer.duplicates) for answer in answers] == [(1, 0), (0, 1)]


def test_every_meter_has_its_section(twins: Twins) -> None:
    market = Market(twins)
    twins.take([Event(market.companies[0], "s", meter, meter, T0) for meter in METERS])
    query = ReportQuery(reseller_id=market.resellers[0], period=Period(*WHOLE))
    report = reports.reseller_companies(twins.scope(market.resellers[0]), query)
    assert {code: tuple(section.rows[0].meters) for code, section in report.sections.items()} == SECTIONS
