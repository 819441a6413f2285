"""Documents in the ledger: sums of zero, balance = payments − invoices, refused when it does not fit."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections

from tests.billing.ledgers import balance_of, issue, owner, state_of
from tests.world import World, build_world
from twin.billing.actions.posting import post_invoice
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def test_an_invoice_is_owed_with_its_tax(world: World) -> None:
    issue(world.rhea, world.acme.id, 1_000, tax=190)
    assert owner("select account, amount_minor from billing_posting order by number") == [
        ("receivable", 1_190),
        ("revenue", -1_000),
        ("tax", -190),
    ]
    assert balance_of(world.rhea, world.acme) == -1_190


def test_a_credit_note_lowers_what_is_open_of_its_invoice(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 1_000, tax=190)
    issue(world.rhea, world.acme.id, -100, tax=-19, kind="credit_note", corrects=invoice)
    assert state_of(invoice) == (1_190, 119, 0)
    assert balance_of(world.rhea, world.acme) == -1_071


def test_a_document_is_posted_once(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 1_000)
    with pytest.raises(DatabaseError):
        post_invoice(world.rhea.scope, invoice)
    assert balance_of(world.rhea, world.acme) == -1_000


def test_requests_for_a_top_up_and_documents_of_nothing_are_not_posted(world: World) -> None:
    issue(world.rhea, world.acme.id, 5_000, kind="top_up")
    issue(world.rhea, world.acme.id, 0)
    assert owner("select count(*) from billing_transaction") == [(0,)]


def test_a_credit_note_with_positive_amounts_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="negative"):
        issue(world.rhea, world.acme.id, 100, kind="credit_note")
    assert owner("select count(*) from billing_transaction") == [(0,)]


def test_an_invoice_below_zero_settles_others(world: World) -> None:
    first = issue(world.rhea, world.acme.id, 300)
    issue(world.rhea, world.acme.id, -500)
    second = issue(world.rhea, world.acme.id, 400)
    assert state_of(first) == (300, 0, 300)
    assert state_of(second) == (400, 0, 200)
    assert balance_of(world.rhea, world.acme) == -200


POSTING = (
    "insert into billing_posting (transaction_id, number, seller_id, buyer_id, account, amount_minor)"
    " select t.id, given.number, t.seller_id, t.buyer_id, given.account, given.amount from billing_transaction t,"
    " (values {}) as given(number, account, amount)"
)
ALLOCATION = (
    "insert into billing_allocation (transaction_id, invoice_id, seller_id, buyer_id, amount_minor)"
    " select t.id, t.invoice_id, t.seller_id, t.buyer_id, 1 from billing_transaction t"
)


@pytest.mark.parametrize(
    "statement",
    [
        POSTING.format("(8, 'cash', 5)"),
        POSTING.format("(8, 'cash', 5), (9, 'receivable', -4)"),
        ALLOCATION,
        "update billing_posting set amount_minor = 1",
        "delete from billing_posting",
        "update billing_transaction set note = 'other'",
        "delete from billing_allocation",
    ],
)
def test_the_ledger_refuses_what_does_not_add_up(world: World, statement: str) -> None:
    issue(world.rhea, world.acme.id, 1_000)
    before = owner("select * from billing_posting"), owner("select * from billing_allocation")
    with (
        pytest.raises(DatabaseError),
        tenant_transaction(world.rhea.id),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(statement)
    assert before == (owner("select * from billing_posting"), owner("select * from billing_allocation"))
