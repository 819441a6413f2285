"""Hard case 5: a company moves from one reseller to another within a month.

Left out: allowances and commitments (there are none), open reservations (there are none), the posting that takes a
balance along. That a reversal after the move goes to the former seller is in tests/metering/test_withdrawing.py.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.billing.months import at, close, lines, statements_between, use
from tests.world import World, build_world
from twin.billing.errors import StatementNotFound
from twin.billing.queries.listing import StatementsAsked, statements
from twin.billing.queries.statements import open_statements, statement
from twin.billing.queries.verifying import differing_statements
from twin.metering import actions as metering

pytestmark = pytest.mark.database

CENT = 10_000_000
MOVE = at("2026-03-15T12:34:56")
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def world() -> World:
    """Acme has moved from Rhea to Strand, with usage right before and right at the instant."""
    world = build_world()
    metering.move_company(world.twin.scope, company_id=world.acme.id, parent_id=world.strand.id, effective_from=MOVE)
    use(world.acme.id, MOVE - MICROSECOND, quantity=3)
    use(world.acme.id, MOVE, quantity=5)
    for seller in (world.rhea, world.strand):
        close(seller, "2026-04-03T00:00")
    return world


def test_the_move_ends_one_statement_and_begins_the_other(world: World) -> None:
    before, after = statements_between(world.rhea, world.acme.id)[-1], statements_between(world.strand, world.acme.id)
    assert (before.period.end, before.month.month) == (MOVE, 3)
    assert lines(before) == [("usage", 3, "sms.sent", 1, 3, 6 * CENT)]
    assert [(one.period.start, lines(one)) for one in after] == [(MOVE, [("usage", 3, "sms.sent", 1, 5, 10 * CENT)])]


def test_late_usage_goes_to_the_seller_of_its_time(world: World) -> None:
    use(world.acme.id, "2026-03-15T12:00", quantity=7)
    for seller in (world.rhea, world.strand):
        close(seller, "2026-05-03T00:00")
    late = statements_between(world.rhea, world.acme.id)[-1]
    assert lines(late) == [("late", 3, "sms.sent", 1, 7, 14 * CENT)]
    assert (late.month.month, late.period.start) == (4, MOVE)
    assert statements_between(world.strand, world.acme.id)[-1].lines == ()
    assert differing_statements(world.rhea.scope)[1] == []


def test_a_buyer_that_left_gets_no_empty_statements(world: World) -> None:
    number = len(statements_between(world.rhea, world.acme.id))
    close(world.rhea, "2026-09-03T00:00")
    assert len(statements_between(world.rhea, world.acme.id)) == number
    use(world.acme.id, "2026-03-01T00:00")
    close(world.rhea, "2026-09-04T00:00")
    last = statements_between(world.rhea, world.acme.id)[-1]
    assert (last.month.month, lines(last)) == (8, [("late", 3, "sms.sent", 1, 1, 2 * CENT)])
    # Once is enough.
    close(world.rhea, "2026-10-04T00:00")
    assert len(statements_between(world.rhea, world.acme.id)) == number + 1


def test_each_seller_reads_its_own_and_the_company_both(world: World) -> None:
    old = statements_between(world.rhea, world.acme.id)[-1].id or 0
    new = statements_between(world.strand, world.acme.id)[-1].id or 0
    assert statement(world.rhea.scope, old).id == old
    assert statement(world.strand.scope, new).id == new
    for scope, foreign in ((world.rhea.scope, new), (world.strand.scope, old)):
        with pytest.raises(StatementNotFound):
            statement(scope, foreign)
    mine = statements(world.acme.scope, StatementsAsked(side="received", sort="month"))
    assert {one.id for one in mine.items} >= {old, new}
    assert open_statements(world.rhea.scope, world.strand.id, world.acme.id) == []


def test_a_company_that_comes_back_goes_on_where_it_was(world: World) -> None:
    back = at("2026-06-10T00:00")
    metering.move_company(world.twin.scope, company_id=world.acme.id, parent_id=world.rhea.id, effective_from=back)
    use(world.acme.id, back, quantity=2)
    use(world.acme.id, "2026-03-14T00:00", quantity=4)
    close(world.rhea, "2026-07-03T00:00")
    last = statements_between(world.rhea, world.acme.id)[-1]
    assert last.period.start == back
    assert lines(last) == [("usage", 6, "sms.sent", 1, 2, 4 * CENT), ("late", 3, "sms.sent", 1, 4, 8 * CENT)]
