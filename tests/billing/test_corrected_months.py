"""A correction that is being done stands on one statement as a whole: closing waits for it or sees nothing of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.billing.months import at, close, lines, statements_between, use
from tests.metering.test_rerating import corrected, price
from tests.world import Party, World, build_world
from twin.billing.actions import closing
from twin.billing.actions.closing import Closing
from twin.billing.actions.deciding import sign_off
from twin.billing.queries.verifying import differing_statements
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering.types import NewAssignment, NewPrices, Rerating
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database

CENT = 10_000_000
JANUARY = Period(at("2026-01-01T00:00"), at("2026-02-01T00:00"))
FIVE = (price("0.05", meter="sms.sent"),)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """January of Acme, Birch and Cedar; corrections take a step for each event."""
    monkeypatch.setattr("twin.metering.actions.recharging.EVENTS_A_STEP", 1)
    world = build_world()
    for company in (world.acme, world.birch, world.cedar):
        use(company.id, "2026-01-10T12:00", quantity=10, times=2)
    return world


def half_done(seller: Party, **asked: Any) -> Rerating:
    """A correction that is decided and has done its first step."""
    run = metering.ask_rerating(seller.scope, **asked)
    metering.count_preview(run.id)
    metering.decide_rerating(seller.scope, rerating_id=run.id, reason="agreed", above=asked.get("above"))
    assert not metering.carry_out(run.id, at_most=1)
    return run


def test_a_month_waits_until_a_correction_of_its_charges_is_done(world: World) -> None:
    run = half_done(world.rhea, prices=NewPrices(world.rhea_card.id, FIVE))
    assert close(world.rhea, "2026-02-03T00:00") == Closing(correcting=3)
    assert close(world.twin, "2026-02-03T00:00").closed == 3, "what Rhea pays is not corrected"
    assert metering.carry_out(run.id)
    assert close(world.rhea, "2026-02-03T00:00") == Closing(closed=3)
    for buyer, count in ((world.acme, 2), (world.birch, 2), (world.sola, 2)):
        [january] = statements_between(world.rhea, buyer.id)
        assert lines(january) == [("usage", 1, "sms.sent", count, 20, 100 * CENT)]


def test_a_correction_for_one_buyer_holds_up_nobody_else(world: World) -> None:
    half_done(world.rhea, buyer_id=world.acme.id, period=JANUARY)
    assert close(world.rhea, "2026-02-03T00:00") == Closing(closed=2, correcting=1)


def test_a_correction_of_later_usage_holds_up_nobody(world: World) -> None:
    use(world.acme.id, "2026-02-01T12:00", times=2)
    late = (price("0.05", meter="sms.sent", since="2026-02-01T00:00:00Z"),)
    half_done(world.rhea, prices=NewPrices(world.rhea_card.id, late))
    assert close(world.rhea, "2026-02-03T00:00") == Closing(closed=3)


def test_a_correction_of_both_edges_holds_up_both_sellers_with_what_it_changes(world: World) -> None:
    half_done(world.rhea, period=JANUARY, above=world.twin.scope)
    # Rhea waits; Strand and Echo do not.
    assert close(world.twin, "2026-02-03T00:00") == Closing(closed=2, correcting=1)


def test_a_correction_decided_meanwhile_stands_on_the_next_statement_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = closing.prepare

    def prepare_then_correct(*arguments: Any) -> Any:
        prepared = prepare(*arguments)
        corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, FIVE))
        return prepared

    with monkeypatch.context() as patched:
        patched.setattr(closing, "prepare", prepare_then_correct)
        close(world.rhea, "2026-02-03T00:00")
    close(world.rhea, "2026-03-03T00:00")
    january, february = statements_between(world.rhea, world.acme.id)
    assert lines(january) == [("usage", 1, "sms.sent", 2, 20, 40 * CENT)]
    assert lines(february) == [
        ("late", 1, "sms.sent", -2, -20, -40 * CENT),
        ("late", 1, "sms.sent", 2, 20, 100 * CENT),
    ]
    assert differing_statements(world.rhea.scope) == (6, [])


def test_a_correction_that_takes_the_price_away_holds_the_statement_it_stands_on(world: World) -> None:
    close(world.rhea, "2026-02-03T00:00")
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare").id
    corrected(world.rhea.scope, assignment=NewAssignment(world.acme.id, bare, at("2026-01-05T00:00")))
    assert close(world.rhea, "2026-03-03T00:00") == Closing(closed=2, unrated=1)
    held = statements_between(world.rhea, world.acme.id)[1]
    sign_off(world.rhea.scope, held.id or 0, reason="given for nothing", now=at("2026-03-03T00:00"))
    assert lines(statements_between(world.rhea, world.acme.id)[1]) == [("late", 1, "sms.sent", -2, -20, -40 * CENT)]
    # It was said once: the months after it are not asked about.
    assert close(world.rhea, "2026-04-03T00:00") == Closing(closed=3)
