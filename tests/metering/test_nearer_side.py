"""Read from the nearer side or row by row, a period holds the same, in books, journals and what waits."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from tests.metering.test_rerating import corrected, price
from tests.metering.test_taking import DAY, event, take
from tests.world import World
from twin.kernel.period import Period, instant_text
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions, queries
from twin.metering.queries.cells import _rows
from twin.metering.rules.cells import Cells, summed
from twin.metering.types import NewPrices

pytestmark = pytest.mark.database

DAYS = 3
METERS = ("sms.sent", "sms.delivered", "email.sent")


def told(cells: Cells) -> list[list[int]]:
    return [column.tolist() for column in cells.columns()[1:]]


def row_by_row(world: World, period: Period) -> Cells:
    with tenant_transaction(world.rhea.id), connection.cursor() as cursor:
        return summed(_rows(cursor, world.rhea.id, period))


def somewhere(chance: random.Random) -> datetime:
    """Whole hours, their halves, places beside them, and anywhere."""
    hour = DAY.start + timedelta(hours=chance.randrange(DAYS * 24))
    beside = chance.choice((0, 1, 1_800_000_000, 1_799_999_999, 1_800_000_001, 3_599_999_999))
    return hour + timedelta(microseconds=chance.choice((beside, chance.randrange(3_600_000_000))))


def use(world: World, chance: random.Random, name: str, number: int) -> None:
    companies = (world.acme, world.birch, world.cedar)
    take(
        world,
        *(
            event(
                chance.choice(companies).id,
                f"{name}-{n}",
                time=instant_text(somewhere(chance)),
                meter=chance.choice(METERS),
                quantity=chance.randrange(9),
            )
            for n in range(number)
        ),
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_period_holds_what_its_rows_hold(world: World, seed: int) -> None:
    chance = random.Random(seed)
    take(world, event(world.acme.id, "gone", quantity=5))
    use(world, chance, "booked", 300)
    actions.fold()
    use(world, chance, "waiting", 12)
    actions.fold()
    corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, (price("0.007"),)))
    actions.withdraw_event(world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="gone", reason="r")
    use(world, chance, "journal", 40)

    for _ in range(60):
        start, end = sorted((somewhere(chance), somewhere(chance)))
        if start < end:
            period = Period(start, end)
            assert told(queries.cells_in(world.rhea.scope, period)) == told(row_by_row(world, period)), period


@pytest.mark.parametrize("seed", range(4))
def test_neighbours_of_a_series_share_no_instant(world: World, seed: int) -> None:
    chance = random.Random(100 + seed)
    use(world, chance, "booked", 300)
    actions.fold()
    use(world, chance, "journal", 40)
    bounds = sorted({somewhere(chance) for _ in range(12)})
    periods = [Period(start, end) for start, end in pairwise(bounds)]

    found = queries.cells_by(world.rhea.scope, periods)

    assert [told(cells) for cells in found] == [told(row_by_row(world, period)) for period in periods]


@pytest.mark.parametrize("view", ["metering_sold", "metering_sold_event", "metering_billable"])
def test_a_seller_reads_the_index_for_its_own_chains_alone(world: World, view: str) -> None:
    use(world, random.Random(1), "some", 50)
    with tenant_transaction(world.rhea.id), connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "hashjoin"):
            cursor.execute(f"set local enable_{other} = off")
        cursor.execute(
            f"explain (costs off) select count(*) from {view} where event_time >= %s and event_time < %s",
            [DAY.start, DAY.end],
        )
        plan = " ".join(" ".join(line.split()) for (line,) in cursor.fetchall())
    (condition,) = re.findall(r"metering_event_chain_time on metering_event e Index Cond: (.*?event_time)", plan)
    assert "chain_id = ANY" in condition


def test_days_of_another_zone_are_days_less_some_hours(world: World) -> None:
    """Half an hour beside the books of UTC, as in Kolkata."""
    chance = random.Random(7)
    use(world, chance, "booked", 300)
    actions.fold()
    starts = [DAY.start + timedelta(days=day, hours=18, minutes=30) for day in range(-1, DAYS)]
    periods = [Period(start, start + timedelta(days=1)) for start in starts]

    found = queries.cells_by(world.rhea.scope, periods)

    assert [told(cells) for cells in found] == [told(row_by_row(world, period)) for period in periods]
    assert sum(int(cells.count.sum()) for cells in found) == int(
        queries.cells_in(world.rhea.scope, Period(starts[0], periods[-1].end)).count.sum()
    )
