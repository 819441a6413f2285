"""Overview, drill-down and the usage of one company equal brute force, for random worlds, periods and zones."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tests.flows.driver import Twins
from tests.flows.oracle import SECTIONS, Cell, Event, Oracle, Rate
from tests.flows.worlds import World
from twin.companies import access
from twin.kernel.errors import NotFound
from twin.kernel.money import to_nano
from twin.kernel.period import Period
from twin.metering.types import EdgeCharge, EventLine, RateTerms
from twin.reports import queries as reports
from twin.reports.types import EventFilter, OverviewQuery, Sums, UsageQuery

EXAMPLES = int(os.environ.get("TWIN_ORACLE_EXAMPLES", "12"))
MOST_TO_DO = 100
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe")
NEVER = datetime.min.replace(tzinfo=UTC)
Terms = tuple[int, int, int, int, int]

pytestmark = [pytest.mark.database, pytest.mark.timeout(60 + 12 * EXAMPLES)]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    derandomize="TWIN_ORACLE_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(seed=st.integers(0, 2**32), companies=st.integers(2, 10), steps=st.integers(4, 20))
def test_whatever_is_told_of_one_company_or_step_equals_the_oracle(
    empty_database: Callable[[], None], seed: int, companies: int, steps: int
) -> None:
    note(f"seed={seed} companies={companies} steps={steps}")
    empty_database()
    world = World(Twins(), seed, companies)
    for _ in range(steps):
        world.step(40)
    world.send_batch(40)
    if world.prices_come_late:
        world.price_everything()
    periods = [Period(*world.any_period()) for _ in range(2)] + [Period(world.start, world.end)]
    for period in periods:
        check_period(world, period, world.random.choice(ZONES))


def check_period(world: World, period: Period, zone: str) -> None:
    twins = world.twins
    for seller in world.random.sample(world.resellers, min(3, len(world.resellers))):
        check_overview(twins, seller, period, zone)
        beneath = sorted(twins.oracle.dependents(seller, period.start, period.end))
        for company in world.random.sample(beneath, min(2, len(beneath))):
            check_company(twins, seller, company, period, zone, world.random)
    for company in world.random.sample(world.companies, min(3, len(world.companies))):
        check_usage(twins, company, period, zone)


def events_in(oracle: Oracle, period: Period, meters: Iterable[str] = ()) -> Iterator[Event]:
    wanted = set(meters)
    for event in oracle.events.values():
        if period.start <= event.time < period.end and (not wanted or event.meter in wanted):
            yield event


def sums_of(oracle: Oracle, seller: int, events: Iterable[Event]) -> Sums:
    whole = Cell()
    for event in events:
        cell = oracle._seen_by(seller, event)
        if cell is not None:
            whole.add(cell)
    return Sums(whole.count, whole.sell, whole.buy, whole.unrated)


def check_overview(twins: Twins, seller: int, period: Period, zone: str) -> None:
    oracle = twins.oracle
    made = reports.overview(twins.scope(seller), OverviewQuery(period=period, time_zone=zone))
    assert made.now == sums_of(oracle, seller, events_in(oracle, period))
    assert made.before == sums_of(oracle, seller, events_in(oracle, made.previous))
    bounds = [point.period.start for point in made.points] + [made.points[-1].period.end]
    assert (bounds[0], bounds[-1]) == (period.start, period.end)
    assert all(one.period.end == other.period.start for one, other in zip(made.points, made.points[1:], strict=False))
    for point in made.points:
        for code, meters in SECTIONS.items():
            events = events_in(oracle, point.period, meters)
            assert point.services[code] == sums_of(oracle, seller, events), (point.period, code)
    for shown in made.biggest:
        own = [event for event in events_in(oracle, period) if event.company == shown.company_id]
        assert shown.now == sums_of(oracle, seller, own)
    # An event that lacks both sides is two things to do.
    assert len(made.unrated) == MOST_TO_DO or sum(one.count for one in made.unrated) >= made.now.unrated


def check_company(twins: Twins, seller: int, company: int, period: Period, zone: str, random: Random) -> None:
    query = OverviewQuery(period=period, time_zone=zone)
    scope, oracle = twins.scope(seller), twins.oracle
    for code in random.sample(sorted(SECTIONS), 2):
        meters = SECTIONS[code]
        used = [
            event
            for event in events_in(oracle, period, meters)
            if event.company == company and seller in oracle.chain(company, event.time)
        ]
        days = reports.company_days(scope, query, company, code)
        for row in days.rows:
            events = [event for event in used if event.time in row.period]
            found = Sums(sum(cell.count for cell in row.meters.values()), row.total_sell, row.total_buy, row.unrated)
            assert found == sums_of(oracle, seller, events)
        check_rates(twins, seller, company, query, code, used)
        check_events(twins, seller, company, query, code, used)


def side(oracle: Oracle, event: Event, seller: int, *, selling: bool) -> tuple[Terms | None, int]:
    """Terms and amount of one side of the seller; terms of None: no price or nobody there."""
    edge = next((one for one in oracle.edges(event) if seller == (one.seller if selling else one.buyer)), None)
    if edge is None:
        return None, 0
    rate = oracle.winner(edge.seller, edge.buyer, event)
    return (terms_of(rate) if rate else None), edge.amount or 0


def terms_of(rate: Rate) -> Terms:
    return (to_nano(rate.unit_price), rate.per, rate.minimum, rate.increment, to_nano(rate.setup_fee))


def shown_terms(rate: RateTerms | None) -> Terms | None:
    if rate is None:
        return None
    terms = rate.terms
    return (terms.unit_price_nano, terms.per, terms.minimum, terms.increment, terms.setup_fee_nano)


def billed(terms: Terms | None, quantity: int) -> int:
    return Rate("", "0", NEVER, minimum=terms[2], increment=terms[3]).billed(quantity) if terms else 0


def check_rates(twins: Twins, seller: int, company: int, query: OverviewQuery, code: str, used: list[Event]) -> None:
    expected: Counter[tuple[Any, ...]] = Counter()
    for event in used:
        sell_terms, sell = side(twins.oracle, event, seller, selling=True)
        buy_terms, buy = side(twins.oracle, event, seller, selling=False)
        figures = {
            "count": 1,
            "quantity": event.quantity,
            "sell_billed": billed(sell_terms, event.quantity),
            "sell": sell,
            "buy_billed": billed(buy_terms, event.quantity),
            "buy": buy,
        }
        for name, figure in figures.items():
            expected[event.meter, sell_terms, buy_terms, name] += figure
    made = reports.company_rates(twins.scope(seller), query, company, code)
    found: Counter[tuple[Any, ...]] = Counter()
    for group in made.rows:
        for name in ("count", "quantity", "sell_billed", "sell", "buy_billed", "buy"):
            key = (group.meter, shown_terms(group.sell_rate), shown_terms(group.buy_rate), name)
            found[key] += getattr(group, name)
        which = EventFilter(
            meter=group.meter,
            sell_rate=group.sell_rate.rate_id if group.sell_rate else 0,
            buy_rate=(group.buy_rate.rate_id if group.buy_rate else 0) if group.has_buying_side else None,
            attributes=group.attributes,
        )
        page = reports.company_events(twins.scope(seller), query, company, code, which=which, limit=1000)
        assert (len(page.events), sum(event.sell.amount for event in page.events)) == (group.count, group.sell), group
    assert +found == +expected
    assert made.totals == sums_of(twins.oracle, seller, used)


def check_events(twins: Twins, seller: int, company: int, query: OverviewQuery, code: str, used: list[Event]) -> None:
    scope, oracle = twins.scope(seller), twins.oracle
    lines: list[EventLine] = []
    cursor = None
    while True:
        page = reports.company_events(scope, query, company, code, limit=7, cursor=cursor)
        lines += page.events
        cursor = page.next_cursor
        if cursor is None:
            break
    assert [line.event_time for line in lines] == sorted((event.time for event in used), reverse=True)
    shown = {(line.source, line.id): line for line in lines}
    assert shown.keys() == {(event.source, event.key) for event in used}
    for event in used:
        line = shown[event.source, event.key]
        assert (line.meter, line.quantity, dict(line.attributes)) == (
            event.meter,
            event.quantity,
            dict(event.attributes),
        )
        assert_side(line.sell, side(oracle, event, seller, selling=True), event.quantity)
        assert (line.buy is None) == (seller == oracle.platform)
        if line.buy is not None:
            assert_side(line.buy, side(oracle, event, seller, selling=False), event.quantity)


def assert_side(charge: EdgeCharge, expected: tuple[Terms | None, int], quantity: int) -> None:
    terms, amount = expected
    assert (shown_terms(charge.rate), charge.amount, charge.billed) == (terms, amount, billed(terms, quantity))


def check_usage(twins: Twins, company: int, period: Period, zone: str) -> None:
    oracle = twins.oracle
    whole = usage_cells(oracle, company, period, sellers=None)
    own = access.usage_scope(twins.scope(company), None)
    from_above = access.usage_scope(twins.scope(oracle.platform), company)
    for scope in (own, from_above):
        made = reports.company_usage(scope, UsageQuery(period=period, company_id=company, time_zone=zone))
        found = {
            meter: (figures.count, figures.quantity, figures.sell)
            for section in made.sections.values()
            for meter, figures in section.meters.items()
            if figures.count
        }
        assert found == {meter: (cell.count, cell.quantity, cell.sell) for meter, cell in whole.items()}
        assert made.unrated == sum(cell.unrated for cell in whole.values())
        assert made.total_sell == sum(cell.sell for cell in whole.values())
        assert sum(point.sell for point in made.points) == made.total_sell
        before = usage_cells(oracle, company, made.previous, sellers=None)
        assert made.total_before == sum(cell.sell for cell in before.values())
    check_seller_asks(twins, company, period)


def check_seller_asks(twins: Twins, company: int, period: Period) -> None:
    """The present direct seller sees what it sold itself, everybody else but the platform nothing."""
    oracle = twins.oracle
    for seller, kind in oracle.kinds.items():
        if kind != "reseller" or seller == company:
            continue
        if oracle.parents[company][-1][1] != seller:
            with pytest.raises(NotFound):
                access.usage_scope(twins.scope(seller), company)
            continue
        scope = access.usage_scope(twins.scope(seller), company)
        made = reports.company_usage(scope, UsageQuery(period=period, company_id=company))
        sold = usage_cells(oracle, company, period, sellers={seller})
        assert made.total_sell == sum(cell.sell for cell in sold.values())
        assert made.unrated == sum(cell.unrated for cell in sold.values())


def usage_cells(oracle: Oracle, company: int, period: Period, *, sellers: set[int] | None) -> dict[str, Cell]:
    """What the company owes its direct sellers, or those of them, by meter."""
    found: dict[str, Cell] = {}
    for event in events_in(oracle, period):
        if event.company != company:
            continue
        edge = oracle.edges(event)[0]
        if sellers is None or edge.seller in sellers:
            cell = Cell(1, event.quantity, 0, edge.amount or 0, int(edge.amount is None))
            found.setdefault(event.meter, Cell()).add(cell)
    return found
