"""Where a buyer stands: exact against rows, the same before and after a closing, told to its two parties alone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.billing.factories import bill_with
from tests.billing.ledgers import issue, owner
from tests.billing.months import close, use
from tests.informing import inform
from tests.world import Party, World, build_world
from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment
from twin.billing.errors import AccountNotFound, BillingInvalid
from twin.billing.queries.balance import balance, may_spend, sellers_of
from twin.billing.queries.balances import BALANCE_ORDERS, BALANCE_STATES, BalancesAsked, balances, balances_of
from twin.billing.queries.transactions import (
    TRANSACTION_KINDS,
    TRANSACTION_ORDERS,
    TransactionsAsked,
    transaction_of,
    transactions,
)
from twin.billing.rules.balances import with_tax
from twin.billing.types import Balance
from twin.companies import actions as companies
from twin.kernel import clock
from twin.metering import actions as metering

pytestmark = pytest.mark.database

CENT = 10_000_000
EURO = 100 * CENT
PAID_AT = datetime(2026, 3, 5, tzinfo=UTC)


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


def of(seller: Party, buyer: Party) -> Balance:
    return balance(seller.scope, seller.id, buyer.id)


def charged(seller: Party, buyer: Party) -> int:
    """All charges of the edge, added up from the rows by the database's owner."""
    rows = owner(
        "select coalesce(sum(amount), 0)::text from (select sell as amount from metering_edge"
        " where seller_id = %(s)s and buyer_id = %(b)s union all select amount from metering_correction"
        " where seller_id = %(s)s and buyer_id = %(b)s) all_of_it".replace("%(s)s", str(seller.id)).replace(
            "%(b)s", str(buyer.id)
        )
    )
    return int(rows[0][0])


def test_charges_count_at_once_and_exactly(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", quantity=3)
    found = of(world.rhea, world.acme)
    assert (found.booked_minor, found.unbilled, found.waiting) == (0, 6 * CENT, 0)
    assert found.available is None
    assert not found.is_exhausted


def test_a_month_that_is_closed_moves_from_one_part_to_the_other(world: World) -> None:
    inform(world.rhea.id)
    inform(world.acme.id)
    use(world.acme.id, "2026-01-10T12:00", quantity=300)
    use(world.acme.id, "2026-02-10T12:00", quantity=50)
    close(world.rhea, "2026-02-02T00:00")
    found = of(world.rhea, world.acme)
    assert (found.booked_minor, found.unbilled, found.waiting) == (-600, EURO, 0)


def test_a_closed_month_whose_invoice_waits_is_owed(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", quantity=300)
    close(world.rhea, "2026-02-02T00:00")
    found = of(world.rhea, world.acme)
    assert (found.booked_minor, found.unbilled, found.waiting) == (0, 6 * EURO, 6 * EURO)


def test_the_tax_to_come_is_counted_and_rounded_up(world: World) -> None:
    bill_with(world.rhea.scope, tax_kind="rate", tax_percent=Decimal("19.5"))
    use(world.acme.id, "2026-01-10T12:00", quantity=3)
    assert of(world.rhea, world.acme).unbilled_gross == 71_700_000


@given(st.integers(-(10**30), 10**30), st.integers(0, 1_000_000))
def test_tax_on_charges_is_never_less_than_exact(exact: int, parts: int) -> None:
    whole = exact * (1_000_000 + parts)
    assert whole <= with_tax(exact, parts) * 1_000_000 < whole + 1_000_000


@pytest.mark.parametrize(
    ("mode", "limit", "paid", "used", "available", "exhausted"),
    [
        ("postpaid", None, 0, 300, None, False),
        ("postpaid", 1_000, 0, 300, 4 * EURO, False),
        ("postpaid", 600, 0, 300, 0, True),
        ("postpaid", 599, 0, 300, -CENT, True),
        ("prepaid", None, 0, 0, 0, True),
        ("prepaid", None, 601, 300, CENT, False),
        ("prepaid", None, 600, 300, 0, True),
        ("prepaid", 100, 600, 300, EURO, False),
    ],
)
def test_what_may_still_be_spent(
    world: World, mode: Any, limit: int | None, paid: int, used: int, available: int | None, exhausted: bool
) -> None:
    set_account(world.rhea.scope, buyer_id=world.acme.id, mode=mode, credit_limit_minor=limit)
    if paid:
        record_payment(world.rhea.scope, buyer_id=world.acme.id, amount_minor=paid, at=PAID_AT)
    if used:
        use(world.acme.id, "2026-01-10T12:00", quantity=used)
    found = of(world.rhea, world.acme)
    assert (found.available, found.is_exhausted) == (available, exhausted)


def test_spending_is_allowed_to_the_last_nano_unit(world: World) -> None:
    bill_with(world.rhea.scope, tax_kind="rate", tax_percent=Decimal(25))
    set_account(world.rhea.scope, buyer_id=world.acme.id, mode="prepaid", credit_limit_minor=None)
    record_payment(world.rhea.scope, buyer_id=world.acme.id, amount_minor=1_000, at=PAID_AT)
    asked = (8 * EURO, 8 * EURO + 1, 0)
    told = [may_spend(world.acme.scope, world.rhea.id, world.acme.id, amount=amount) for amount in asked]
    assert [(one.allowed, one.reason) for one in told] == [(True, ""), (False, "not_enough"), (True, "")]
    assert told[0].needed == 10 * EURO
    use(world.acme.id, "2026-01-10T12:00", quantity=400)
    last = may_spend(world.acme.scope, world.rhea.id, world.acme.id, amount=1)
    assert (last.allowed, last.reason, last.balance.available) == (False, "exhausted", 0)


def test_a_blocked_company_may_spend_nothing(world: World) -> None:

    companies.update_company(world.rhea.scope, world.acme.id, state="blocked", reason="owes")
    told = may_spend(world.rhea.scope, world.rhea.id, world.acme.id, amount=1)
    assert (told.allowed, told.reason) == (False, "blocked")


def test_only_the_two_parties_find_an_account(world: World) -> None:
    assert of(world.rhea, world.sola) == balance(world.sola.scope, world.rhea.id, world.sola.id)
    for stranger in (world.twin, world.strand, world.birch, world.sola):
        with pytest.raises(AccountNotFound):
            balance(stranger.scope, world.rhea.id, world.acme.id)
    for seller, buyer in ((world.twin, world.acme), (world.strand, world.acme), (world.acme, world.rhea)):
        with pytest.raises(AccountNotFound):
            balance(world.acme.scope, seller.id, buyer.id)
    assert sellers_of(world.acme.scope) == [world.rhea.id]
    assert sellers_of(world.twin.scope) == []


def test_an_account_is_set_by_its_seller_alone(world: World) -> None:
    for scope in (world.acme.scope, world.twin.scope, world.strand.scope):
        with pytest.raises(AccountNotFound):
            set_account(scope, buyer_id=world.acme.id, mode="prepaid", credit_limit_minor=0)
    for limit, warns in ((-1, (80,)), (10**15 + 1, (80,)), (5, (0,)), (5, (1001,)), (5, range(1, 12))):
        with pytest.raises(BillingInvalid):
            set_account(
                world.rhea.scope, buyer_id=world.acme.id, mode="prepaid", credit_limit_minor=limit, warn_percents=warns
            )
    assert owner("select count(*) from billing_account") == [(0,)]


def test_the_list_says_of_each_buyer_what_its_page_says(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", quantity=300)
    use(world.cedar.id, "2026-01-10T12:00", quantity=7)
    issue(world.rhea, world.birch.id, 1_000)
    set_account(world.rhea.scope, buyer_id=world.acme.id, mode="postpaid", credit_limit_minor=500)
    for state in BALANCE_STATES:
        for sort in BALANCE_ORDERS:
            for way in ("", "-"):
                balances(world.rhea.scope, BalancesAsked(state=state, sort=way + sort))
    page = balances(world.rhea.scope, BalancesAsked())
    assert [one.name for one in page.items] == ["Acme", "Birch", "Sola"]
    assert page.counts == {"all": 3, "owing": 1, "overdue": 0, "exhausted": 1, "former": 0}
    assert (page.booked_minor, page.unbilled) == (-1_000, 614 * CENT)
    for one in page.items:
        assert one.balance == balance(world.rhea.scope, world.rhea.id, one.buyer_id)
    found = balances_of(world.rhea.scope, [world.acme.id, world.cedar.id, world.dune.id])
    assert set(found) == {world.acme.id}
    assert [one.name for one in balances(world.rhea.scope, BalancesAsked(search="IRC")).items] == ["Birch"]
    assert balances(world.rhea.scope, BalancesAsked(search="100%_\0")).items == ()


def test_a_former_buyer_is_listed_while_something_stands_between(world: World) -> None:

    issue(world.rhea, world.birch.id, 1_000)
    metering.move_company(
        world.twin.scope, company_id=world.birch.id, parent_id=world.strand.id, effective_from=clock.now()
    )
    assert [one.name for one in balances(world.rhea.scope, BalancesAsked(state="former")).items] == ["Birch"]
    record_payment(world.rhea.scope, buyer_id=world.birch.id, amount_minor=1_000, at=PAID_AT)
    assert balances(world.rhea.scope, BalancesAsked(state="former")).items == ()
    assert sellers_of(world.birch.scope) == [world.strand.id, world.rhea.id]


def test_movements_are_told_to_their_two_parties(world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 1_000)
    number = record_payment(
        world.rhea.scope,
        buyer_id=world.acme.id,
        amount_minor=400,
        at=PAID_AT,
        reference="R1",
        note="secret",
        by="Ada",
    )
    issue(world.strand, world.dune.id, 77)
    for sort in TRANSACTION_ORDERS:
        for kind in TRANSACTION_KINDS:
            transactions(world.rhea.scope, TransactionsAsked(side="sold", sort=f"-{sort}", kind=kind))
    sold = transactions(world.rhea.scope, TransactionsAsked(side="sold"))
    bought = transactions(world.acme.scope, TransactionsAsked())
    assert [(one.kind, one.amount_minor, one.balance_minor, one.document) for one in sold.items] == [
        ("payment", 400, -600, ""),
        ("invoice", -1_000, -1_000, invoice.code),
    ]
    assert (sold.refilled_minor, sold.charged_minor) == (400, 1_000)
    assert (sold.items[0].note, sold.items[0].recorded_by) == ("secret", "Ada")
    assert [(one.id, one.note, one.recorded_by) for one in bought.items] == [(one.id, "", "") for one in sold.items]
    assert bought.items[0].allocations[0].code == invoice.code
    assert transactions(world.acme.scope, TransactionsAsked(search="secret")).items == ()
    assert transactions(world.rhea.scope, TransactionsAsked(side="sold", search="r1")).total == 1
    assert transactions(world.strand.scope, TransactionsAsked(side="sold")).total == 1
    assert transactions(world.twin.scope, TransactionsAsked(side="sold")).total == 0
    assert transaction_of(world.acme.scope, number).id == number


MOVES = st.lists(
    st.tuples(st.sampled_from(["use", "use", "late", "close", "fold", "pay", "credit"]), st.integers(1, 60)),
    min_size=2,
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(moves=MOVES)
def test_what_is_owed_is_what_was_used_less_what_was_paid(migrated_database: Any, moves: list[tuple[str, int]]) -> None:
    """Without tax and with all rounding in invoices: balance = payments − charges, whatever is closed."""
    migrated_database.clean()
    world = build_world()
    paid, month, numbers = 0, 1, count(1)
    for what, amount in moves:
        if what in ("use", "late"):
            of_month = max(1, month - (what == "late"))
            use(world.acme.id, f"2026-{of_month:02}-15T12:00", quantity=amount)
            use(world.cedar.id, f"2026-{of_month:02}-15T12:00", quantity=amount)
        elif what == "close" and month < 10:
            month += 1
            close(world.rhea, f"2026-{month:02}-03T00:00")
        elif what == "fold":
            metering.fold()
        else:
            record_payment(
                world.rhea.scope,
                buyer_id=world.acme.id,
                amount_minor=amount,
                at=PAID_AT,
                reference=str(next(numbers)),
            )
            paid += amount
        for buyer in (world.acme, world.sola):
            found = of(world.rhea, buyer)
            came = paid if buyer is world.acme else 0
            assert found.booked_minor * CENT - found.unbilled == came * CENT - charged(world.rhea, buyer)
            assert found.unbilled_gross == found.unbilled
