"""Documents wait for details of either party and are issued when these are there: by the job and at once."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connections

from tests.billing.factories import closed, line
from tests.informing import inform
from tests.world import World, build_world
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.actions.resuming import AFTER_DETAILS, issue_after_details, issue_waiting, look_again_soon
from twin.billing.queries.invoices import InvoicesAsked, invoices
from twin.billing.queries.waiting import unissued_sellers

pytestmark = pytest.mark.database

FEBRUARY = date(2026, 2, 1)


@pytest.fixture
def world() -> World:
    """Acme waits with two months, Birch with one, Rhea itself with what it buys."""
    built = build_world()
    inform(built.twin.id)
    for seller, buyer, month in (
        (built.rhea, built.acme, date(2026, 1, 1)),
        (built.rhea, built.acme, FEBRUARY),
        (built.rhea, built.birch, FEBRUARY),
        (built.twin, built.rhea, FEBRUARY),
    ):
        assert issue_for_statement(seller.scope, closed(seller.scope, buyer.id, [line("1")], month=month)) is None
    return built


def issued(world: World, name: str) -> list[tuple[int, date | None]]:
    found = invoices(getattr(world, name).scope, InvoicesAsked(side="issued", sort="number")).items
    return [(one.buyer_id, one.month) for one in found]


def test_nothing_is_issued_while_details_are_missing(world: World) -> None:
    assert issue_waiting(world.rhea.scope) == 0
    assert issue_waiting(world.twin.scope) == 0


def test_what_is_complete_is_issued_in_the_order_of_the_months_and_the_rest_waits_on(world: World) -> None:
    inform(world.rhea.id)
    inform(world.acme.id)
    assert issue_waiting(world.rhea.scope) == 2
    assert issued(world, "rhea") == [(world.acme.id, date(2026, 1, 1)), (world.acme.id, FEBRUARY)]
    assert issue_waiting(world.rhea.scope) == 0


def test_who_completes_its_details_frees_what_it_buys_and_what_it_sells(world: World) -> None:
    inform(world.acme.id)
    assert issue_after_details(world.acme.id) == 0
    inform(world.rhea.id)
    assert unissued_sellers(world.rhea.scope) == [world.twin.id]
    assert issue_after_details(world.rhea.id) == 3
    assert issued(world, "twin") == [(world.rhea.id, FEBRUARY)]
    assert [buyer for buyer, _ in issued(world, "rhea")] == [world.acme.id] * 2


def test_the_job_is_asked_for_with_the_company(world: World) -> None:
    look_again_soon(world.acme.id)
    with connections["owner"].cursor() as cursor:
        cursor.execute("select args from procrastinate_jobs where task_name = %s", [AFTER_DETAILS])
        assert "company_id" in str(cursor.fetchone())
