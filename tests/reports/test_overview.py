"""The overview over real usage and prices: comparisons, lists, and what there is to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connections

from tests.world import BEGINNING, World, build_world, rates_for_all
from twin.companies.access import report_scope
from twin.kernel.errors import Forbidden, NotFound
from twin.kernel.money import to_nano
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate
from twin.reports.queries import company_days, company_events, company_rates, overview
from twin.reports.types import Overview, OverviewQuery, Sums

pytestmark = pytest.mark.database

CENT = 10**7
MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
APRIL = Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def use(world: World, company_id: int, moments: Sequence[datetime], quantity: int = 1, **attributes: str) -> None:
    events = [
        {
            "specversion": "1.0",
            "type": "twin.usage",
            "source": "test",
            "id": f"{company_id}-{moment.isoformat()}-{quantity}",
            "subject": str(company_id),
            "time": moment.isoformat(),
            "data": {"meter": "sms.delivered", "quantity": quantity, "attributes": attributes},
        }
        for moment in moments
    ]
    assert metering.take_events(world.twin.scope, json.dumps(events).encode(), batch=True).accepted == len(moments)


def ask(world: World, period: Period = APRIL, zone: str = "UTC") -> Overview:
    return overview(world.rhea.scope, OverviewQuery(period=period, time_zone=zone))


def test_both_periods_the_trend_and_the_lists_say_the_same(world: World) -> None:
    use(world, world.acme.id, [MARCH.start, MARCH.end - timedelta(seconds=1)])
    use(world, world.birch.id, [MARCH.start])
    use(world, world.acme.id, [APRIL.start])
    use(world, world.cedar.id, [APRIL.start + timedelta(days=3)], 5)
    seen = ask(world)
    assert (seen.previous, seen.is_running) == (MARCH, False)
    assert seen.now == Sums(2, 12 * CENT, 6 * CENT, 0)
    assert seen.before == Sums(3, 6 * CENT, 3 * CENT, 0)
    assert seen.now.margin == 6 * CENT
    assert seen.step == "day"
    assert [point.all.sell for point in seen.points if point.all.count] == [2 * CENT, 10 * CENT]
    assert [(one.company_name, one.path, one.now.sell) for one in seen.biggest] == [
        ("Cedar", ("Sola",), 10 * CENT),
        ("Acme", (), 2 * CENT),
    ]
    assert [(one.company_name, one.loss) for one in seen.falling] == [("Acme", 2 * CENT), ("Birch", 2 * CENT)]
    assert (seen.falling_count, seen.company_count) == (2, 4)
    assert seen.services["messaging"] == seen.now
    assert seen.services_before["chat"] == Sums()


def test_a_month_that_runs_is_compared_with_as_much_of_the_month_before(world: World) -> None:
    use(world, world.acme.id, [MARCH.start + timedelta(days=2), MARCH.start + timedelta(days=20)])
    use(world, world.acme.id, [APRIL.start])
    with time_machine.travel(APRIL.start + timedelta(days=10), tick=False):
        seen = ask(world)
    assert seen.is_running
    assert seen.previous == Period(MARCH.start, MARCH.start + timedelta(days=10))
    assert (seen.before.count, seen.falling_count) == (1, 0)


def test_rates_under_cost_name_the_card_its_buyers_and_both_prices(world: World) -> None:
    assert ask(world).under_cost == ()
    cheap = pricing.create_rate_card(world.rhea.scope, name="Cheap")
    metering.publish_rates(world.rhea.scope, card_id=cheap.id, rates=_rates("0.004"))
    assert ask(world).under_cost == ()  # nobody pays by it
    metering.assign_rate_card(
        world.rhea.scope, buyer_id=world.birch.id, card_id=cheap.id, effective_from=datetime(2026, 2, 1, tzinfo=UTC)
    )
    found = {one.meters: one for one in ask(world).under_cost}
    bot = found["bot.message",]
    assert (bot.card_id, bot.card_name, bot.buyer_names, bot.quantity) == (cheap.id, "Cheap", ("Birch",), 1)
    assert (bot.sell, bot.buy) == (to_nano("0.004"), CENT)
    assert overview(world.twin.scope, OverviewQuery(period=APRIL)).under_cost == ()


def _rates(price: str) -> list[NewRate]:
    return [rate for rate in rates_for_all(Decimal(price)) if rate.meter == "bot.message"]


def test_usage_without_a_price_is_to_do_for_whoever_sets_the_price(world: World) -> None:
    bare = pricing.create_company(
        world.twin.scope, name="Bare", kind="reseller", time_zone="UTC", effective_from=BEGINNING
    )
    child = pricing.create_company(
        world.twin.scope, name="Child", kind="company", parent_id=bare.id, time_zone="UTC", effective_from=BEGINNING
    )
    use(world, child.id, [MARCH.start, APRIL.start], country="UZ")
    seen = overview(report_scope(world.twin.scope, bare.id), OverviewQuery(period=APRIL))
    [lacking] = seen.unrated
    assert (lacking.buyer_name, lacking.meter, lacking.count) == ("Child", "sms.delivered", 1)
    assert lacking.is_own_price
    assert (dict(lacking.attributes), lacking.first_at) == ({"country": "UZ"}, APRIL.start)
    assert overview(world.twin.scope, OverviewQuery(period=APRIL)).unrated == ()


def test_strangers_and_companies_have_no_overview(world: World) -> None:
    with pytest.raises(NotFound):
        overview(world.acme.scope, OverviewQuery(period=APRIL))
    with pytest.raises(NotFound):
        overview(world.rhea.scope, OverviewQuery(period=APRIL, reseller_id=world.strand.id))
    reader = type(world.rhea.scope)(world.rhea.id, "reseller", frozenset({"companies:read"}))
    with pytest.raises(Forbidden):
        overview(reader, OverviewQuery(period=APRIL))


def test_the_drill_down_of_a_company_that_is_not_beneath_is_not_found(world: World) -> None:
    query = OverviewQuery(period=APRIL)
    for stranger in (world.dune.id, world.echo.id, world.rhea.id, world.twin.id, 10**9):
        for look in (company_days, company_rates, company_events):
            with pytest.raises(NotFound):
                look(world.rhea.scope, query, stranger, "messaging")


def test_a_seller_never_sees_the_rates_of_edges_below(world: World) -> None:
    use(world, world.cedar.id, [APRIL.start])
    [group] = company_rates(world.rhea.scope, OverviewQuery(period=APRIL), world.cedar.id, "messaging").rows
    assert group.sell_rate is not None
    assert group.buy_rate is not None
    assert (group.sell_rate.terms.unit_price_nano, group.buy_rate.terms.unit_price_nano) == (2 * CENT, CENT)
    [line] = company_events(world.rhea.scope, OverviewQuery(period=APRIL), world.cedar.id, "messaging").events
    assert (line.sell.amount, line.buy.amount if line.buy else None) == (2 * CENT, CENT)
    with tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute("select distinct seller_id from pricing_rate_paid")
        assert cursor.fetchall() == [(world.twin.id,)]
        cursor.execute("select distinct seller_id from metering_sold_event")
        assert cursor.fetchall() == [(world.rhea.id,)]


def test_a_price_found_later_is_told_as_such(world: World) -> None:
    bare = pricing.create_company(
        world.twin.scope, name="Bare", kind="reseller", time_zone="UTC", effective_from=BEGINNING
    )
    child = pricing.create_company(
        world.twin.scope, name="Child", kind="company", parent_id=bare.id, time_zone="UTC", effective_from=BEGINNING
    )
    use(world, child.id, [APRIL.start])
    scope = report_scope(world.twin.scope, bare.id)
    query = OverviewQuery(period=APRIL)
    [before] = company_events(scope, query, child.id, "messaging").events
    assert (before.sell.rate, before.sell.amount, before.sell.is_late) == (None, 0, False)
    card = pricing.create_rate_card(scope, name="Own", default=True)
    metering.publish_rates(scope, card_id=card.id, rates=rates_for_all(Decimal("0.05")))
    metering.assign_rate_card(scope, buyer_id=child.id, card_id=card.id, effective_from=BEGINNING)
    [after] = company_events(scope, query, child.id, "messaging").events
    assert (after.sell.amount, after.sell.is_late, after.sell.billed) == (5 * CENT, True, 1)
    assert after.buy is not None
    assert (after.buy.amount, after.buy.is_late) == (CENT, False)
    [group] = company_rates(scope, query, child.id, "messaging").rows
    assert (group.sell, group.buy, group.is_unrated) == (5 * CENT, CENT, False)


def test_a_cursor_of_another_question_is_refused(world: World) -> None:
    use(world, world.acme.id, [APRIL.start + timedelta(hours=hour) for hour in range(3)])
    query = OverviewQuery(period=APRIL)
    page = company_events(world.rhea.scope, query, world.acme.id, "messaging", limit=2)
    assert (len(page.events), page.next_cursor is None) == (2, False)
    rest = company_events(world.rhea.scope, query, world.acme.id, "messaging", limit=2, cursor=page.next_cursor)
    assert ([line.event_time for line in rest.events], rest.next_cursor) == ([APRIL.start], None)
    for wrong in (page.next_cursor, "nonsense", "", "\N{SNOWMAN}", "A" * 1000):
        with pytest.raises(Exception, match="cursor"):
            company_events(world.rhea.scope, query, world.birch.id, "messaging", cursor=wrong)
