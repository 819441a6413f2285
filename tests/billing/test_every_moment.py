"""Usage, prices, places and money in any order: at every moment a balance is postings and open charges.

Usage on time and late, corrections of prices, events taken back, moves between sellers, other time zones, months
closed, money paid and credited, in a random order; after each step all of it is counted again from the rows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest

from tests.billing.factories import bill_with
from tests.billing.ledgers import owner
from tests.billing.months import at, close, statements_between, use
from tests.billing.test_balance import charged
from tests.billing.test_statement_properties import Sums, by_meter, usage_meter
from tests.informing import inform
from tests.metering.test_rerating import corrected, differences, price
from tests.world import Party, build_world
from twin.billing.actions.crediting import credit
from twin.billing.actions.payments import record_payment
from twin.billing.queries.balance import balance
from twin.billing.queries.invoices import creditable
from twin.billing.queries.statements import open_statements
from twin.billing.queries.verifying import differing_statements
from twin.billing.rules.rounding import minor
from twin.billing.types import CreditAsked, Statement
from twin.companies import actions as companies
from twin.companies.access import billing_scope
from twin.kernel.period import Period
from twin.metering import actions as metering
from twin.metering.queries import cells_in
from twin.metering.types import NewPrices

pytestmark = pytest.mark.database

CENT = 10_000_000
ALL_TIME = Period(at("2026-01-01T00:00"), at("2026-12-01T00:00"))
METERS = ("sms.sent", "call.outgoing")
ZONES = ("Africa/Cairo", "America/Havana", "Asia/Kolkata", "Atlantic/Azores")
STEPS = ("use", "use", "late", "correct", "withdraw", "move", "zone", "month", "month", "pay", "credit", "fold")


class Story:
    """Acme moves between Rhea and Strand, Birch between time zones; Cedar tells its details only after a while."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = build_world()
        self.keys: list[tuple[int, str]] = []
        self.numbers = count(1)
        self.now = at("2026-01-20T12:00")
        world = self.world
        for party in (world.twin, world.rhea, world.strand, world.sola, world.acme, world.birch):
            inform(party.id)
        bill_with(world.rhea.scope, tax_kind="rate", tax_percent=19, late_policy="credit_note")
        self.pairs = [
            (world.rhea, world.acme), (world.strand, world.acme), (world.rhea, world.birch), (world.rhea, world.sola),
            (world.sola, world.cedar), (world.twin, world.rhea), (world.twin, world.strand),
        ]  # fmt: skip
        self.seller = world.rhea  # of Acme, now
        self.moved_at = at("2026-01-01T00:00")
        self._move()

    def do(self, step: str) -> None:
        getattr(self, f"_{step}")()

    def _use(self, since: datetime | None = None) -> None:
        for party in (self.world.acme, self.world.birch, self.world.cedar):
            first = since or max(self.now - timedelta(days=3), self.moved_at)
            moment = first + (self.now - first) * self.random.random()
            key = f"k{next(self.numbers)}"
            use(party.id, moment, meter=self.random.choice(METERS), quantity=self.random.randrange(200), key=key)
            self.keys.append((party.id, key))

    def _late(self) -> None:
        self._use(at("2026-01-01T00:00"))

    def _correct(self) -> None:
        seller, card = self.random.choice(
            [(self.world.rhea, self.world.rhea_card), (self.world.twin, self.world.wholesale)]
        )
        since = (self.now - timedelta(days=self.random.randrange(1, 60))).isoformat()
        amount = f"0.0{self.random.randrange(10**6, 10**7)}"
        corrected(
            seller.scope,
            prices=NewPrices(card.id, (price(amount, since=since, meter=self.random.choice(METERS)),)),
        )

    def _withdraw(self) -> None:
        if self.keys:
            company, key = self.keys.pop(self.random.randrange(len(self.keys)))
            metering.withdraw_event(
                self.world.twin.scope, company_id=company, source="smsc-1", event_id=key, reason="wrong"
            )

    def _move(self) -> None:
        self.seller = self.world.strand if self.seller is self.world.rhea else self.world.rhea
        self.moved_at = self.now
        metering.move_company(
            self.world.twin.scope,
            company_id=self.world.acme.id,
            parent_id=self.seller.id,
            effective_from=self.now,
        )
        self._later(timedelta(hours=1))

    def _zone(self) -> None:
        companies.update_company(self.world.birch.scope, self.world.birch.id, time_zone=self.random.choice(ZONES))

    def _month(self) -> None:
        """Time goes on; what is over is closed, and right then each statement is the report of its month."""
        self._later(timedelta(days=20))
        self._use()
        for seller in (self.world.twin, self.world.rhea, self.world.strand, self.world.sola):
            before = {one.id for one in self._stated(seller)}
            close(seller, self.now)
            for one in self._stated(seller):
                # What Acme used is told of the platform's buyers together: its cells name no buyer.
                assert (
                    one.id in before
                    or seller is self.world.twin
                    or own(one) == reported(self, seller, one.buyer_id, one.period)
                )
        if self.now.month == 5:
            inform(self.world.cedar.id)

    def _pay(self) -> None:
        seller, buyer = self.random.choice(self.pairs[2:])
        record_payment(
            seller.scope,
            buyer_id=buyer.id,
            amount_minor=self.random.randrange(1, 2_000),
            at=self.now,
            reference=str(next(self.numbers)),
        )

    def _credit(self) -> None:
        issued = owner("select id, seller_id from billing_invoice where kind = 'invoice' and net_minor > 0")
        if issued:
            number, seller_id = self.random.choice(issued)
            [seller] = {seller for seller, _ in self.pairs if seller.id == seller_id}
            left = [one for one in creditable(seller.scope, number) if one.remaining_minor > 0]
            if left:
                credit(seller.scope, number, lines=[CreditAsked(left[0].line.number, amount_minor=1)], reason="r")

    def _fold(self) -> None:
        metering.fold()

    def _later(self, by: timedelta) -> None:
        self.now = min(self.now + by, at("2026-11-01T00:00"))

    def _stated(self, seller: Party) -> list[Statement]:
        return [one for a, b in self.pairs if a is seller for one in statements_between(a, b.id)]


def own(found: Statement) -> dict[str, Sums]:
    """By meter what the statement holds of its own month."""
    return stated([replace(found, lines=tuple(line for line in found.lines if line.kind == "usage"))])


def stated(found: list[Statement]) -> dict[str, Sums]:
    return {meter: each for meter, each in by_meter(found).items() if any(each)}


def reported(story: Story, seller: Party, buyer_id: int, period: Period) -> dict[str, Sums]:
    """The same by the report of the seller, of the buyer and what lies beneath it."""
    world = story.world
    users = {world.sola.id, world.cedar.id} if buyer_id == world.sola.id else {buyer_id}
    cells = cells_in(seller.scope, period)
    rows = zip(*(column.tolist() for column in cells.columns()), strict=True)
    sums = {usage_meter(row[2]): (row[3], row[4], row[6]) for row in rows if row[1] in users}
    return {meter: each for meter, each in sums.items() if any(each)}


def check(story: Story) -> None:
    """The ledger adds up to zero, and what each pair's balance says is what the rows say."""
    assert owner("select transaction_id from billing_posting group by 1 having sum(amount_minor) <> 0") == []
    for seller, buyer in story.pairs:
        found = balance(seller.scope, seller.id, buyer.id)
        assert found.booked_minor == documents_and_money(seller, buyer)
        assert found.unbilled == charged(seller, buyer) - invoiced(seller, buyer)


def documents_and_money(seller: Party, buyer: Party) -> int:
    """What the buyer paid less what it was invoiced, from documents and cash, not from what is receivable."""
    [(minors,)] = owner(
        """
        select coalesce((select sum(amount_minor) from billing_posting
                         where seller_id = %s and buyer_id = %s and account = 'cash'), 0)
             - coalesce((select sum(gross_minor) from billing_invoice where seller_id = %s and buyer_id = %s), 0)
        """,
        *(seller.id, buyer.id) * 2,
    )
    return int(minors)


def invoiced(seller: Party, buyer: Party) -> int:
    """The exact charges on statements that have their documents."""
    [(exact,)] = owner(
        "select coalesce(sum(l.amount), 0)::text from billing_line l where l.seller_id = %s and l.buyer_id = %s"
        " and exists (select 1 from billing_invoice i where i.statement_id = l.statement_id and i.corrects_id is null)",
        seller.id,
        buyer.id,
    )
    return int(exact)


def check_documents(story: Story) -> None:
    """Each statement that has documents is them, line by line rounded once, and taxed once per document."""
    for seller, buyer in story.pairs:
        for one in statements_between(seller, buyer.id):
            issued = owner(
                "select net_minor, tax_minor from billing_invoice where statement_id = %s and corrects_id is null",
                one.id,
            )
            lines = [minor(line.amount, one.currency) for line in one.lines]
            assert sum(net for net, _ in issued) == (sum(lines) if issued else 0)
            percent = 19 if seller is story.world.rhea else 0
            assert all(tax == minor(net * percent * CENT // 100, "EUR") for net, tax in issued)
            assert issued or not any(line.amount for line in one.lines) or buyer is story.world.cedar


def check_statements(story: Story) -> None:
    """Each charge stands on one statement or is still open; what is closed is made again to the byte."""
    for seller, buyer in story.pairs:
        found = [*statements_between(seller, buyer.id), *open_statements(seller.scope, seller.id, buyer.id)]
        assert sum(one.amount or 0 for one in found) == charged(seller, buyer)
        assert seller is story.world.twin or stated(found) == reported(story, seller, buyer.id, ALL_TIME)
    for seller in (story.world.rhea, story.world.strand, story.world.sola, story.world.twin):
        assert differing_statements(billing_scope(seller.id))[1] == []
    assert differences() == []


@pytest.mark.parametrize("seed", [1])
def test_a_balance_is_postings_and_open_charges_at_every_moment(seed: int) -> None:
    story = Story(seed)
    steps = [*STEPS * 2]
    story.random.shuffle(steps)
    for step in steps:
        story.do(step)
        check(story)
    check_documents(story)
    check_statements(story)
