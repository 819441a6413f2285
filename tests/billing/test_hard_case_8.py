"""Hard case 8: clocks of producers are wrong; statements go by the time of the usage, to the microsecond.

Refusals (+4:59, +5:01, second 60, no offset) are in tests/flows/test_usage_refusals.py. Left out: an alert with the
estimated skew of a producer, and contracts by which the gateway's time decides.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.billing.months import at, close, statements_between, use
from tests.world import World, build_world

pytestmark = pytest.mark.database

END = at("2026-01-31T23:00")
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def world() -> World:
    return build_world()


def test_the_last_microsecond_belongs_to_the_month_and_the_next_does_not(world: World) -> None:
    for moment in (END - MICROSECOND, END, END, END + MICROSECOND):
        use(world.acme.id, moment)
    close(world.rhea, "2026-03-02T00:00")
    assert [one.lines[0].count for one in statements_between(world.rhea, world.acme.id)] == [1, 3]


def test_a_producer_an_hour_wrong_is_found_in_the_month_it_named(world: World) -> None:
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, END - timedelta(hours=1))
    close(world.rhea, "2026-03-02T00:00")
    (line,) = statements_between(world.rhea, world.acme.id)[1].lines
    assert (line.kind, line.month.month) == ("late", 1)
