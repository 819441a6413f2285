"""Months become statements once; late usage, prices found later and moves find their place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections

from tests.billing.months import at, close, lines, statements_between, use
from tests.world import World, build_world, rates_for_all
from twin.billing.actions.deciding import sign_off
from twin.billing.queries.statements import open_statement, open_statements, statement, unrated_of
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database

CENT = 10_000_000


@pytest.fixture
def world() -> World:
    return build_world()


def test_a_month_becomes_a_statement_of_its_rates(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", times=3)
    use(world.acme.id, "2026-01-31T22:59:59.999999", quantity=5)
    use(world.acme.id, "2026-01-31T23:00", meter="push.sent")
    done = close(world.rhea, "2026-02-02T00:00")
    assert (done.closed, done.unrated, done.late) == (3, 0, 0)
    (january,) = statements_between(world.rhea, world.acme.id)
    # The month of Berlin ends at 23:00 UTC; of January there is no first hour, since Acme began at midnight UTC.
    assert (january.period.start, january.period.end) == (at("2026-01-01T00:00"), at("2026-01-31T23:00"))
    assert lines(january) == [("usage", 1, "sms.sent", 4, 8, 16 * CENT)]
    assert (january.state, january.amount, january.month) == ("closed", 16 * CENT, date(2026, 1, 1))
    (of_open,) = open_statements(world.rhea.scope, world.rhea.id, world.acme.id)[:1]
    assert lines(of_open) == [("usage", 2, "push.sent", 1, 1, 2 * CENT)]


def test_each_seller_closes_its_own_edges(world: World) -> None:
    use(world.cedar.id, "2026-01-10T12:00", quantity=10)
    for seller in (world.twin, world.rhea, world.sola):
        close(seller, "2026-02-02T00:00")
    assert lines(statements_between(world.sola, world.cedar.id)[0]) == [("usage", 1, "sms.sent", 1, 10, 30 * CENT)]
    assert lines(statements_between(world.rhea, world.sola.id)[0]) == [("usage", 1, "sms.sent", 1, 10, 20 * CENT)]
    assert lines(statements_between(world.twin, world.rhea.id)[0]) == [("usage", 1, "sms.sent", 1, 10, 10 * CENT)]


def test_a_month_is_closed_after_its_grace_and_once(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    assert close(world.rhea, "2026-02-01T22:59:59").closed == 0
    assert close(world.rhea, "2026-02-01T23:00").closed == 3
    assert close(world.rhea, "2026-02-01T23:00").closed == 0


def test_months_that_were_left_out_are_closed_in_order(world: World) -> None:
    for month in (1, 2, 3):
        use(world.acme.id, f"2026-0{month}-10T12:00", quantity=month)
    assert close(world.rhea, "2026-04-05T00:00").closed == 9
    found = statements_between(world.rhea, world.acme.id)
    assert [one.amount for one in found] == [2 * CENT, 4 * CENT, 6 * CENT]
    assert [one.period.start for one in found[1:]] == [one.period.end for one in found[:-1]]
    assert [one.since for one in found[1:]] == [one.cutoff for one in found[:-1]]


def test_usage_that_comes_after_the_statement_stands_on_the_next_one_with_its_month(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, "2026-01-20T12:00", quantity=7)
    use(world.acme.id, "2026-02-20T12:00", quantity=2)
    close(world.rhea, "2026-03-02T00:00")
    january, february = statements_between(world.rhea, world.acme.id)
    assert lines(january) == [("usage", 1, "sms.sent", 1, 1, 2 * CENT)]
    assert lines(february) == [("usage", 2, "sms.sent", 1, 2, 4 * CENT), ("late", 1, "sms.sent", 1, 7, 14 * CENT)]


def test_unrated_usage_holds_its_seller_alone(world: World) -> None:
    bare, buyer = _without_prices(world)
    use(buyer, "2026-01-10T12:00")
    assert close(world.rhea, "2026-02-02T00:00").unrated == 1
    assert close(world.twin, "2026-02-02T00:00").unrated == 0
    (held,) = statements_between(world.rhea, buyer)
    assert (held.state, held.held) == ("closing", "unrated")
    assert unrated_of(world.rhea.scope, statement(world.rhea.scope, held.id or 0)) == 1
    _price(world, bare)
    assert close(world.rhea, "2026-02-02T01:00").unrated == 0
    (closed,) = statements_between(world.rhea, buyer)
    assert (closed.id, closed.state, closed.held) == (held.id, "closed", "")
    assert lines(closed) == [("usage", 1, "sms.sent", 1, 1, 5 * CENT)]


def test_a_price_found_after_the_statement_stands_on_the_next_one(world: World) -> None:
    bare, buyer = _without_prices(world)
    use(buyer, "2026-01-10T12:00", quantity=3)
    close(world.rhea, "2026-02-02T00:00")
    (held,) = statements_between(world.rhea, buyer)
    _sign_off(world, held.id or 0)
    (signed,) = statements_between(world.rhea, buyer)
    assert (signed.state, signed.lines, signed.signed_off_reason) == ("closed", (), "Test traffic")
    # What was signed off holds no later month.
    assert close(world.rhea, "2026-03-02T00:00").unrated == 0
    _price(world, bare)
    close(world.rhea, "2026-04-02T00:00")
    assert lines(statements_between(world.rhea, buyer)[2]) == [("late", 1, "sms.sent", 1, 3, 15 * CENT)]


def test_usage_after_a_sign_off_holds_again(world: World) -> None:
    _, buyer = _without_prices(world)
    use(buyer, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    _sign_off(world, statements_between(world.rhea, buyer)[0].id or 0)
    use(buyer, "2026-01-10T13:00")
    assert close(world.rhea, "2026-03-02T00:00").unrated == 1


def test_the_open_month_is_live_for_both_and_for_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    monkeypatch.setattr("twin.kernel.clock.now", lambda: at("2026-01-20T00:00"))
    for scope in (world.rhea.scope, world.acme.scope):
        assert open_statement(scope, world.rhea.id, world.acme.id).amount == 2 * CENT
    for scope in (world.twin.scope, world.birch.scope, world.strand.scope):
        assert open_statements(scope, world.rhea.id, world.acme.id) == []


def _without_prices(world: World) -> tuple[int, int]:
    """A card without rates, and a buyer that pays by it."""
    card = pricing.create_rate_card(world.rhea.scope, name="Bare", default=False)
    buyer = pricing.create_company(
        world.rhea.scope, name="Newt", kind="company", time_zone="Europe/Berlin", effective_from=at("2026-01-01T00:00")
    )
    metering.assign_rate_card(
        world.rhea.scope, buyer_id=buyer.id, card_id=card.id, effective_from=at("2026-01-01T00:00")
    )
    return card.id, buyer.id


def _price(world: World, card: int) -> None:
    metering.publish_rates(world.rhea.scope, card_id=card, rates=rates_for_all(Decimal("0.05")))


def _sign_off(world: World, statement_id: int) -> None:
    sign_off(world.rhea.scope, statement_id, reason="Test traffic", now=at("2026-02-03T00:00"))


@pytest.mark.parametrize("change", ["update billing_statement set amount = 0", "delete from billing_statement"])
def test_a_closed_statement_stays_as_it_is(world: World, change: str) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    with pytest.raises(DatabaseError), connections["owner"].cursor() as cursor:
        cursor.execute(change)
    assert statements_between(world.rhea, world.acme.id)[0].amount == 2 * CENT
