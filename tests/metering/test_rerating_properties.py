"""Any sequence of corrections, cut short, repeated, beside everything else, leaves totals that equal the rows."""

from __future__ import annotations

import itertools
import random
import threading
import time
import traceback
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from tests.metering.test_rerating import corrected, differences, price, record_beneath_charges, rows
from tests.metering.test_taking import DAY, cells, event, take
from tests.metering.transactions import Aside, slow_batches
from tests.world import BEGINNING, Party, World
from twin.kernel.period import Period, instant_text
from twin.metering import actions, queries, recharging
from twin.metering.current import reload_catalogue
from twin.metering.store import SHARDS
from twin.metering.types import NewAssignment, NewPrices
from twin.pricing import actions as pricing
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.rules.charge import charge_nano
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

METERS = ("sms.delivered", "call.outgoing")
COUNTRIES = ("DE", "FR", None)
NOON = DAY.start + timedelta(hours=12)


def usage(chance: random.Random, company: Party, number: int) -> dict[str, Any]:
    at = DAY.start + timedelta(microseconds=chance.randrange(24 * 3_600_000_000))
    country = chance.choice(COUNTRIES)
    attributes = {"country": country} if country else {}
    meter = chance.choice(METERS)
    return event(
        company.id,
        f"e{number}",
        time=instant_text(at),
        meter=meter,
        quantity=chance.randrange(200),
        attributes=attributes,
    )


def a_rate(chance: random.Random) -> NewRate:
    selector = {"country": chance.choice(COUNTRIES[:2])} if chance.random() < 0.4 else {}
    since = DAY.start + timedelta(hours=chance.randrange(-30, 24))
    return NewRate(
        chance.choice(METERS),
        {key: str(value) for key, value in selector.items()},
        chance.randrange(0, 50) * 1_000_001,
        chance.choice((1, 60)),
        chance.choice((0, 60)),
        chance.choice((1, 60)),
        chance.choice((0, 5_000_003)),
        since,
    )


def sides(world: World) -> dict[str, list[tuple[int, ...]]]:
    return {name: cells(world, name) for name in ("twin", "rhea", "sola")}


def as_rated_now(taken: list[dict[str, Any]], world: World) -> dict[str, dict[tuple[int, int], list[int]]]:
    """(company, meter) → count, quantity, buy, sell, unrated, were every event rated afresh by the prices of now."""
    catalogue = reload_catalogue()
    found: dict[str, dict[tuple[int, int], list[int]]] = {
        name: defaultdict(lambda: [0, 0, 0, 0, 0]) for name in ("twin", "rhea", "sola")
    }
    names = {party.id: name for name, party in world.parties.items()}
    for one in taken:
        company, meter = int(one["subject"]), METER_BY_CODE[one["data"]["meter"]].id
        at, quantity = datetime.fromisoformat(one["time"]), one["data"]["quantity"]
        segment = catalogue.segment_at(company, at)
        assert segment is not None
        chain = (company, *segment.sellers)
        rates = [
            catalogue.rate_at(seller, buyer, meter, one["data"]["attributes"], at)
            for buyer, seller in itertools.pairwise(chain)
        ]
        amounts = [charge_nano(rate.terms, quantity) if rate else 0 for rate in rates]
        for pos, seller in enumerate(segment.sellers):
            sums = found[names[seller]][company, meter]
            lacks = any(rate is None for rate in rates[pos : pos + 2])
            for place, value in enumerate((1, quantity, sum(amounts[pos + 1 : pos + 2]), amounts[pos], int(lacks))):
                sums[place] += value
    return found


def as_found(world: World) -> dict[str, dict[tuple[int, int], list[int]]]:
    return {name: {(row[0], row[1]): list(row[2:]) for row in found} for name, found in sides(world).items()}


@pytest.mark.parametrize("seed", range(6))
def test_after_any_corrections_everything_is_charged_as_if_it_came_today(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.metering.actions.recharging.EVENTS_A_STEP", 7)
    chance = random.Random(seed)
    companies = (world.acme, world.birch, world.cedar, world.sola, world.echo)
    sellers = {"rhea": world.rhea_card.id, "twin": world.wholesale.id, "sola": world.sola_card.id}
    empty = {name: pricing.create_rate_card(world.parties[name].scope, name="Other").id for name in sellers}
    buyers = {"rhea": (world.acme, world.sola), "twin": (world.rhea, world.echo), "sola": (world.cedar,)}
    taken: list[dict[str, Any]] = []
    for _ in range(8):
        new = [usage(chance, chance.choice(companies), len(taken) + number) for number in range(12)]
        take(world, *new)
        taken += new
        name = chance.choice(list(sellers))
        seller = world.parties[name].scope
        if chance.random() < 0.3:
            buyer = chance.choice(buyers[name])
            start = max(BEGINNING, DAY.start + timedelta(hours=chance.randrange(-5, 20)))
            card = chance.choice((sellers[name], empty[name]))
            corrected(seller, assignment=NewAssignment(buyer.id, card, start))
        else:
            rates = tuple(a_rate(chance) for _ in range(chance.randrange(1, 4)))
            card = empty[name] if chance.random() < 0.2 else sellers[name]
            corrected(seller, prices=NewPrices(card, rates))
        if chance.random() < 0.4:
            actions.fold()
        assert as_found(world) == as_rated_now(taken, world)
    assert differences() == []
    actions.fold()
    assert differences() == []
    assert as_found(world) == as_rated_now(taken, world)


@pytest.mark.parametrize("seed", range(3))
def test_back_to_the_first_prices_is_zero_on_both_sides(world: World, seed: int) -> None:
    chance = random.Random(seed)
    companies = (world.acme, world.cedar, world.sola)
    take(world, *(usage(chance, chance.choice(companies), number) for number in range(60)))
    before = sides(world)
    for card, seller in ((world.rhea_card.id, world.rhea), (world.wholesale.id, world.twin)):
        corrected(seller.scope, prices=NewPrices(card, tuple(a_rate(chance) for _ in range(4))))
    assert sides(world) != before

    for card, seller, text in ((world.rhea_card.id, world.rhea, "0.02"), (world.wholesale.id, world.twin, "0.01")):
        first = [price(text, since=instant_text(DAY.start - timedelta(days=3)), meter=meter) for meter in METERS]
        again = [
            price(
                text,
                since=instant_text(DAY.start + timedelta(hours=hour)),
                meter=meter,
                **({"country": c} if c else {}),
            )
            for meter in METERS
            for hour in range(-30, 24)
            for c in COUNTRIES
        ]
        corrected(seller.scope, prices=NewPrices(card, (*first, *again)))

    assert sides(world) == before
    assert rows("select coalesce(sum(amount), 0) from metering_correction") == [(0,)]
    assert differences() == []


class Killed(BaseException):
    """As if the process had been ended there."""


WRITES = ("next_batch", "_copy_corrections", "copy_journal")


@pytest.mark.parametrize("where", WRITES)
def test_a_step_killed_between_any_two_writes_loses_and_doubles_nothing(
    world: World, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.metering.actions.recharging.EVENTS_A_STEP", 4)
    take(
        world, *(event(company, f"a{n}", quantity=n) for company in (world.acme.id, world.cedar.id) for n in range(10))
    )
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))
    run = actions.ask_rerating(world.rhea.scope, period=DAY)
    actions.count_preview(run.id)
    actions.decide_rerating(world.rhea.scope, rerating_id=run.id, reason="r")
    original = getattr(recharging, where)
    calls = 0

    def dying(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        done = original(*args, **named)
        if calls % 2 == 0:
            raise Killed
        return done

    monkeypatch.setattr(recharging, where, dying)
    for _ in range(40):
        try:
            if actions.carry_out(run.id):
                break
        except Killed:
            assert differences() == []
    assert queries.rerating(world.rhea.scope, run.id).state == "done"
    monkeypatch.setattr(recharging, where, original)
    assert [row[5] for row in cells(world, "rhea")] == [45 * 50_000_000] * 2
    assert rows("select kind, count(*) from metering_correction group by kind order by kind") == [
        ("rerated", 20),
        ("reversal", 20),
    ]
    figures = queries.rerating(world.rhea.scope, run.id).figures
    assert figures is not None
    assert (figures.looked_at, figures.changed(0)) == (20, 20)
    assert differences() == []


class Beside:
    """Threads that go on with some work until the block ends; what went wrong in them is in `failures`."""

    def __init__(self, *works: Any) -> None:
        self._works = works
        self._going = threading.Event()
        self.failures: list[str] = []

    def __enter__(self) -> Beside:
        self._going.set()
        self._threads = [threading.Thread(target=self._run, args=(work,)) for work in self._works]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._going.clear()
        for thread in self._threads:
            thread.join(30)

    def _run(self, work: Any) -> None:
        try:
            # A pause, so that usage does not grow faster than corrections go over it.
            while self._going.is_set():
                work()
                time.sleep(0.02)
        except Exception:  # noqa: BLE001 - told by the test itself
            self.failures.append(traceback.format_exc())
        finally:
            connections.close_all()


def test_usage_folding_late_prices_and_corrections_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.metering.actions.recharging.EVENTS_A_STEP", 40)
    late = pricing.create_rate_card(world.rhea.scope, name="Late")
    actions.assign_rate_card(world.rhea.scope, buyer_id=world.birch.id, card_id=late.id, effective_from=BEGINNING)
    companies = (world.acme, world.birch, world.cedar, world.sola)
    chance, other = random.Random(7), random.Random(8)
    taken = [usage(chance, chance.choice(companies), number) for number in range(120)]
    take(world, *taken)

    def ingest() -> None:
        new = [usage(other, other.choice(companies), len(taken) + number) for number in range(5)]
        assert take(world, *new).accepted == 5
        taken.extend(new)

    def look() -> None:
        queries.cells_in(world.rhea.scope, Period(DAY.start, NOON))

    jobs = (actions.fold, actions.price_everything_pending, actions.continue_reratings)
    with Beside(ingest, look, *jobs) as beside:
        for number in range(4):
            rates = tuple(a_rate(chance) for _ in range(3))
            corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, rates))
            corrected(world.twin.scope, prices=NewPrices(world.wholesale.id, (a_rate(chance),)))
            if number == 1:
                both = [price("0.05"), price("0.001", meter="call.outgoing")]
                actions.publish_rates(world.rhea.scope, card_id=late.id, rates=both)
            assert differences() == []
    assert beside.failures == []
    actions.price_everything_pending()
    assert as_found(world) == as_rated_now(taken, world)
    actions.fold()
    assert differences() == []


def test_a_correction_stands_in_the_commit_order_behind_slow_batches(world: World) -> None:
    take(world, event(world.acme.id, "a"))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))
    run = actions.ask_rerating(world.rhea.scope, period=DAY)
    actions.count_preview(run.id)
    actions.decide_rerating(world.rhea.scope, rerating_id=run.id, reason="r")

    with slow_batches(SHARDS) as slow:
        correcting = Aside(lambda: actions.carry_out(run.id))
        assert not correcting.done.wait(0.5), "a correction was committed past a batch that holds a smaller number"
    assert correcting.is_done()
    ((number,),) = rows("select distinct batch from metering_correction")
    assert number - SHARDS in slow
    assert rows("select events from metering_batch where batch = %s", number) == [(0,)]
