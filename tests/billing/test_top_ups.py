"""A buyer asks for a document by which it pays in advance."""

from __future__ import annotations

import pytest

from tests.billing.ledgers import balance_of
from tests.informing import inform
from tests.world import World, build_world
from twin.billing.actions.top_ups import request_top_up
from twin.billing.errors import BillingInvalid, DetailsMissing
from twin.billing.queries.invoices import invoice
from twin.companies.errors import CompanyNotFound

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    built = build_world()
    for party in (built.twin, built.rhea, built.acme):
        inform(party.id, invoice_name=party.company.name)
    return built


def test_a_request_counts_in_a_series_of_its_own_bears_no_tax_and_changes_no_balance(world: World) -> None:
    made = request_top_up(world.acme.scope, amount_minor=50000)
    assert (made.code, made.kind, made.gross_minor, made.tax_minor) == ("TOP-000001", "top_up", 50000, 0)
    assert (made.seller_name, made.buyer_name) == ("Rhea", "Acme")
    assert balance_of(world.rhea, world.acme) == 0
    assert invoice(world.acme.scope, made.id) == invoice(world.rhea.scope, made.id) == made


def test_a_reseller_asks_its_own_seller(world: World) -> None:
    made = request_top_up(world.rhea.scope, amount_minor=1)
    assert (made.seller_id, made.buyer_id) == (world.twin.id, world.rhea.id)


def test_the_platform_buys_from_nobody(world: World) -> None:
    with pytest.raises(CompanyNotFound):
        request_top_up(world.twin.scope, amount_minor=1)


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
def test_amounts_that_cannot_be_paid_are_refused(world: World, amount: int) -> None:
    with pytest.raises(BillingInvalid):
        request_top_up(world.acme.scope, amount_minor=amount)


def test_missing_details_are_named(world: World) -> None:
    with pytest.raises(DetailsMissing) as refused:
        request_top_up(world.birch.scope, amount_minor=100)
    assert refused.value.seller == ()
    assert {"country", "bank"} <= set(refused.value.buyer)
