"""A line of a statement leads to the charges it adds up, as of its cutoff, for both parties."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.billing.months import at, close, statements_between, use
from tests.world import World, build_world
from twin.billing.errors import StatementNotFound
from twin.billing.queries.drilling import charges_of
from twin.billing.queries.listing import StatementsAsked, open_months, statements
from twin.billing.queries.statements import statement
from twin.billing.types import Statement, StatementLine
from twin.companies.types import Scope
from twin.metering.queries.billable_events import BillableCharge

pytestmark = pytest.mark.database
CENT = 10_000_000


@pytest.fixture
def world() -> World:
    return build_world()


def everything(scope: Scope, found: Statement, line: StatementLine, limit: int) -> list[BillableCharge]:
    page = charges_of(scope, found, line, limit=limit)
    items = list(page.items)
    while page.following is not None:
        page = charges_of(scope, found, line, after=page.following, limit=limit)
        items += page.items
    return items


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_the_charges_of_a_line_add_up_to_it(world: World, limit: int) -> None:
    use(world.acme.id, "2026-01-10T12:00", times=3)
    use(world.acme.id, "2026-01-20T12:00", quantity=2)
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, "2026-01-21T12:00", quantity=5)
    use(world.acme.id, "2026-02-21T12:00", quantity=7)
    close(world.rhea, "2026-03-02T00:00")
    use(world.acme.id, "2026-01-22T12:00", quantity=100)
    for found in statements_between(world.rhea, world.acme.id):
        for line in found.lines:
            for scope in (world.rhea.scope, world.acme.scope):
                charges = everything(scope, found, line, limit)
                sums = (len(charges), sum(one.quantity for one in charges), sum(one.amount for one in charges))
                assert sums == (line.count, line.quantity, line.amount)
                assert [one.event_time for one in charges] == sorted(one.event_time for one in charges)


def test_a_sub_resellers_statement_leads_to_usage_beneath_it(world: World) -> None:
    use(world.cedar.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    (found,) = statements_between(world.rhea, world.sola.id)
    (charge,) = charges_of(world.sola.scope, found, found.lines[0]).items
    assert (charge.company_id, charge.amount) == (world.cedar.id, 2 * CENT)


def test_strangers_find_neither_statement_nor_charges(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    (found,) = statements_between(world.rhea, world.acme.id)
    for scope in (world.twin.scope, world.birch.scope, world.strand.scope, world.cedar.scope):
        with pytest.raises(StatementNotFound):
            statement(scope, found.id or 0)
        with pytest.raises(StatementNotFound):
            charges_of(scope, found, found.lines[0])


def test_lists_show_each_side_its_own(world: World) -> None:
    for user in (world.acme, world.birch, world.cedar):
        use(user.id, "2026-01-10T12:00", quantity=user.id)
    close(world.twin, "2026-02-02T00:00")
    close(world.rhea, "2026-02-02T00:00")
    issued = statements(world.rhea.scope, StatementsAsked(sort="name"))
    assert [one.buyer for one in issued.items] == ["Acme", "Birch", "Sola"]
    assert (issued.total, issued.counts) == (3, {"all": 3, "closed": 3, "waiting": 0})
    received = statements(world.rhea.scope, StatementsAsked(side="received"))
    assert [(one.seller_id, one.buyer_id) for one in received.items] == [(world.twin.id, world.rhea.id)]
    assert [one.buyer for one in statements(world.rhea.scope, StatementsAsked(search="cM")).items] == ["Acme"]
    assert statements(world.rhea.scope, StatementsAsked(search="\0")).total == 0
    assert statements(world.rhea.scope, StatementsAsked(search="%")).total == 0


def test_open_months_are_what_no_statement_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.clock.now", lambda: at("2026-02-20T00:00"))
    use(world.acme.id, "2026-01-10T12:00")
    close(world.rhea, "2026-02-02T00:00")
    use(world.acme.id, "2026-01-10T13:00", quantity=3)
    use(world.acme.id, "2026-02-10T13:00", quantity=4)
    found = {one.following.buyer.name: Decimal(one.amount) / 10**9 for one in open_months(world.rhea.scope).items}
    assert found == {"Acme": Decimal("0.14"), "Birch": 0, "Sola": 0}
    assert [one.following.buyer.name for one in open_months(world.rhea.scope, search="bir").items] == ["Birch"]
