"""Long chains priced late in any order, instants at the ends of time, sums beyond 63 bits."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from tests.metering.test_late_prices import NOON, rate
from tests.metering.test_taking import event, take
from tests.world import BEGINNING, World, key_of
from twin.companies.access import scope_for_key
from twin.companies.types import Scope
from twin.kernel.money import MAX_NANO
from twin.kernel.period import Period, parse_instant
from twin.metering import actions, queries
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database

HALF_HOUR = Period(parse_instant("2026-03-01T11:45:00Z"), parse_instant("2026-03-01T12:15:00Z"))
DAYS = Period(parse_instant("2026-02-27T00:00:00Z"), parse_instant("2026-03-03T00:00:00Z"))


def scope_of(company_id: int) -> Scope:
    scope = scope_for_key(key_of(company_id))
    assert scope is not None
    return scope


def child(parent: Scope, name: str, kind: str = "reseller", since: datetime = BEGINNING) -> Scope:
    made = pricing.create_company(parent, name=name, kind=kind, time_zone="UTC", effective_from=since)
    return scope_of(made.id)


def chain(world: World, depth: int) -> list[Scope]:
    """A company and the sellers above it up to the platform, every edge with an empty card of its own."""
    scopes = [world.twin.scope]
    for number in range(depth):
        scopes.append(child(scopes[-1], f"Level {number}", "reseller" if number < depth - 1 else "company"))
    return scopes[::-1]


def sums(scope: Scope, period: Period) -> list[tuple[int, ...]]:
    """(count, quantity, buy, sell, unrated) of every (company, meter)."""
    found = queries.cells_in(scope, period)
    return list(zip(*(column.tolist() for column in found.columns()[3:]), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_each_seller_of_a_long_chain_waits_for_its_own_two_edges_only(world: World, seed: int) -> None:
    depth = 6
    company, *sellers = chain(world, depth)
    buyers = [company, *sellers]
    cards = []
    for buyer, seller in zip(buyers, sellers, strict=False):
        card = pricing.create_rate_card(seller, name="Late")
        actions.assign_rate_card(seller, buyer_id=buyer.organisation_id, card_id=card.id, effective_from=BEGINNING)
        cards.append(card.id)
    chance = random.Random(seed)
    priced = {pos for pos in range(depth) if chance.random() < 0.3}
    for pos in priced:
        actions.publish_rates(sellers[pos], card_id=cards[pos], rates=[rate(f"0.{pos + 1}")])
    taken = take(
        world, *(event(company.organisation_id, f"e{n}", meter="sms.sent", quantity=2, time=NOON) for n in range(3))
    )
    assert taken.accepted == 3

    def check() -> None:
        for pos, seller in enumerate(sellers):
            price = {at: 200_000_000 * (at + 1) * 3 for at in priced}
            waits = pos not in priced or (pos + 1 < depth and pos + 1 not in priced)
            expected = [(3, 6, price.get(pos + 1, 0), price.get(pos, 0), 3 if waits else 0)]
            assert sums(seller, HALF_HOUR) == expected, (pos, priced)
            assert sums(seller, DAYS) == expected, (pos, priced)
        assert queries.find_differences().differences == []

    check()
    left = [pos for pos in range(depth) if pos not in priced]
    chance.shuffle(left)
    for pos in left:
        assert actions.publish_rates(sellers[pos], card_id=cards[pos], rates=[rate(f"0.{pos + 1}")]).priced == 3
        priced.add(pos)
        check()
        if chance.random() < 0.5:
            actions.fold()
            check()
    trace = queries.trace(world.twin.scope, company_id=company.organisation_id, source="smsc-1", event_id="e0")
    assert sum(charge.amount or 0 for charge in trace.charges) == sum(200_000_000 * (pos + 1) for pos in range(depth))


INSTANTS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000001Z",
    "1582-10-10T12:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "1999-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00Z",
)


def test_instants_before_1970_and_2000_are_kept_to_the_microsecond(world: World) -> None:
    old = child(world.twin.scope, "Old", "company", since=parse_instant("0001-01-01T00:00:00Z"))
    take(world, *(event(old.organisation_id, at, time=at) for at in INSTANTS))

    for folded in (False, True):
        if folded:
            actions.fold()
        for at in INSTANTS:
            start = parse_instant(at)
            period = Period(start, start + timedelta(microseconds=1))
            assert [one[0] for one in sums(world.twin.scope, period)] == [1], at
            assert (
                queries.trace(world.twin.scope, company_id=old.organisation_id, source="smsc-1", event_id=at).event_time
                == start
            )
        everything = Period(parse_instant(INSTANTS[0]), parse_instant("9999-12-31T23:59:59.999999Z"))
        assert [one[0] for one in sums(world.twin.scope, everything)] == [len(INSTANTS)]
        assert queries.find_differences().differences == []


def test_an_instant_before_the_first_year_is_refused(world: World) -> None:
    taken = take(world, event(world.twin.id, "a", time="0001-01-01T00:00:00+05:00"))

    assert taken.accepted == 0
    assert len(taken.rejected) == 1
    assert queries.find_differences().differences == []


def test_sums_beyond_63_bits_stay_exact(world: World) -> None:
    card = pricing.create_rate_card(world.twin.scope, name="Dear")
    actions.assign_rate_card(world.twin.scope, buyer_id=world.echo.id, card_id=card.id, effective_from=BEGINNING)
    dear = NewRate("call.outgoing", {}, MAX_NANO, 1, 0, 1, 0, BEGINNING)
    big = NewRate("sms.sent", {}, 9_223_372, 1, 0, 1, 0, BEGINNING)
    fee = NewRate("sms.delivered", {}, 0, 10**6, 0, 10**12, MAX_NANO, BEGINNING)
    actions.publish_rates(world.twin.scope, card_id=card.id, rates=[dear, big, fee])
    for batch in range(2):
        taken = take(
            world,
            *(event(world.echo.id, f"c{batch}{n}", meter="call.outgoing", quantity=1, time=NOON) for n in range(3)),
            *(event(world.echo.id, f"s{batch}{n}", meter="sms.sent", quantity=10**12, time=NOON) for n in range(3)),
            *(
                event(world.echo.id, f"d{batch}{n}", meter="sms.delivered", quantity=10**12, time=NOON)
                for n in range(3)
            ),
            event(world.echo.id, f"x{batch}", meter="call.outgoing", quantity=2, time=NOON),
        )
        assert (taken.accepted, len(taken.rejected)) == (9, 1)
        for _ in range(2):
            n = 3 * (batch + 1)
            for period in (HALF_HOUR, DAYS):
                assert sorted(sums(world.twin.scope, period)) == sorted(
                    [
                        (n, n * 10**12, 0, n * 9_223_372 * 10**12, 0),
                        (n, n * 10**12, 0, n * MAX_NANO, 0),
                        (n, n, 0, n * MAX_NANO, 0),
                    ]
                )
            assert queries.find_differences().differences == []
            actions.fold()
