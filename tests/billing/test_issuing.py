"""A closed statement becomes documents: numbered, frozen, posted, told, once, and only with all details."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, connections, transaction

from tests.billing.factories import JANUARY, bill_with, closed, line
from tests.billing.ledgers import balance_of
from tests.informing import inform
from tests.outbox import all_messages
from tests.world import World, build_world
from twin.accounts.models import User
from twin.billing.actions import recording
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.errors import InvoiceNotFound, StatementNotFound
from twin.billing.queries.invoices import invoice, invoices_of_statements
from twin.billing.queries.waiting import waiting, waiting_statement
from twin.billing.types import Invoice
from twin.companies import actions as companies
from twin.companies.access import platform_scope
from twin.companies.errors import PermissionMissing
from twin.companies.types import Role
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering

pytestmark = pytest.mark.database

FEBRUARY = date(2026, 2, 1)
THIRD_OF_FEBRUARY = datetime(2026, 2, 2, 23, 30, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    built = build_world()
    for party in (built.twin, built.rhea, built.acme, built.birch):
        inform(party.id, invoice_name=party.company.name)
    return built


def issued(world: World, amount: str = "10", buyer: str = "acme", **fields: Any) -> Invoice:
    statement = closed(world.rhea.scope, getattr(world, buyer).id, [line(amount)], **fields)
    made = issue_for_statement(world.rhea.scope, statement)
    assert made is not None
    return made


def owner(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def numbers(world: World) -> list[int]:
    return [
        row[0] for row in owner("select number from billing_invoice where seller_id = %s order by 1", world.rhea.id)
    ]


def test_an_invoice_says_who_owes_whom_what_and_until_when(world: World) -> None:
    bill_with(world.rhea.scope, tax_kind="rate", tax_percent=Decimal(19), footer="Thanks", series="RH")
    statement = closed(world.rhea.scope, world.acme.id, [line("10"), line("0.005", meter="call.outgoing", count=61)])
    with time_machine.travel(THIRD_OF_FEBRUARY, tick=False):
        made = issue_for_statement(world.rhea.scope, statement)
    assert made is not None
    assert (made.code, made.kind, made.month, made.currency) == ("RH-000001", "invoice", JANUARY, "EUR")
    assert (made.net_minor, made.tax_minor, made.gross_minor) == (1001, 190, 1191)
    # In Berlin it is already the third.
    assert (made.issued_at, made.issued_on, made.due_on) == (THIRD_OF_FEBRUARY, date(2026, 2, 3), date(2026, 2, 17))
    assert made.seller_details["vat_number"] == "DE136695976"
    assert (made.seller_details["name"], made.buyer_details["name"]) == ("Rhea", "Acme")
    stored = invoice(world.acme.scope, made.id)
    assert stored == made
    assert [(one.meter, one.quantity, one.net_minor) for one in stored.lines] == [
        ("sms.delivered", 1, 1000),
        ("call.outgoing", 61, 1),
    ]


def test_what_is_issued_is_owed(world: World) -> None:
    issued(world)
    assert balance_of(world.rhea, world.acme) == -1000


def test_issuing_again_returns_what_is_issued(world: World) -> None:
    statement = closed(world.rhea.scope, world.acme.id, [line("10")])
    first = issue_for_statement(world.rhea.scope, statement)
    again = issue_for_statement(world.rhea.scope, statement)
    assert first is not None
    assert again is not None
    assert again.id == first.id
    assert numbers(world) == [1]


def test_numbers_have_no_gap_where_a_transaction_dies(world: World) -> None:
    issued(world)
    lost = closed(world.rhea.scope, world.birch.id, [line("10")])
    _die(world, lost)
    issued(world, month=FEBRUARY)
    issue_for_statement(world.rhea.scope, lost)
    assert numbers(world) == [1, 2, 3]
    assert balance_of(world.rhea, world.birch) == -1000


def test_numbers_have_no_gap_and_no_double_when_many_are_issued_at_once(world: World) -> None:
    months = [date(2024, month, 1) for month in range(1, 13)]
    statements = [
        closed(world.rhea.scope, buyer.id, [line("1")], month=month)
        for buyer in (world.acme, world.birch)
        for month in months
    ]
    failures: list[Exception] = []

    def work(own: list[Any]) -> None:
        try:
            for number, statement in enumerate(own):
                if number % 3 == 2:
                    _die(world, statement)
                issue_for_statement(world.rhea.scope, statement)
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)
        finally:
            connections.close_all()

    # Every statement is issued by two of them.
    threads = [threading.Thread(target=work, args=[statements[first::3] + statements[::2]]) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert numbers(world) == list(range(1, 25))
    assert owner("select count(distinct statement_id), count(*) from billing_invoice") == [(24, 24)]
    in_order = owner("select issued_at from billing_invoice where seller_id = %s order by number", world.rhea.id)
    assert in_order == sorted(in_order)


def _die(world: World, statement: Any) -> None:
    """Issue it, and be gone before the commit."""
    with suppress(ZeroDivisionError), transaction.atomic():
        issue_for_statement(world.rhea.scope, statement)
        raise ZeroDivisionError


def test_invoices_and_credit_notes_count_in_series_of_their_own(world: World) -> None:
    first = issued(world)
    back = issued(world, "-4", month=FEBRUARY)
    assert (first.code, back.code, back.kind, back.gross_minor) == ("INV-000001", "CN-000001", "credit_note", -400)
    assert balance_of(world.rhea, world.acme) == -600


def test_two_documents_of_one_statement(world: World) -> None:
    lines = [line("10"), line("-2", kind="late", month=date(2025, 12, 1))]
    statement = closed(world.rhea.scope, world.acme.id, lines, late_policy="credit_note")
    made = issue_for_statement(world.rhea.scope, statement)
    assert statement.id is not None
    both = invoices_of_statements(world.rhea.scope, [statement.id])
    assert made is not None
    assert [one.kind for one in both] == ["invoice", "credit_note"]
    assert made.id == both[0].id
    assert balance_of(world.rhea, world.acme) == -800


def test_without_all_details_the_statement_waits_and_says_for_what(world: World) -> None:
    statement = closed(world.strand.scope, world.dune.id, [line("10")])
    inform(world.dune.id, bank="", iban="")
    assert issue_for_statement(world.strand.scope, statement) is None
    [told] = waiting(world.strand.scope, "issued")
    assert told.statement_id == statement.id
    assert told.buyer_missing == ("bank", "iban")
    assert "country" in told.seller_missing
    # The buyer learns what it lacks itself, and that its seller lacks something.
    assert statement.id is not None
    own = waiting_statement(world.dune.scope, statement.id)
    assert own is not None
    assert (own.buyer_missing, own.seller_missing) == (("bank", "iban"), ("",))
    inform(world.dune.id)
    inform(world.strand.id)
    assert issue_for_statement(world.strand.scope, statement) is not None
    assert waiting(world.strand.scope, "issued") == []
    assert waiting(world.dune.scope, "received") == []


def test_nothing_to_bill_waits_for_nothing(world: World) -> None:
    written_off = [line("0"), line("2", kind="late")]
    statement = closed(world.strand.scope, world.dune.id, written_off, late_policy="write_off")
    assert issue_for_statement(world.strand.scope, statement) is None
    assert waiting(world.strand.scope, "issued") == []


def test_details_stay_as_they_were(world: World) -> None:
    made = issued(world)
    inform(world.acme.id, legal_street="Neue Gasse 1")
    assert invoice(world.rhea.scope, made.id).buyer_details["legal_street"] == "Uferstraße 14"


def test_a_company_that_has_moved_away_still_gets_its_last_invoice(world: World) -> None:
    statement = closed(world.rhea.scope, world.acme.id, [line("10")])
    metering.move_company(
        world.twin.scope,
        company_id=world.acme.id,
        parent_id=world.strand.id,
        effective_from=datetime(2026, 2, 1, tzinfo=UTC),
    )
    made = issue_for_statement(world.rhea.scope, statement)
    assert made is not None
    assert made.buyer_name == "Acme"


def test_nobody_but_the_two_parties_finds_it(world: World) -> None:
    made = issued(world)
    for party in (world.rhea, world.acme):
        assert invoice(party.scope, made.id).id == made.id
    for party in (world.twin, world.birch, world.strand, world.sola):
        with pytest.raises(InvoiceNotFound):
            invoice(party.scope, made.id)
        with tenant_transaction(party.id), connection.cursor() as cursor:
            cursor.execute("select count(*) from billing_invoice_line")
            assert cursor.fetchone() == (0,)


def test_only_the_seller_issues(world: World) -> None:
    statement = closed(world.rhea.scope, world.acme.id, [line("10")])
    for party in (world.acme, world.twin, world.strand):
        with pytest.raises(StatementNotFound):
            issue_for_statement(party.scope, statement)
    with pytest.raises(PermissionMissing):
        issue_for_statement(replace(world.rhea.scope, permissions=frozenset({"billing:read"})), statement)
    assert numbers(world) == []


@pytest.mark.parametrize("statement", ["update {} set {} = 0", "delete from {}"])
@pytest.mark.parametrize(
    ("table", "column"), [("billing_invoice", "gross_minor"), ("billing_invoice_line", "net_minor")]
)
def test_issued_documents_are_never_changed_not_even_by_the_owner(
    world: World, statement: str, table: str, column: str
) -> None:
    made = issued(world)
    with pytest.raises(DatabaseError), connections["owner"].cursor() as cursor:
        cursor.execute(statement.format(table, column))
    assert invoice(world.rhea.scope, made.id) == made


def test_administrators_and_finance_of_the_buyer_are_told_in_their_language(world: World) -> None:
    people: dict[str, tuple[Role, str]] = {
        "anna": ("administrator", "en"),
        "fedor": ("finance", "ru"),
        "olaf": ("chat_operator", "en"),
    }
    for name, (role, language) in people.items():
        user = User.objects.create_user(f"{name}@acme.example", None, name=name.title(), language=language)
        companies.add_employee(platform_scope(), user=user, company_id=world.acme.id, role=role)
    made = issued(world)
    mails = {mail.to: mail for mail in all_messages(channel="mail", purpose="invoice")}
    assert sorted(mails) == ["anna@acme.example", "fedor@acme.example"]
    english, russian = mails["anna@acme.example"], mails["fedor@acme.example"]
    assert english.subject == "Invoice INV-000001"
    assert russian.subject == "Счёт INV-000001"
    assert english.link.rstrip(".").endswith(f"/invoices/{made.id}")
    assert "10.00 EUR" in english.text
    assert "Rhea" in russian.text


def test_details_are_frozen_as_json_objects(world: World) -> None:
    made = issued(world)
    [(stored,)] = owner("select buyer_details::text from billing_invoice where id = %s", made.id)
    assert json.loads(stored)["iban"].startswith("DE89")


def test_a_connection_that_dies_after_the_number_was_taken_leaves_no_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued(world)
    lost = closed(world.rhea.scope, world.birch.id, [line("10")])

    def die(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(recording, "post_invoices", die)
        with pytest.raises(DatabaseError):
            issue_for_statement(world.rhea.scope, lost)
    connections.close_all()
    assert numbers(world) == [1]
    made = issue_for_statement(world.rhea.scope, lost)
    assert made is not None
    assert made.number == 2
    assert balance_of(world.rhea, world.birch) == -1000
