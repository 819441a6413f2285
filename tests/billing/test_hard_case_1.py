"""Hard case 1: usage arrives after its statement is final; each side of the chain decides by itself.

Left out: holding for a decision by age ("older than N periods"); the threshold is an amount.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.billing.factories import line
from tests.billing.months import at, close, lines, statements_between, use
from tests.world import World, build_world, key_of, rates_for_all
from twin.billing.actions.deciding import decide_late
from twin.billing.actions.settings import save_settings
from twin.billing.queries.settings import settings_of
from twin.billing.queries.statements import statement
from twin.billing.rules.statements import held_by
from twin.billing.types import Settings
from twin.companies.access import billing_scope, scope_for_key
from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering.queries import cells_in
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database

CENT = 10_000_000
EARLY = at("2025-01-01T00:00")


@pytest.fixture
def world() -> World:
    return build_world()


def an_old_pair(world: World) -> tuple[int, int]:
    """A reseller and a company since 2025; the platform charges 0.01, the reseller 0.02."""
    common: dict[str, Any] = {"time_zone": "UTC", "effective_from": EARLY}
    seller = pricing.create_company(world.twin.scope, name="Olde", kind="reseller", **common).id
    buyer = pricing.create_company(world.twin.scope, name="Newt", kind="company", parent_id=seller, **common).id
    for scope, price, payer in ((world.twin.scope, "0.01", seller), (_prices(seller), "0.02", buyer)):
        card = pricing.create_rate_card(scope, name="Since 2025", default=False).id
        rates = [replace(rate, effective_from=EARLY) for rate in rates_for_all(Decimal(price))]
        metering.publish_rates(scope, card_id=card, rates=rates)
        metering.assign_rate_card(scope, buyer_id=payer, card_id=card, effective_from=EARLY)
    return seller, buyer


def _prices(seller: int) -> Scope:
    found = scope_for_key(key_of(seller))
    assert found is not None
    return found


def test_late_events_of_an_hour_a_period_and_thirteen_periods(world: World) -> None:
    seller, buyer = an_old_pair(world)
    save_settings(world.twin.scope, settings=Settings(grace=timedelta(days=20)))
    own = replace(world.rhea, scope=billing_scope(seller), company=replace(world.rhea.company, id=seller))
    use(buyer, "2025-09-15T00:00")
    use(buyer, "2026-10-15T00:00")
    close(own, "2026-11-03T00:00")
    close(world.twin, "2026-11-03T00:00")
    # The company's October is closed; what the reseller owes for its own October is not.
    assert statements_between(own, buyer)[-1].month.isoformat() == "2026-10-01"
    assert statements_between(world.twin, seller)[-1].month.isoformat() == "2026-09-01"
    for moment in ("2026-10-31T23:00", "2026-09-15T00:00", "2025-09-20T00:00"):
        use(buyer, moment)
    close(own, "2026-12-03T00:00")
    close(world.twin, "2026-11-25T00:00")
    assert [
        (one.kind, one.month.isoformat(), one.count, one.amount) for one in statements_between(own, buyer)[-1].lines
    ] == [
        ("late", "2025-09-01", 1, 2 * CENT),
        ("late", "2026-09-01", 1, 2 * CENT),
        ("late", "2026-10-01", 1, 2 * CENT),
    ]
    october = statements_between(world.twin, seller)[-1]
    assert [(one.kind, one.month.isoformat(), one.count, one.amount) for one in october.lines] == [
        ("usage", "2026-10-01", 2, 2 * CENT),
        ("late", "2025-09-01", 1, CENT),
        ("late", "2026-09-01", 1, CENT),
    ]
    # Both views add up to the same: by event time, and by statement.
    cells = cells_in(billing_scope(seller), Period(EARLY, at("2026-12-01T00:00")))
    sold = sum(one.amount or 0 for one in statements_between(own, buyer))
    bought = sum(one.amount or 0 for one in statements_between(world.twin, seller))
    assert (int(cells.sell.sum()), int(cells.buy.sum())) == (sold, bought) == (10 * CENT, 5 * CENT)


def test_late_usage_above_the_threshold_waits_for_a_decision(world: World) -> None:
    save_settings(world.rhea.scope, settings=replace(settings_of(world.rhea.scope), late_threshold_minor=5))
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, "2026-01-20T12:00", quantity=3)
    assert close(world.rhea, "2026-03-02T00:00").late == 1
    held = statements_between(world.rhea, world.acme.id)[1]
    assert (held.state, held.held) == ("closing", "late")
    assert lines(statement(world.acme.scope, held.id or 0)) == [("late", 1, "sms.sent", 1, 3, 6 * CENT)]
    decide_late(world.rhea.scope, held.id or 0, policy="write_off", now=at("2026-03-03T00:00"))
    closed = statements_between(world.rhea, world.acme.id)[1]
    assert (closed.state, closed.late_policy, closed.amount) == ("closed", "write_off", 6 * CENT)


def test_a_little_late_usage_asks_nobody(world: World) -> None:
    save_settings(world.rhea.scope, settings=replace(settings_of(world.rhea.scope), late_threshold_minor=6))
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, "2026-01-20T12:00", quantity=3)
    assert close(world.rhea, "2026-03-02T00:00").late == 0


def test_what_one_month_gains_is_not_set_off_against_what_another_loses() -> None:
    """Each month follows the policy by itself, so each counts."""
    late = [line("5", kind="late", month=date(2026, 1, 1)), line("-5", kind="late", month=date(2026, 2, 1))]
    asked: dict[str, Any] = {"currency": "EUR", "unrated": 0, "is_signed_off": False, "decided": None}
    assert held_by(late, threshold_minor=999, **asked) == "late"
    assert held_by(late, threshold_minor=1_000, **asked) == ""
    # What a correction took back and what it charged instead are one change.
    corrected = [line("-5", kind="late", rate_id=1), line("5.10", kind="late", rate_id=2), line("70")]
    assert held_by(corrected, threshold_minor=9, **asked) == "late"
    assert held_by(corrected, threshold_minor=10, **asked) == ""
