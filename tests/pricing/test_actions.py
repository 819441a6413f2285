"""Cards, rates and assignments: who may write what, and what a refusal leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from django.db import DatabaseError, connections

from tests.pricing.factories import (
    BEGINNING,
    TICK,
    House,
    assigned,
    child_of,
    day,
    moved,
    new_rate,
    recorded,
    scope_of,
)
from twin.companies.access import system_scope
from twin.companies.catalogue import catalogue_change, current_version
from twin.companies.errors import CompanyNotFound
from twin.companies.types import PRICES_WRITE
from twin.kernel.errors import Forbidden, Invalid
from twin.kernel.money import MAX_NANO
from twin.kernel.tenancy import tenant_transaction
from twin.pricing import actions, queries
from twin.pricing.errors import NotTheSeller, RateCardNotFound, RateCardUnusable, RatesUnusable
from twin.pricing.meters import METERS
from twin.pricing.types import Assignment

pytestmark = pytest.mark.database


def book_of(house: House, card_id: int, meter_id: int = 2) -> list[int]:
    """The unit prices that ingestion would see, oldest first."""
    rates = queries.price_book(system_scope()).rates.get((card_id, meter_id), ())
    return [rate.terms.unit_price_nano for rate in rates]


def agreed(seller_id: int, buyer_id: int) -> list[Assignment]:
    return list(queries.price_book(system_scope()).assignments.get((seller_id, buyer_id), ()))


# Cards -----------------------------------------------------------------------


def test_a_card_belongs_to_the_organisation_that_made_it(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="  Rhea 2026 ")
    assert (card.seller_id, card.name, card.is_default) == (house.rhea.organisation_id, "Rhea 2026", False)
    assert queries.list_cards(house.rhea) == [card]


def test_a_new_default_takes_the_place_of_the_old_one(house: House) -> None:
    first = actions.create_rate_card(house.rhea, name="First", default=True)
    second = actions.create_rate_card(house.rhea, name="Second", default=True)
    assert queries.list_cards(house.rhea) == [replace(first, is_default=False), second]
    assert queries.default_card(house.rhea) == second


def test_the_default_of_one_seller_is_not_anothers(house: House) -> None:
    actions.create_rate_card(house.rhea, name="Rhea's", default=True)
    assert queries.default_card(house.strand) is None


def test_two_cards_made_default_at_once_leave_one_default(house: House) -> None:
    def make(name: str) -> None:
        actions.create_rate_card(house.rhea, name=name, default=True)
        connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, [f"Card {number}" for number in range(12)]))
    cards = queries.list_cards(house.rhea)
    assert (len(cards), sum(card.is_default for card in cards)) == (12, 1)


def test_a_company_that_sells_to_nobody_makes_no_card(house: House) -> None:
    with pytest.raises(RateCardUnusable):
        actions.create_rate_card(house.acme, name="Mine")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\0b", "a\nb"])
def test_an_unusable_name_is_refused_and_nothing_is_made(house: House, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.create_rate_card(house.rhea, name=name)
    assert [error.loc for error in refusal.value.errors] == [("name",)]
    assert queries.list_cards(house.rhea) == []


# Rates -----------------------------------------------------------------------


def test_rates_are_recorded_in_the_order_given(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    rates = recorded(house.rhea, card, new_rate(5, selector={"network": "1", "country": "DE"}), new_rate(3))
    assert [rate.id for rate in rates] == sorted(rate.id for rate in rates)
    assert rates[0].selector == (("country", "DE"), ("network", "1"))
    assert queries.rates_of(house.rhea, card.id) == rates


def test_a_change_of_prices_gives_tree_and_prices_a_new_version(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    before = current_version(connections["default"])
    recorded(house.rhea, card, new_rate(5))
    assert current_version(connections["default"]) == before + 1


def test_one_unusable_rate_keeps_all_of_them_out(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    with pytest.raises(RatesUnusable):
        recorded(house.rhea, card, new_rate(5), new_rate(5, meter="sms.read"))
    assert queries.rates_of(house.rhea, card.id) == []


def test_a_stranger_finds_no_card_to_put_rates_on(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    for stranger in (house.strand, house.twin, house.acme):
        with pytest.raises(RateCardNotFound):
            recorded(stranger, card, new_rate(1))
    assert book_of(house, card.id) == []


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**30])
def test_a_card_number_that_cannot_exist_is_not_found(house: House, number: int) -> None:
    with pytest.raises(RateCardNotFound):
        queries.get_card(house.rhea, number)


@pytest.mark.parametrize("statement", ["update pricing_rate set unit_price_nano = 0", "delete from pricing_rate"])
@pytest.mark.parametrize("alias", ["default", "owner", "writer"])
def test_the_database_refuses_to_change_or_remove_a_rate(house: House, alias: str, statement: str) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    recorded(house.rhea, card, new_rate(5))
    with pytest.raises(DatabaseError, match="append-only"), connections[alias].cursor() as cursor:
        cursor.execute(statement)
    assert book_of(house, card.id) == [5]


def test_the_database_refuses_a_rate_on_another_sellers_card(house: House) -> None:
    card = actions.create_rate_card(house.strand, name="Strand 2026")
    rate = (
        "insert into pricing_rate (card_id, seller_id, meter_id, selector, unit_price_nano, per, minimum,"
        " increment, setup_fee_nano, effective_from) values (%s, %s, 2, '{}', 0, 1, 0, 1, 0, now())"
    )
    with pytest.raises(DatabaseError, match="card_of_its_seller"), tenant_transaction(house.rhea.organisation_id):
        connections["default"].cursor().execute(rate, [card.id, house.rhea.organisation_id])


# Assignments -----------------------------------------------------------------


def test_the_parent_says_what_the_company_pays(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    made = assigned(house.rhea, house.acme.organisation_id, card, day(3))
    assert queries.assignment_at(house.rhea, house.acme.organisation_id, day(3)) == made


def test_before_its_instant_an_assignment_does_not_hold(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    assigned(house.rhea, house.acme.organisation_id, card, day(3))
    assert queries.assignment_at(house.rhea, house.acme.organisation_id, day(3) - TICK) is None


def test_of_two_assignments_of_one_instant_the_later_record_holds(house: House) -> None:
    first = actions.create_rate_card(house.rhea, name="First")
    second = actions.create_rate_card(house.rhea, name="Second")
    for card in (second, first):
        assigned(house.rhea, house.acme.organisation_id, card, day(3))
    found = queries.assignment_at(house.rhea, house.acme.organisation_id, day(4))
    assert found is not None
    assert found.card_id == first.id


def test_the_platform_cannot_set_a_resellers_price(house: House) -> None:
    card = actions.create_rate_card(house.twin, name="Wholesale")
    with pytest.raises(NotTheSeller):
        assigned(house.twin, house.acme.organisation_id, card)
    assert agreed(house.twin.organisation_id, house.acme.organisation_id) == []


def test_a_card_of_somebody_else_cannot_be_given(house: House) -> None:
    card = actions.create_rate_card(house.strand, name="Strand 2026")
    with pytest.raises(Invalid) as refusal:
        assigned(house.rhea, house.acme.organisation_id, card)
    assert [error.loc for error in refusal.value.errors] == [("rate_card_id",)]
    assert agreed(house.rhea.organisation_id, house.acme.organisation_id) == []


def test_a_strangers_company_is_not_found(house: House) -> None:
    card = actions.create_rate_card(house.strand, name="Strand 2026")
    with pytest.raises(CompanyNotFound):
        assigned(house.strand, house.acme.organisation_id, card)


def test_before_the_company_lay_under_it_nobody_is_its_seller(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    with pytest.raises(NotTheSeller):
        assigned(house.rhea, house.acme.organisation_id, card, BEGINNING - TICK)


def test_nobody_sells_to_itself(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    with pytest.raises(NotTheSeller):
        assigned(house.rhea, house.rhea.organisation_id, card)


def test_an_instant_without_offset_is_refused(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    with pytest.raises(Invalid):
        assigned(house.rhea, house.acme.organisation_id, card, datetime(2026, 2, 1))  # noqa: DTZ001 - the fault


def test_a_former_seller_prices_its_own_span_and_not_a_microsecond_more(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    moved(house.twin, house.acme.organisation_id, house.strand.organisation_id, day(10))
    made = assigned(house.rhea, house.acme.organisation_id, card, day(10) - TICK)
    assert queries.assignment_at(house.rhea, house.acme.organisation_id, day(10) - TICK) == made
    with pytest.raises((CompanyNotFound, NotTheSeller)):
        assigned(house.rhea, house.acme.organisation_id, card, day(10))


def test_the_new_seller_prices_from_the_instant_of_the_move(house: House) -> None:
    card = actions.create_rate_card(house.strand, name="Strand 2026")
    moved(house.twin, house.acme.organisation_id, house.strand.organisation_id, day(10))
    with pytest.raises(NotTheSeller):
        assigned(house.strand, house.acme.organisation_id, card, day(10) - TICK)
    assert assigned(house.strand, house.acme.organisation_id, card, day(10)).card_id == card.id


def test_the_platform_learns_nothing_of_a_resellers_assignment(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    assigned(house.rhea, house.acme.organisation_id, card)
    assert queries.assignment_at(house.twin, house.acme.organisation_id, day(1)) is None


def test_the_database_refuses_to_change_an_assignment(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    made = assigned(house.rhea, house.acme.organisation_id, card)
    with pytest.raises(DatabaseError, match="append-only"), connections["owner"].cursor() as cursor:
        cursor.execute("update pricing_assignment set effective_from = now()")
    assert agreed(house.rhea.organisation_id, house.acme.organisation_id) == [made]


def test_without_the_permission_nothing_of_prices_is_written(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    reader = replace(house.rhea, permissions=house.rhea.permissions - {PRICES_WRITE})
    for write in (
        lambda: actions.create_rate_card(reader, name="Another"),
        lambda: recorded(reader, card, new_rate(5)),
        lambda: assigned(reader, house.acme.organisation_id, card),
    ):
        with pytest.raises(Forbidden):
            write()
    assert queries.list_cards(house.rhea) == [card]
    assert (book_of(house, card.id), agreed(house.rhea.organisation_id, house.acme.organisation_id)) == ([], [])


# Default cards ---------------------------------------------------------------


def test_a_new_child_pays_by_the_default_card_from_its_first_instant(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026", default=True)
    birch = child_of(house.rhea, "Birch")
    found = queries.assignment_at(house.rhea, birch.id, BEGINNING)
    assert found is not None
    assert (found.card_id, found.effective_from) == (card.id, BEGINNING)


def test_without_a_default_card_a_new_child_has_none(house: House) -> None:
    actions.create_rate_card(house.rhea, name="Rhea 2026")
    birch = child_of(house.rhea, "Birch")
    assert agreed(house.rhea.organisation_id, birch.id) == []


def test_a_company_the_platform_makes_beneath_a_reseller_pays_by_the_resellers_default(house: House) -> None:
    actions.create_rate_card(house.twin, name="Wholesale", default=True)
    card = actions.create_rate_card(house.rhea, name="Rhea 2026", default=True)
    birch = child_of(house.twin, "Birch", parent_id=house.rhea.organisation_id)
    assert [made.card_id for made in agreed(house.rhea.organisation_id, birch.id)] == [card.id]
    assert agreed(house.twin.organisation_id, birch.id) == []


def test_a_refused_company_leaves_no_assignment(house: House) -> None:
    actions.create_rate_card(house.rhea, name="Rhea 2026", default=True)
    before = queries.price_book(system_scope())
    with pytest.raises(Invalid):
        child_of(house.rhea, "")
    assert queries.price_book(system_scope()) == before


def test_a_company_that_arrives_gets_the_default_card_from_that_instant(house: House) -> None:
    card = actions.create_rate_card(house.strand, name="Strand 2026", default=True)
    strand, acme = house.strand.organisation_id, house.acme.organisation_id
    moved(house.twin, acme, strand, day(10))
    with catalogue_change() as change:
        made = actions.assign_default(house.twin, change=change, seller_id=strand, buyer_id=acme, at=day(10))
    assert made is not None
    assert (made.seller_id, made.buyer_id, made.card_id, made.effective_from) == (strand, acme, card.id, day(10))


def test_a_company_that_returns_pays_what_it_had_agreed(house: House) -> None:
    old = actions.create_rate_card(house.rhea, name="Old")
    rhea, acme = house.rhea.organisation_id, house.acme.organisation_id
    made = assigned(house.rhea, acme, old)
    actions.create_rate_card(house.rhea, name="New", default=True)
    with catalogue_change() as change:
        assert actions.assign_default(house.twin, change=change, seller_id=rhea, buyer_id=acme, at=day(10)) is None
    assert agreed(rhea, acme) == [made]


# What is seen ----------------------------------------------------------------


def test_the_price_book_holds_every_seller_in_order_of_instant_and_record(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    other = actions.create_rate_card(house.strand, name="Strand 2026")
    recorded(house.rhea, card, new_rate(3, effective_from=day(2)), new_rate(1), new_rate(2))
    recorded(house.strand, other, new_rate(9))
    assert (book_of(house, card.id), book_of(house, other.id)) == ([1, 2, 3], [9])


def test_only_the_system_reads_the_price_book(house: House) -> None:
    for scope in (house.twin, house.rhea, house.acme):
        with pytest.raises(Forbidden):
            queries.price_book(scope)


def test_a_stranger_sees_no_card_and_no_rate(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    recorded(house.rhea, card, new_rate(5))
    for stranger in (house.twin, house.strand, house.acme):
        assert queries.list_cards(stranger) == []
        with pytest.raises(RateCardNotFound):
            queries.rates_of(stranger, card.id)


@pytest.mark.parametrize("table", ["pricing_ratecard", "pricing_rate", "pricing_assignment"])
def test_without_a_filter_the_database_still_shows_the_own_rows_only(house: House, table: str) -> None:
    for scope in (house.rhea, house.strand):
        card = actions.create_rate_card(scope, name="A card")
        recorded(scope, card, new_rate(5))
        assigned(scope, child_of(scope, "A customer").id, card)
    with tenant_transaction(house.rhea.organisation_id), connections["default"].cursor() as cursor:
        cursor.execute(f"select seller_id, count(*) from {table} group by 1")
        assert cursor.fetchall() == [(house.rhea.organisation_id, 1)]


def test_a_buyer_sees_its_assignment_and_neither_card_nor_rate(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea 2026")
    recorded(house.rhea, card, new_rate(5))
    assigned(house.rhea, house.acme.organisation_id, card)
    with tenant_transaction(house.acme.organisation_id), connections["default"].cursor() as cursor:
        counts = []
        for table in ("pricing_ratecard", "pricing_rate", "pricing_assignment"):
            cursor.execute(f"select count(*) from {table}")
            counts.append(cursor.fetchone()[0])
    assert counts == [0, 0, 1]


def test_the_database_refuses_a_card_in_another_sellers_name(house: House) -> None:
    insert = "insert into pricing_ratecard (seller_id, name, is_default) values (%s, 'x', false)"
    with pytest.raises(DatabaseError, match="row-level security"), tenant_transaction(house.rhea.organisation_id):
        connections["default"].cursor().execute(insert, [house.strand.organisation_id])


def test_the_seeded_meters_are_those_of_the_code(house: House) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select id, code, service, unit from pricing_meter order by id")
        assert cursor.fetchall() == [(meter.id, meter.code, meter.service, meter.unit) for meter in METERS]


def test_a_reseller_made_beneath_a_reseller_sells_by_cards_of_its_own(house: House) -> None:
    sola = scope_of(child_of(house.rhea, "Sola", kind="reseller"))
    card = actions.create_rate_card(sola, name="Sola 2026", default=True)
    cedar = child_of(house.rhea, "Cedar", parent_id=sola.organisation_id)
    assert queries.assignment_at(house.rhea, cedar.id, day(1)) is None
    found = queries.assignment_at(sola, cedar.id, day(1))
    assert found is not None
    assert found.card_id == card.id


def test_a_copy_is_made_whole_or_not_at_all(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Old")
    recorded(house.rhea, card, new_rate(MAX_NANO), new_rate(100, meter="sms.sent"))
    with pytest.raises(RatesUnusable):
        actions.copy_card(house.rhea, card_id=card.id, name="Dearer", percent=Decimal(10), at=day(5))
    assert queries.list_cards(house.rhea) == [card]
    with pytest.raises(RateCardNotFound):
        actions.copy_card(house.strand, card_id=card.id, name="Stolen", percent=Decimal(0), at=day(5))
    assert queries.list_cards(house.strand) == []
    copy = actions.copy_card(house.rhea, card_id=card.id, name="Half", percent=Decimal(-50), at=day(5))
    found = [(one.terms.unit_price_nano, one.effective_from) for one in queries.rates_of(house.rhea, copy.id)]
    assert found == [(50, day(5)), (MAX_NANO // 2 + 1, day(5))]
