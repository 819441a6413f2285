"""Hard case 6: refund and credit note.

Done: a credit note names invoice and line, cannot exceed what remains, takes back tax at the original rate whatever the
seller's settings are now, counts in the issuer's own series; the buy side is another document of another seller and
stays as it is; what was charged stays, so the report's margin falls by nothing and the ledger by exactly the credit.
Left out: expiring prepaid buckets (there is one balance per pair, nothing in it expires); the dialogue that credits
both sides at once belongs to corrections (re-rating), where one person holds both edges. The refund of money is an
act of its own: tests/billing/test_payments.py.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connections

from tests.billing.factories import bill_with, closed, line
from tests.billing.ledgers import balance_of, state_of
from tests.informing import inform
from tests.world import Party, World, build_world
from twin.billing.actions.crediting import credit, preview_credit
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.errors import CreditTooLarge, InvoiceNotFound
from twin.billing.queries.invoices import creditable, invoice
from twin.billing.types import CreditAsked, Invoice, StatementLine
from twin.kernel.errors import Invalid
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering

pytestmark = pytest.mark.database

THIRD = CreditAsked(1, share=Fraction(1, 3))


@pytest.fixture
def world() -> World:
    built = build_world()
    for party in (built.twin, built.rhea, built.acme):
        inform(party.id, invoice_name=party.company.name)
    bill_with(built.rhea.scope, tax_kind="rate", tax_percent=Decimal(19), credit_series="RC")
    return built


def issued(seller: Party, buyer: Party, *lines: StatementLine) -> Invoice:
    made = issue_for_statement(seller.scope, closed(seller.scope, buyer.id, lines or [line("10")]))
    assert made is not None
    return made


def test_ten_by_thirds_is_3_33_and_3_33_and_3_34_with_all_of_its_tax(world: World) -> None:
    made = issued(world.rhea, world.acme)
    notes = [credit(world.rhea.scope, made.id, lines=[THIRD], reason="A third") for _ in range(3)]
    assert [note.net_minor for note in notes] == [-333, -333, -334]
    assert sum(note.tax_minor for note in notes) == -made.tax_minor == -190
    assert [note.code for note in notes] == ["RC-000001", "RC-000002", "RC-000003"]
    assert balance_of(world.rhea, world.acme) == 0
    assert state_of(made) == (1190, 1190, 0)
    assert invoice(world.acme.scope, made.id).open_minor == 0


def test_never_more_than_remains(world: World) -> None:
    made = issued(world.rhea, world.acme)
    credit(world.rhea.scope, made.id, lines=[CreditAsked(1, amount_minor=999)], reason="Nearly all")
    with pytest.raises(CreditTooLarge, match=r"Of line 1 there remain 0\.01 EUR"):
        credit(world.rhea.scope, made.id, lines=[CreditAsked(1, amount_minor=2)], reason="Too much")
    assert [one.remaining_minor for one in creditable(world.rhea.scope, made.id)] == [1]
    assert balance_of(world.rhea, world.acme) == -1


def test_two_at_once_wait_for_each_other(world: World) -> None:
    made = issued(world.rhea, world.acme)
    outcomes: list[str] = []

    def take() -> None:
        try:
            credit(world.rhea.scope, made.id, lines=[CreditAsked(1, amount_minor=600)], reason="More than half")
            outcomes.append("credited")
        except CreditTooLarge:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["credited", "refused", "refused", "refused"]


def test_the_original_tax_counts_whatever_the_rate_is_now(world: World) -> None:
    made = issued(world.rhea, world.acme)
    with tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute("update billing_settings set tax_percent = 7, tax_kind = 'exempt'")
    note = credit(world.rhea.scope, made.id, lines=[CreditAsked(1)], reason="All of it")
    assert (note.tax_kind, note.tax_percent, note.tax_minor) == ("rate", Decimal(19), -190)


def test_who_credited_what_and_why_is_on_record(world: World) -> None:
    made = issued(world.rhea, world.acme)
    credit(world.rhea.scope, made.id, lines=[THIRD], reason="A third too much")
    with connections["owner"].cursor() as cursor:
        cursor.execute("select company_id, fields from kernel_securityevent where event = 'credit_note.issued'")
        [(company, fields)] = cursor.fetchall()
    told = json.loads(fields) if isinstance(fields, str) else fields
    assert (company, told["series"], told["number"], told["corrects"]) == (world.acme.id, "RC", 1, made.number)
    assert (told["amount"], told["reason"], told["by_key"]) == ("-3.96 EUR", "A third too much", "tests")


def test_it_names_invoice_line_and_reason_and_the_parties_of_the_invoice(world: World) -> None:
    made = issued(world.rhea, world.acme, line("4"), line("6", meter="call.outgoing"))
    inform(world.acme.id, invoice_name="Acme the Second")
    note = credit(world.rhea.scope, made.id, lines=[CreditAsked(2)], reason="  Calls that never were ")
    told = invoice(world.acme.scope, note.id)
    assert (told.kind, told.corrects_id, told.reason) == ("credit_note", made.id, "Calls that never were")
    assert [(one.credits_line, one.meter, one.net_minor) for one in told.lines] == [(2, "call.outgoing", -600)]
    assert told.buyer_name == "Acme"


def test_the_preview_is_what_is_issued_and_writes_nothing(world: World) -> None:
    made = issued(world.rhea, world.acme)
    shown = preview_credit(world.rhea.scope, made.id, lines=[THIRD])
    assert (shown.net_minor, shown.tax_minor, shown.gross_minor) == (-333, -63, -396)
    assert [one.remaining_minor for one in creditable(world.rhea.scope, made.id)] == [1000]
    note = credit(world.rhea.scope, made.id, lines=[THIRD], reason="A third")
    assert (note.net_minor, note.tax_minor) == (shown.net_minor, shown.tax_minor)


def test_crediting_the_sell_side_leaves_the_buy_side_alone(world: World) -> None:
    bought = issued(world.twin, world.rhea, line("7"))
    sold = issued(world.rhea, world.acme)
    note = credit(world.rhea.scope, sold.id, lines=[CreditAsked(1, amount_minor=250)], reason="Goodwill")
    assert invoice(world.rhea.scope, bought.id) == bought
    assert balance_of(world.twin, world.rhea) == -700
    assert balance_of(world.rhea, world.acme) == -1190 - note.gross_minor == -1190 + 298


def test_after_a_price_change_and_a_move_the_former_seller_credits_what_it_charged(world: World) -> None:
    made = issued(world.rhea, world.acme)
    metering.move_company(
        world.twin.scope,
        company_id=world.acme.id,
        parent_id=world.strand.id,
        effective_from=datetime(2026, 2, 1, tzinfo=UTC),
    )
    note = credit(world.rhea.scope, made.id, lines=[CreditAsked(1)], reason="After the move")
    assert (note.seller_id, note.gross_minor) == (world.rhea.id, -1190)
    with pytest.raises(InvoiceNotFound):
        credit(world.strand.scope, made.id, lines=[CreditAsked(1)], reason="Not its business")


@pytest.mark.parametrize("name", ["acme", "twin", "birch", "strand"])
def test_only_the_seller_credits(world: World, name: str) -> None:
    made = issued(world.rhea, world.acme)
    with pytest.raises(InvoiceNotFound):
        credit(getattr(world, name).scope, made.id, lines=[CreditAsked(1)], reason="Stranger")
    assert balance_of(world.rhea, world.acme) == -1190


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "a\0b"])
def test_a_reason_is_needed_that_can_be_read(world: World, reason: str) -> None:
    made = issued(world.rhea, world.acme)
    with pytest.raises(Invalid):
        credit(world.rhea.scope, made.id, lines=[CreditAsked(1)], reason=reason)
    assert balance_of(world.rhea, world.acme) == -1190


def test_a_credit_note_cannot_be_credited(world: World) -> None:
    made = issued(world.rhea, world.acme)
    note = credit(world.rhea.scope, made.id, lines=[THIRD], reason="A third")
    with pytest.raises(InvoiceNotFound):
        credit(world.rhea.scope, note.id, lines=_all(note.lines), reason="Back again")


def _all(lines: Sequence[object]) -> list[CreditAsked]:
    return [CreditAsked(number) for number, _ in enumerate(lines, start=1)]
