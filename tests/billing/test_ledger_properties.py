"""Whatever is invoiced, credited, paid, given back and reversed, in whatever order: the ledger adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.ledgers import ISSUED_AT, balance_of, issue, owner
from tests.world import World, build_world
from twin.billing.actions.payments import record_payment, record_refund, reverse
from twin.billing.errors import PaymentSpent, TransactionNotFound
from twin.billing.rules.allocating import Part, Share, distribute, take_back
from twin.billing.rules.postings import effect, mirrored, of_document, of_payment, of_refund
from twin.billing.types import Invoice

AMOUNTS = st.integers(-(10**15), 10**15)


@given(AMOUNTS, AMOUNTS)
def test_every_kind_of_posting_adds_up_to_zero(net: int, tax: int) -> None:
    for postings in (of_document(net=net, tax=tax), of_payment(net), of_refund(net)):
        assert sum(amount for _, amount in postings) == 0
        assert sum(amount for _, amount in postings + mirrored(postings)) == 0
        assert effect(mirrored(postings)) == -effect(postings)
    assert effect(of_document(net=net, tax=tax)) == -(net + tax)
    assert effect(of_payment(net)) == net


PARTS = st.lists(st.integers(1, 50), max_size=8)


@given(PARTS, PARTS)
def test_money_settles_never_more_than_is_there_or_open_and_all_it_can(money: list[int], wanted: list[int]) -> None:
    shares = distribute(
        [Part(number, minor) for number, minor in enumerate(money)],
        [Part(number, minor) for number, minor in enumerate(wanted)],
    )
    used = [sum(share.minor for share in shares if share.source == number) for number in range(len(money))]
    paid = [sum(share.minor for share in shares if share.target == number) for number in range(len(wanted))]
    assert all(0 <= share <= there for share, there in zip(used, money, strict=True))
    assert all(0 <= share <= asked for share, asked in zip(paid, wanted, strict=True))
    assert sum(used) == min(sum(money), sum(wanted))
    # The first ones first: behind a place that is not filled nothing is paid.
    assert not any(
        paid[later]
        for place in range(len(paid))
        if paid[place] < wanted[place]
        for later in range(place + 1, len(paid))
    )


@given(PARTS, st.integers(0, 500))
def test_what_is_taken_back_comes_from_the_last_shares(minors: list[int], wanted: int) -> None:
    shares = [Share(1, place, minor) for place, minor in enumerate(minors)]
    freed = take_back(shares, wanted)
    assert -sum(share.minor for share in freed) == min(wanted, sum(minors))
    assert [share.target for share in freed] == list(range(len(minors)))[::-1][: len(freed)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "negative", "credit", "pay", "pay_named", "refund", "refund_named", "reverse"]),
        st.integers(1, 120),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=14,
)


class Story:
    """A model of the books beside the real ones."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.invoices: list[Invoice] = []
        self.left: dict[int, int] = {}  # of each invoice after its credit notes
        self.movements: list[int] = []
        self.balance = 0
        self.numbers: Iterator[int] = count()

    def do(self, what: str, amount: int, pick: int) -> None:
        getattr(self, f"_{what}")(amount, pick)

    def _invoice(self, amount: int, pick: int) -> None:
        made = issue(
            self.world.rhea,
            self.world.acme.id,
            amount,
            tax=amount // 5,
            due_on=date(2026, 4, 1) + timedelta(days=pick),
        )
        self.invoices.append(made)
        self.left[made.id] = made.gross_minor
        self.balance -= made.gross_minor

    def _negative(self, amount: int, _pick: int) -> None:
        self.balance -= issue(self.world.rhea, self.world.acme.id, -amount).gross_minor

    def _credit(self, amount: int, pick: int) -> None:
        if not self.invoices:
            return
        invoice = self.invoices[pick % len(self.invoices)]
        credited = min(amount, self.left[invoice.id])
        if credited:
            issue(self.world.rhea, self.world.acme.id, -credited, kind="credit_note", corrects=invoice)
            self.left[invoice.id] -= credited
            self.balance += credited

    def _pay(self, amount: int, _pick: int, invoices: list[int] | None = None) -> None:
        self.movements.append(
            record_payment(
                self.world.rhea.scope,
                buyer_id=self.world.acme.id,
                amount_minor=amount,
                at=ISSUED_AT + timedelta(days=next(self.numbers)),
                invoices=invoices,
            )
        )
        self.balance += amount

    def _pay_named(self, amount: int, pick: int) -> None:
        self._pay(amount, pick, [self.invoices[pick % len(self.invoices)].id] if self.invoices else None)

    def _refund(self, amount: int, _pick: int, payment_id: int | None = None) -> None:
        before = everything()
        try:
            number = record_refund(
                self.world.rhea.scope,
                buyer_id=self.world.acme.id,
                amount_minor=amount,
                at=ISSUED_AT,
                payment_id=payment_id,
            )
        except (PaymentSpent, TransactionNotFound):
            assert everything() == before
            return
        self.movements.append(number)
        self.balance -= amount

    def _refund_named(self, amount: int, pick: int) -> None:
        if self.movements:
            self._refund(amount, pick, self.movements[pick % len(self.movements)])

    def _reverse(self, _amount: int, pick: int) -> None:
        if not self.movements:
            return
        number = self.movements[pick % len(self.movements)]
        before = everything()
        try:
            reverse(self.world.rhea.scope, number, reason="test")
        except PaymentSpent:
            assert everything() == before
            return
        [(effect_of,)] = owner(
            "select sum(amount_minor) from billing_posting where transaction_id = %s and account = 'receivable'", number
        )
        self.balance += int(effect_of)


def everything() -> list[Any]:
    return [
        owner("select * from billing_transaction order by id"),
        owner("select * from billing_posting order by 1, 2"),
        owner("select * from billing_allocation order by id"),
    ]


def check(story: Story) -> None:
    rhea, acme = story.world.rhea, story.world.acme
    assert owner("select transaction_id from billing_posting group by 1 having sum(amount_minor) <> 0") == []
    assert owner("select coalesce(sum(amount_minor), 0)::int from billing_posting") == [(0,)]
    assert balance_of(rhea, acme) == story.balance
    documents = owner("select coalesce(sum(gross_minor), 0)::int from billing_invoice where kind <> 'top_up'")[0][0]
    cash = owner("select coalesce(sum(amount_minor), 0)::int from billing_posting where account = 'cash'")[0][0]
    assert balance_of(rhea, acme) == cash - documents
    still_open = 0
    for invoice in story.invoices:
        [(paid,)] = owner(
            "select coalesce(sum(amount_minor), 0)::int from billing_allocation where invoice_id = %s", invoice.id
        )
        assert 0 <= paid <= story.left[invoice.id]
        still_open += story.left[invoice.id] - paid
    money = owner(
        """
        select t.id, billing_given(t.id), coalesce(sum(a.amount_minor), 0)::int from billing_transaction t
        left join billing_allocation a on a.transaction_id = t.id group by t.id
        """
    )
    assert all(0 <= used <= max(there, 0) for _, there, used in money)
    on_account = sum(max(there, 0) - used for _, there, used in money)
    assert on_account - still_open == story.balance
    assert on_account == 0 or still_open == 0


@pytest.mark.database
@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_order_of_documents_and_money_adds_up(migrated_database: Any, steps: list[tuple[str, int, int]]) -> None:
    migrated_database.clean()
    story = Story(build_world())
    for what, amount, pick in steps:
        story.do(what, amount, pick)
        check(story)
