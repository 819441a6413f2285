"""Folding changes where totals stand and never what they say, however much waits beside the books."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connections

from tests.metering.test_taking import DAY, cells, event, take
from tests.world import World
from twin.kernel.period import Period, instant_text
from twin.metering import actions, queries
from twin.metering.actions import folding
from twin.metering.rules.cells import Cells
from twin.pricing.meters import METER_BY_ID

pytestmark = pytest.mark.database

METERS = ("sms.sent", "sms.delivered", "email.sent")
HOUR_BOOKS, DAY_BOOKS, WAITING = 1, 2, 3
NEVER = 10**6


def kept(seller: int) -> dict[int, int]:
    """How many cells each kind of book of the seller holds."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("select level, sum(cells) from metering_book where seller_id = %s group by level", [seller])
        return dict(cursor.fetchall())


def test_a_fold_step_holds_few_cells_and_goes_on_to_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_CELLS_A_STEP", 3)
    for number in range(4):
        take(
            world, *(event(world.acme.id, f"{number}-{hour}", time=f"2026-03-01T{hour:02}:00:00Z") for hour in range(5))
        )
    before = cells(world, "rhea")

    assert actions.fold([world.rhea.id]) == 4
    assert cells(world, "rhea") == before
    assert queries.find_differences().differences == []


@pytest.mark.parametrize("worth_a_day", [1, NEVER])
def test_books_are_written_a_few_at_a_time_to_the_same_sums(
    world: World, monkeypatch: pytest.MonkeyPatch, worth_a_day: int
) -> None:
    monkeypatch.setattr(folding, "_CELLS_A_STEP", 1)
    monkeypatch.setattr(folding, "_WORTH_A_DAY", worth_a_day)
    for turn in ("first", "again"):
        take(world, *(event(world.acme.id, f"{turn}-{n}", time=f"2026-03-0{n + 1}T0{n}:30:00Z") for n in range(5)))
        actions.fold()

    assert queries.find_differences().differences == []


def test_few_cells_wait_beside_the_books_of_their_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_WORTH_A_DAY", 1)
    monkeypatch.setattr(folding, "_SHARE_OF_A_DAY", 6)
    companies = (world.acme, world.birch)
    take(world, *(event(party.id, f"{meter}-{party.id}", meter=meter) for party in companies for meter in METERS))
    actions.fold()
    assert kept(world.rhea.id) == {HOUR_BOOKS: 6, DAY_BOOKS: 6}

    for turn in ("few", "few again"):
        take(world, event(world.acme.id, turn))
        before = cells(world, "rhea")
        actions.fold()
        assert kept(world.rhea.id) == {HOUR_BOOKS: 6, DAY_BOOKS: 6, WAITING: 1}
        assert (cells(world, "rhea"), queries.find_differences().differences) == (before, [])

    take(world, event(world.birch.id, "one more", time="2026-03-01T23:00:00Z"))
    before = cells(world, "rhea")
    actions.fold()
    assert kept(world.rhea.id) == {HOUR_BOOKS: 7, DAY_BOOKS: 6}
    assert (cells(world, "rhea"), queries.find_differences().differences) == (before, [])


def test_only_the_days_that_have_enough_are_written_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_WORTH_A_DAY", 2)
    take(world, *(event(world.acme.id, meter, meter=meter) for meter in METERS))
    take(world, event(world.acme.id, "alone", time="2026-03-02T00:00:00Z"))
    actions.fold()

    assert kept(world.rhea.id) == {HOUR_BOOKS: 3, DAY_BOOKS: 3, WAITING: 1}
    assert queries.find_differences().differences == []


def test_what_is_taken_back_while_it_waits_leaves_no_row(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_WORTH_A_DAY", NEVER)
    take(world, event(world.acme.id, "wrong"))
    actions.fold()
    assert kept(world.rhea.id) == {WAITING: 1}

    actions.withdraw_event(
        world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="wrong", reason="never happened"
    )
    actions.fold()

    assert kept(world.rhea.id) == {}
    assert queries.find_differences().differences == []


@pytest.mark.parametrize(("worth_a_day", "share"), [(1, 1), (4, 3), (NEVER, 8)])
def test_any_period_adds_up_whatever_waits(
    world: World, monkeypatch: pytest.MonkeyPatch, worth_a_day: int, share: int
) -> None:
    """Counted by hand, for one period and for a series, with bounds on hours, days and between."""
    monkeypatch.setattr(folding, "_WORTH_A_DAY", worth_a_day)
    monkeypatch.setattr(folding, "_SHARE_OF_A_DAY", share)
    chance = random.Random(worth_a_day)
    taken: list[dict[str, Any]] = []
    for turn in range(6):
        new = [_usage(world, chance, f"{turn}-{number}") for number in range(25)]
        take(world, *new)
        taken += new
        if turn % 3:
            actions.fold()

        bounds = sorted(_instant(chance) for _ in range(6))
        periods = [Period(*pair) for pair in pairwise(bounds) if pair[0] < pair[1]]
        wanted = [_counted(taken, period) for period in periods]
        assert [_totals(queries.cells_in(world.rhea.scope, period)) for period in periods] == wanted
        assert [_totals(part) for part in queries.cells_by(world.rhea.scope, periods)] == wanted
        assert queries.find_differences().differences == []


def _usage(world: World, chance: random.Random, event_id: str) -> dict[str, Any]:
    party = chance.choice((world.acme, world.birch, world.cedar))
    at, meter = _instant(chance), chance.choice(METERS)
    return event(party.id, event_id, time=instant_text(at), meter=meter, quantity=chance.randrange(1, 9))


def _instant(chance: random.Random) -> datetime:
    """Within three days; half of them on the hour."""
    at = DAY.start + timedelta(seconds=chance.randrange(72 * 3600))
    return at.replace(minute=0, second=0) if chance.random() < 0.5 else at


def _counted(taken: list[dict[str, Any]], period: Period) -> Counter[tuple[int, str]]:
    """By company and meter; what Cedar uses of Sola counts for Rhea above it."""
    found: Counter[tuple[int, str]] = Counter()
    for one in taken:
        if period.start <= datetime.fromisoformat(one["time"]) < period.end:
            found[int(one["subject"]), one["data"]["meter"]] += one["data"]["quantity"]
    return found


def _totals(found: Cells) -> Counter[tuple[int, str]]:
    columns = (found.company, found.meter, found.quantity)
    return Counter(
        {
            (company, METER_BY_ID[meter].code): quantity
            for company, meter, quantity in zip(*(column.tolist() for column in columns), strict=True)
        }
    )
