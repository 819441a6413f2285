"""What always holds of statements, in random months of random usage, late usage, found prices and moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connections

from tests.billing.months import at, close, statements_between, use
from tests.world import BEGINNING, Party, World, build_world, rates_for_all
from twin.billing.queries.statements import open_statements
from twin.billing.queries.verifying import differing_statements
from twin.billing.types import Statement
from twin.companies.access import billing_scope
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering import queries as usage
from twin.pricing import actions as pricing
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import NewRate
from twin.reports.queries.after_statements import charged_after_statements

pytestmark = pytest.mark.database

NOW = at("2026-07-10T00:00")
ALL_TIME = Period(at("2026-01-01T00:00"), NOW)
ZONES = ("Africa/Cairo", "America/Havana", "Asia/Kolkata", "Atlantic/Azores", "Europe/Berlin")
METERS = ("sms.sent", "call.outgoing", "push.sent", "chat.bot_message")
Sums = tuple[int, int, int]


class Market:
    """Rhea and a buyer in each zone; one has no prices at first, one moves away, one changes its zone."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.world: World = build_world()
        self.rhea: Party = self.world.rhea
        self.bare = pricing.create_rate_card(self.rhea.scope, name="Bare", default=False).id
        self.buyers = [self._buyer(zone) for zone in ZONES]
        self.metered = pricing.create_rate_card(self.rhea.scope, name="Calls", default=False).id
        metering.publish_rates(self.rhea.scope, card_id=self.metered, rates=_calls())
        for buyer, card in ((self.buyers[0], self.bare), (self.buyers[1], self.metered)):
            metering.assign_rate_card(self.rhea.scope, buyer_id=buyer, card_id=card, effective_from=BEGINNING)
        self.sold = [*self.buyers, self.world.acme.id, self.world.sola.id]

    def _buyer(self, zone: str) -> int:
        return pricing.create_company(
            self.rhea.scope, name=zone, kind="company", time_zone=zone, effective_from=BEGINNING
        ).id

    def use_somewhere(self, first: datetime, last: datetime, events: int) -> None:
        """Usage at random instants, many of them right at the ends of months."""
        edges = [one.period.end for buyer in self.sold for one in statements_between(self.rhea, buyer)]
        for _ in range(events):
            moment = first + (last - first) * self.random.random()
            if edges and self.random.random() < 0.3:
                moment = self.random.choice(edges) + timedelta(microseconds=self.random.choice([-1, 0, 1]))
            user = self.random.choice([*self.buyers, self.world.acme.id, self.world.cedar.id])
            if ALL_TIME.start <= moment < last:
                use(user, moment, meter=self.random.choice(METERS), quantity=self.random.choice([0, 1, 59, 61, 300]))

    def statements(self, buyer: int) -> list[Statement]:
        return [*statements_between(self.rhea, buyer), *open_statements(self.rhea.scope, self.rhea.id, buyer)]


def _calls() -> list[NewRate]:
    """Prices whose amounts and billed quantities are not round."""
    return [replace(rate, per=60, minimum=60, increment=7, setup_fee_nano=3) for rate in rates_for_all(Decimal("0.05"))]


def by_meter(statements: list[Statement]) -> dict[str, Sums]:
    found: dict[str, Counter[str]] = {}
    for one in statements:
        for line in one.lines:
            found.setdefault(line.meter, Counter()).update(count=line.count, quantity=line.quantity, amount=line.amount)
    return {meter: (sums["count"], sums["quantity"], sums["amount"]) for meter, sums in found.items()}


def reported(market: Market, buyer: int, period: Period) -> dict[str, Sums]:
    """What the report says of the buyer in the period: of a sub-reseller the sum of what lies beneath it."""
    users = users_of(market, buyer)
    cells = usage.cells_in(market.rhea.scope, period)
    rows = zip(*(column.tolist() for column in cells.columns()), strict=True)
    return {usage_meter(row[2]): (row[3], row[4], row[6]) for row in rows if row[1] in users and any((row[3], row[6]))}


def users_of(market: Market, buyer: int) -> list[int]:
    return [market.world.cedar.id, market.world.sola.id] if buyer == market.world.sola.id else [buyer]


def usage_meter(number: int) -> str:
    return METER_BY_ID[number].code


@pytest.fixture
def market(request: pytest.FixtureRequest) -> Market:
    return Market(Random(request.param))


SEEDS = pytest.mark.parametrize("market", [1, 2], indirect=True)


@SEEDS
def test_as_of_its_cutoff_a_statement_is_the_report(market: Market) -> None:
    metering.publish_rates(market.rhea.scope, card_id=market.bare, rates=rates_for_all(Decimal("0.07")))
    for month in range(1, 6):
        market.use_somewhere(at(f"2026-0{month}-01T00:00"), at(f"2026-0{month + 1}-02T00:00"), 25)
        close(market.rhea, f"2026-0{month + 1}-03T12:00")
        for buyer in market.sold:
            last = statements_between(market.rhea, buyer)[-1]
            own = replace(last, lines=tuple(line for line in last.lines if line.kind == "usage"))
            assert last.month.month == month
            assert by_meter([own]) == reported(market, buyer, last.period)


@SEEDS
def test_every_charge_stands_in_exactly_one_statement(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.clock.now", lambda: NOW)
    for month in range(1, 7):
        market.use_somewhere(at("2026-01-01T00:00"), at(f"2026-0{month + 1}-01T00:00"), 20)
        if month == 3:
            metering.publish_rates(market.rhea.scope, card_id=market.bare, rates=rates_for_all(Decimal("0.07")))
        close(market.rhea, f"2026-0{month + 1}-03T12:00")
    market.use_somewhere(at("2026-01-01T00:00"), NOW, 40)
    for buyer in market.sold:
        assert by_meter(market.statements(buyer)) == reported(market, buyer, ALL_TIME)
        for one in statements_between(market.rhea, buyer):
            assert seen_by(one) + after(market, one) == sum(
                sums[2] for sums in reported(market, one.buyer_id, one.period).values()
            )


def seen_by(one: Statement) -> int:
    """What it charged for its own month."""
    return sum(line.amount for line in one.lines if line.kind == "usage")


def after(market: Market, one: Statement) -> int:
    """What the report says came or changed after it."""
    users = users_of(market, one.buyer_id)
    found = charged_after_statements(market.rhea.scope, one.period)
    return sum(each.amount for each in found if each.company_id in users)


@SEEDS
def test_closed_statements_are_made_again_to_the_byte(market: Market) -> None:
    for month in (2, 3, 5):
        market.use_somewhere(at("2026-01-01T00:00"), at(f"2026-0{month}-28T00:00"), 20)
        close(market.rhea, f"2026-0{month}-05T00:00")
    metering.publish_rates(market.rhea.scope, card_id=market.bare, rates=rates_for_all(Decimal("0.07")))
    market.use_somewhere(at("2026-01-01T00:00"), NOW, 20)
    number, wrong = differing_statements(billing_scope(market.rhea.id))
    assert (number > 20, wrong) == (True, [])


def test_a_statement_that_was_changed_is_found(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    found = statements_between(world.rhea, world.acme.id)[0]
    with connections["owner"].cursor() as cursor:
        cursor.execute("alter table billing_statement disable trigger billing_statement_closed")
        cursor.execute("update billing_statement set digest = '\\x00' where id = %s", [found.id])
        cursor.execute("alter table billing_statement enable trigger billing_statement_closed")
    assert differing_statements(world.rhea.scope) == (3, [found.id])


@pytest.fixture
def world() -> World:
    return build_world()
