"""Payments, refunds and what undoes them; two people at once; strangers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from tests.billing.ledgers import balance_of, issue, owner, state_of
from tests.companies.factories import a_key
from tests.world import World, build_world
from twin.billing.actions.payments import record_payment, record_refund, reverse
from twin.billing.errors import (
    AccountNotFound,
    BillingInvalid,
    InvoiceNotFound,
    PaymentKnown,
    PaymentSpent,
    TransactionNotFound,
)
from twin.companies.access import scope_for_key
from twin.companies.errors import PermissionMissing
from twin.kernel import clock
from twin.kernel.errors import TwinError
from twin.metering import actions as metering

pytestmark = pytest.mark.database

PAID_AT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def pay(world: World, amount: int, **given: Any) -> int:
    return record_payment(
        world.rhea.scope, buyer_id=world.acme.id, amount_minor=amount, at=given.pop("at", PAID_AT), **given
    )


def test_a_payment_settles_the_invoices_that_are_due_first(world: World) -> None:
    late = issue(world.rhea, world.acme.id, 500, due_on=date(2026, 5, 1))
    early = issue(world.rhea, world.acme.id, 300, due_on=date(2026, 4, 1))

    pay(world, 400)

    assert state_of(early) == (300, 0, 300)
    assert state_of(late) == (500, 0, 100)
    assert balance_of(world.rhea, world.acme) == -400


def test_a_payment_settles_first_what_it_names(world: World) -> None:
    issue(world.rhea, world.acme.id, 300, due_on=date(2026, 4, 1))
    late = issue(world.rhea, world.acme.id, 500, due_on=date(2026, 5, 1))

    pay(world, 400, invoices=[late.id])

    assert state_of(late) == (500, 0, 400)


def test_what_is_paid_too_much_waits_and_settles_the_next_invoice(world: World) -> None:
    first = issue(world.rhea, world.acme.id, 300)
    pay(world, 1_000)
    second = issue(world.rhea, world.acme.id, 500)

    assert state_of(first) == (300, 0, 300)
    assert state_of(second) == (500, 0, 500)
    assert balance_of(world.rhea, world.acme) == 200


def test_a_payment_for_a_top_up_is_money_on_account_and_names_it(world: World) -> None:
    request = issue(world.rhea, world.acme.id, 5_000, kind="top_up")

    number = pay(world, 5_000, invoices=[request.id])

    assert owner("select invoice_id from billing_transaction where id = %s", number) == [(request.id,)]
    assert owner("select count(*) from billing_allocation") == [(0,)]
    assert balance_of(world.rhea, world.acme) == 5_000


def test_credit_on_a_paid_invoice_becomes_money_for_the_others(world: World) -> None:
    paid = issue(world.rhea, world.acme.id, 1_000, due_on=date(2026, 4, 1))
    pay(world, 1_000)
    other = issue(world.rhea, world.acme.id, 200, due_on=date(2026, 5, 1))

    issue(world.rhea, world.acme.id, -300, kind="credit_note", corrects=paid)

    assert state_of(paid) == (1_000, 300, 700)
    assert state_of(other) == (200, 0, 200)
    assert balance_of(world.rhea, world.acme) == 100


def test_a_reversed_payment_leaves_the_invoice_open(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 1_000)
    number = pay(world, 1_500)

    reverse(world.rhea.scope, number, reason="bounced")

    assert state_of(invoice) == (1_000, 0, 0)
    assert balance_of(world.rhea, world.acme) == -1_000
    with pytest.raises(PaymentSpent):
        reverse(world.rhea.scope, number, reason="again")
    assert balance_of(world.rhea, world.acme) == -1_000


def test_after_a_reversal_the_same_payment_may_be_recorded_again(world: World) -> None:
    reverse(world.rhea.scope, pay(world, 700, reference="R1"), reason="wrong company")
    pay(world, 700, reference="R1")
    assert balance_of(world.rhea, world.acme) == 700


def test_a_refund_gives_back_at_most_what_is_on_account(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 600)
    number = pay(world, 1_000)
    with pytest.raises(PaymentSpent, match=r"4\.00 EUR"):
        record_refund(world.rhea.scope, buyer_id=world.acme.id, amount_minor=401, at=PAID_AT)

    record_refund(world.rhea.scope, buyer_id=world.acme.id, amount_minor=400, at=PAID_AT)

    assert balance_of(world.rhea, world.acme) == -0
    assert state_of(invoice) == (600, 0, 600)
    with pytest.raises(PaymentSpent, match="refund first"):
        reverse(world.rhea.scope, number, reason="bounced")


def test_a_payment_by_mistake_is_given_back_whole(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 600)
    number = pay(world, 1_000)

    refund = record_refund(world.rhea.scope, buyer_id=world.acme.id, amount_minor=1_000, at=PAID_AT, payment_id=number)

    assert state_of(invoice) == (600, 0, 0)
    assert balance_of(world.rhea, world.acme) == -600
    reverse(world.rhea.scope, refund, reason="it stayed")
    assert state_of(invoice) == (600, 0, 600)
    assert balance_of(world.rhea, world.acme) == 400


def test_the_same_payment_is_told_apart_from_a_second_one(world: World) -> None:
    pay(world, 700, reference="R1", by="Ada")
    with pytest.raises(PaymentKnown) as told:
        pay(world, 700, reference="R1", at=PAID_AT + timedelta(hours=5))
    assert told.value.by == "Ada"
    pay(world, 700, reference="R1", again=True)
    pay(world, 700, reference="R2")
    pay(world, 701, reference="R1")
    pay(world, 700, reference="R1", at=PAID_AT + timedelta(days=1))
    assert balance_of(world.rhea, world.acme) == 3_501


@pytest.mark.parametrize(
    "given",
    [
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 10**15 + 1},
        {"at": datetime(2099, 1, 1, tzinfo=UTC)},
        {"reference": "x" * 141},
        {"reference": "a\0b"},
        {"note": "x" * 501},
    ],
)
def test_what_cannot_be_is_refused(world: World, given: dict[str, Any]) -> None:
    asked = {"amount_minor": 100, "at": PAID_AT, **given}
    with pytest.raises(BillingInvalid):
        record_payment(world.rhea.scope, buyer_id=world.acme.id, **asked)
    assert owner("select count(*) from billing_transaction") == [(0,)]


def test_strangers_find_no_account(world: World) -> None:
    number = pay(world, 700)
    own = issue(world.strand, world.dune.id, 100)
    tries: list[Callable[[], object]] = [
        lambda: record_payment(world.strand.scope, buyer_id=world.acme.id, amount_minor=1, at=PAID_AT),
        lambda: record_payment(world.twin.scope, buyer_id=world.acme.id, amount_minor=1, at=PAID_AT),
        lambda: record_payment(world.acme.scope, buyer_id=world.acme.id, amount_minor=1, at=PAID_AT),
        lambda: record_payment(world.acme.scope, buyer_id=world.rhea.id, amount_minor=1, at=PAID_AT),
        lambda: record_payment(world.rhea.scope, buyer_id=2**40, amount_minor=1, at=PAID_AT),
        lambda: record_refund(world.acme.scope, buyer_id=world.acme.id, amount_minor=1, at=PAID_AT),
        lambda: reverse(world.strand.scope, number, reason="mine"),
        lambda: reverse(world.acme.scope, number, reason="mine"),
        lambda: pay(world, 10, invoices=[own.id], reference="x"),
    ]
    for attempt in tries:
        with pytest.raises((AccountNotFound, TransactionNotFound, InvoiceNotFound)):
            attempt()
    assert owner("select count(*) from billing_transaction") == [(2,)]


def test_a_key_that_only_reads_writes_nothing(world: World) -> None:
    reader = scope_for_key(a_key(world.rhea.id, "billing:read"))
    assert reader is not None
    with pytest.raises(PermissionMissing):
        record_payment(reader, buyer_id=world.acme.id, amount_minor=1, at=PAID_AT)
    with pytest.raises(PermissionMissing):
        reverse(reader, 1, reason="x")


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each returned or raised, run in threads with connections of their own."""

    def run(work: Callable[[], object]) -> object:
        try:
            return work()
        except TwinError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_two_people_record_one_payment_once(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 500)
    told = at_once(*[lambda: pay(world, 700, reference="R1") for _ in range(6)])
    assert sorted(type(one).__name__ for one in told) == ["PaymentKnown"] * 5 + ["int"]
    assert balance_of(world.rhea, world.acme) == 200
    assert state_of(invoice) == (500, 0, 500)


def test_races_never_settle_more_than_is_open(world: World) -> None:
    invoices = [issue(world.rhea, world.acme.id, 100) for _ in range(3)]
    works = [lambda n=n: pay(world, 70, reference=f"R{n}", invoices=[invoices[n % 3].id]) for n in range(8)]
    told = at_once(*works, lambda: issue(world.rhea, world.acme.id, -50, kind="credit_note", corrects=invoices[0]))
    assert not [one for one in told if isinstance(one, Exception)]
    assert balance_of(world.rhea, world.acme) == 560 - 250
    assert [state_of(one)[2] for one in invoices] == [50, 100, 100]


def test_one_reversal_of_many_wins(world: World) -> None:
    number = pay(world, 700)
    told = at_once(*[lambda: reverse(world.rhea.scope, number, reason="bounced") for _ in range(5)])
    assert sorted(type(one).__name__ for one in told) == ["PaymentSpent"] * 4 + ["int"]
    assert balance_of(world.rhea, world.acme) == 0


def test_refunds_at_once_give_back_no_more_than_there_is(world: World) -> None:
    pay(world, 700)
    told = at_once(
        *[
            lambda: record_refund(world.rhea.scope, buyer_id=world.acme.id, amount_minor=300, at=PAID_AT)
            for _ in range(5)
        ]
    )
    assert sorted(type(one).__name__ for one in told) == ["PaymentSpent"] * 3 + ["int"] * 2
    assert balance_of(world.rhea, world.acme) == 100


def test_after_a_move_the_former_seller_still_takes_its_money(world: World) -> None:

    issue(world.rhea, world.birch.id, 500)
    metering.move_company(
        world.twin.scope, company_id=world.birch.id, parent_id=world.strand.id, effective_from=clock.now()
    )
    record_payment(world.rhea.scope, buyer_id=world.birch.id, amount_minor=500, at=PAID_AT)
    assert balance_of(world.rhea, world.birch) == 0
    assert balance_of(world.strand, world.birch) == 0
