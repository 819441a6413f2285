"""Corrections are written where the last ones were put, and found by the one index that stays near them."""

from __future__ import annotations

import pytest

from tests.metering.test_rerating import corrected, differences, price, record_beneath_charges, rows
from tests.metering.test_taking import DAY, event, take
from tests.world import World
from twin.kernel.period import instant_text

pytestmark = pytest.mark.database


def test_rows_stand_in_the_order_of_time_each_reversal_before_its_new_charge(world: World) -> None:
    """Given usage that came in any order, when it is charged again, then its rows follow its time."""
    hours = (7, 3, 11, 5)
    at = {f"e{hour}": DAY.start.replace(hour=hour) for hour in hours}
    take(world, *(event(world.acme.id, key, time=instant_text(time), quantity=1) for key, time in at.items()))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))

    corrected(world.rhea.scope, period=DAY)

    assert rows(
        "select extract(hour from event_time at time zone 'UTC')::int, kind"
        " from metering_correction order by correction_id"
    ) == [(hour, kind) for hour in (3, 5, 7, 11) for kind in ("reversal", "rerated")]
    assert differences() == []


def test_a_correction_pays_for_three_indexes(world: World) -> None:
    """Every further one, above all by key alone, costs a run of millions more than reading costs without it."""
    del world
    assert rows(
        "select indexname, substring(indexdef from 'USING (.*)$') from pg_indexes"
        " where tablename = 'metering_correction' order by 1"
    ) == [
        ("metering_correction_batch", "brin (batch int8_minmax_multi_ops) WITH (pages_per_range='16')"),
        ("metering_correction_buyer", "btree (buyer_id, event_time) WHERE (pos > 0)"),
        ("metering_correction_seller", "btree (seller_id, event_time, key)"),
    ]
