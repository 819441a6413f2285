"""Correcting what is charged: taken back and charged again by the prices of now, never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from tests.metering.test_taking import DAY, cells, event, take
from tests.world import World
from twin.companies.types import Scope
from twin.kernel.money import to_nano
from twin.kernel.period import parse_instant
from twin.metering import actions, queries
from twin.metering.types import NewPrices, Rerating
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database


def price(text: str, since: str = "2026-01-01T00:00:00Z", meter: str = "sms.delivered", **selector: str) -> NewRate:
    return NewRate(meter, selector, to_nano(text), 1, 0, 1, 0, parse_instant(since))


def corrected(world: World, *rates: NewRate, above: Scope | None = None, **asked: Any) -> Rerating:
    """Rhea's correction with new rates on its card, asked, counted, decided and done."""
    prices = NewPrices(world.rhea_card.id, rates) if rates else None
    period = None if rates else DAY
    run = actions.ask_rerating(
        world.rhea.scope, reason="wrong price", period=period, prices=prices, above=above, **asked
    )
    actions.count_preview(run.id)
    actions.decide_rerating(world.rhea.scope, rerating_id=run.id, above=above)
    actions.carry_out(run.id)
    return queries.rerating(world.rhea.scope, run.id)


def rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def corrections() -> list[tuple[Any, ...]]:
    return rows("select kind, seller_id, rate_id, amount from metering_correction order by correction_id")


def test_a_charge_is_taken_back_and_made_again_by_the_new_price(world: World) -> None:
    take(world, event(world.acme.id, "a", quantity=3))
    before = cells(world, "twin")

    run = corrected(world, price("0.05"))

    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 3, 30_000_000, 150_000_000, 0)]
    assert cells(world, "twin") == before
    assert [(kind, seller, amount) for kind, seller, _, amount in corrections()] == [
        ("reversal", world.rhea.id, -60_000_000),
        ("rerated", world.rhea.id, 150_000_000),
    ]
    assert run.state == "done"
    assert run.figures is not None
    assert run.figures.difference(0) == 90_000_000
    assert queries.find_differences().differences == []
