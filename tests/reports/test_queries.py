"""The report over real usage, prices and moves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from tests.world import World, build_world
from twin.companies.access import report_scope
from twin.companies.types import Scope
from twin.kernel.errors import Forbidden, NotFound
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.reports.errors import ReportQueryInvalid
from twin.reports.queries import reseller_companies
from twin.reports.types import MeterFigures, ReportQuery, ResellerReport, Row

pytestmark = pytest.mark.database

MARCH = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
MIDNIGHT = MARCH.start
TICK = timedelta(microseconds=1)
CENT = 10**7


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def use(world: World, company_id: int, *moments: datetime, meter: str = "sms.delivered", quantity: int = 1) -> None:
    events = [
        {
            "specversion": "1.0",
            "type": "twin.usage",
            "source": "test",
            "id": f"{company_id}-{meter}-{moment.isoformat()}",
            "subject": str(company_id),
            "time": moment.isoformat(),
            "data": {"meter": meter, "quantity": quantity},
        }
        for moment in moments
    ]
    taken = metering.take_events(world.twin.scope, json.dumps(events).encode(), batch=True)
    assert taken.accepted == len(moments)


def ask(scope: Scope, period: Period = MARCH) -> ResellerReport:
    return reseller_companies(scope, ReportQuery(period=period))


def messages(report: ResellerReport) -> dict[str, Row]:
    return {row.company_name: row for row in report.sections["messaging"].rows}


def test_a_reseller_sees_what_its_companies_used_and_both_prices(world: World) -> None:
    use(world, world.acme.id, MIDNIGHT, quantity=2)
    rows = messages(ask(world.rhea.scope))
    assert rows["Acme"].meters["sms.delivered"] == MeterFigures(count=1, quantity=2, buy=2 * CENT, sell=4 * CENT)
    assert rows["Acme"].margin == 2 * CENT
    assert set(rows) == {"Acme", "Birch", "Sola", "Cedar"}


def test_usage_under_a_sub_reseller_costs_what_the_sub_reseller_owes(world: World) -> None:
    use(world, world.cedar.id, MIDNIGHT)
    above, below = messages(ask(world.rhea.scope)), messages(ask(world.sola.scope))
    assert (above["Cedar"].path, above["Cedar"].total_buy, above["Cedar"].total_sell) == (("Sola",), CENT, 2 * CENT)
    assert (below["Cedar"].path, below["Cedar"].total_buy, below["Cedar"].total_sell) == ((), 2 * CENT, 3 * CENT)
    assert above["Sola"].total_sell == 0


def test_the_platform_buys_from_nobody(world: World) -> None:
    use(world, world.cedar.id, MIDNIGHT)
    row = messages(ask(world.twin.scope))["Cedar"]
    assert (row.path, row.total_buy, row.total_sell) == (("Rhea", "Sola"), 0, CENT)


def test_a_resellers_own_usage_stands_in_its_sellers_report_only(world: World) -> None:
    use(world, world.sola.id, MIDNIGHT)
    assert messages(ask(world.rhea.scope))["Sola"].total_sell == 2 * CENT
    assert ask(world.sola.scope).sections["messaging"].totals.total_sell == 0


def test_the_period_includes_its_first_instant_and_not_its_last(world: World) -> None:
    use(world, world.acme.id, MIDNIGHT - TICK, MIDNIGHT, MARCH.end - TICK, MARCH.end)
    assert messages(ask(world.rhea.scope))["Acme"].meters["sms.delivered"].count == 2


def test_a_company_that_moved_away_stays_with_its_usage_up_to_that_instant(world: World) -> None:
    moved_at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    metering.move_company(
        world.twin.scope, company_id=world.acme.id, parent_id=world.strand.id, effective_from=moved_at
    )
    use(world, world.acme.id, moved_at - TICK, moved_at, moved_at + TICK)
    assert messages(ask(world.rhea.scope))["Acme"].meters["sms.delivered"].count == 1
    assert messages(ask(world.strand.scope))["Acme"].meters["sms.delivered"].count == 2
    later = Period(moved_at, MARCH.end)
    assert "Acme" not in messages(ask(world.rhea.scope, later))


def test_strangers_companies_are_not_in_the_report(world: World) -> None:
    use(world, world.dune.id, MIDNIGHT)
    assert "Dune" not in messages(ask(world.rhea.scope))


def test_a_company_has_no_such_report(world: World) -> None:
    with pytest.raises(NotFound):
        reseller_companies(world.acme.scope, ReportQuery(period=MARCH))


def test_a_report_of_another_than_the_scopes_organisation_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        reseller_companies(world.rhea.scope, ReportQuery(period=MARCH, reseller_id=world.strand.id))
    named = report_scope(world.twin.scope, world.rhea.id)
    assert reseller_companies(named, ReportQuery(period=MARCH, reseller_id=world.rhea.id)).reseller.name == "Rhea"


def test_the_right_to_read_reports_is_needed(world: World) -> None:
    keys = world.rhea.scope
    blind = Scope(keys.organisation_id, keys.kind, frozenset({"companies:read"}))
    with pytest.raises(Forbidden):
        ask(blind)


def test_a_wrong_question_is_refused_before_anything_is_read(world: World) -> None:
    with pytest.raises(ReportQueryInvalid):
        reseller_companies(world.rhea.scope, ReportQuery(period=MARCH, sort="nonsense"))


def test_the_number_of_queries_does_not_grow_with_the_companies(world: World) -> None:
    use(world, world.acme.id, MIDNIGHT)
    use(world, world.cedar.id, MIDNIGHT + timedelta(minutes=7))
    counts = []
    for scope in (world.sola.scope, world.twin.scope):
        with CaptureQueriesContext(connections["default"]) as asked:
            ask(scope)
        counts.append(len(asked))
    assert counts[0] == counts[1]
