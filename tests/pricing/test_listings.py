"""Lists of cards, rates and assignments: searched, counted and paged, each seller its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.pricing.factories import BEGINNING, House, assigned, child_of, day, moved, new_rate, recorded
from twin.pricing import actions, queries
from twin.pricing.errors import RateCardNotFound

pytestmark = pytest.mark.database
NOW = day(30)


def test_cards_are_found_by_name_and_id_with_their_numbers(house: House) -> None:
    street = actions.create_rate_card(house.rhea, name="Große Straße")
    other = actions.create_rate_card(house.rhea, name="ЗИМА 100%")
    actions.create_rate_card(house.strand, name="Große fremde")
    recorded(house.rhea, street, new_rate(1), new_rate(2))
    assigned(house.rhea, house.acme.organisation_id, street)
    found = queries.card_directory(house.rhea, NOW)
    assert [(one.card, one.buyers, one.rates) for one in found.items] == [(street, 1, 2), (other, 0, 0)]
    for search, names in (
        ("GROSSE", ["Große Straße"]), ("зима", ["ЗИМА 100%"]), (str(other.id), ["ЗИМА 100%"]), ("0%", ["ЗИМА 100%"]),
        ("_", []), ("\0", []), ("\ud800", []),
    ):  # fmt: skip
        assert [one.card.name for one in queries.card_directory(house.rhea, NOW, search=search).items] == names, search
    assert [one.card for one in queries.card_directory(house.rhea, NOW, sort="-buyers", limit=1).items] == [street]
    last = queries.card_directory(house.rhea, NOW, offset=1, limit=1)
    assert ([one.card for one in last.items], last.total) == ([other], 2)


def test_a_company_that_left_counts_no_more(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Old")
    assigned(house.rhea, house.acme.organisation_id, card)
    moved(house.twin, house.acme.organisation_id, house.strand.organisation_id, day(10))
    assert queries.card_directory(house.rhea, NOW).items[0].buyers == 0
    assert queries.card_directory(house.rhea, day(5)).items[0].buyers == 1


def test_rates_know_their_state_and_are_found_by_attribute_and_meter(house: House) -> None:
    card = actions.create_rate_card(house.rhea, name="Rhea")
    german = {"country": "DE", "operator": "Ü 1"}
    recorded(house.rhea, card, *(new_rate(price, effective_from=day(price)) for price in (1, 2, 40)))
    recorded(
        house.rhea,
        card,
        new_rate(3, effective_from=day(2)),
        new_rate(7, selector=german),
        new_rate(8, meter="bot.message"),
    )
    whole = queries.rates_listed(house.rhea, card.id, NOW)
    assert [(one.rate.terms.unit_price_nano, one.state) for one in whole.items] == [
        (40, "planned"), (3, "current"), (2, "past"), (1, "past"), (7, "current"), (8, "current")
    ]  # fmt: skip
    assert (whole.total, whole.counts) == (6, {"all": 6, "current": 3, "planned": 1, "past": 2})
    assert [
        one.rate.terms.unit_price_nano for one in queries.rates_listed(house.rhea, card.id, NOW, search="ü 1").items
    ] == [7]
    found = queries.rates_listed(house.rhea, card.id, NOW, search="country=de", meters=[19], state="current", limit=1)
    assert ([one.rate.terms.unit_price_nano for one in found.items], found.total) == ([7], 2)
    assert queries.rates_listed(house.rhea, card.id, NOW, search="%").items == ()
    with pytest.raises(RateCardNotFound):
        queries.rates_listed(house.strand, card.id, NOW)


def test_a_buyer_reads_the_rates_it_pays_now_and_no_other(house: House) -> None:
    old, card = (actions.create_rate_card(house.twin, name=name) for name in ("Old", "New"))
    recorded(house.twin, old, new_rate(1))
    recorded(house.twin, card, new_rate(2), new_rate(3, effective_from=day(40)))
    rhea = house.rhea.organisation_id
    assert queries.rates_paid(house.rhea, NOW).items == ()
    assigned(house.twin, rhea, old)
    assigned(house.twin, rhea, card, day(10))
    assert [(one.rate.terms.unit_price_nano, one.state) for one in queries.rates_paid(house.rhea, NOW).items] == [
        (3, "planned"), (2, "current")
    ]  # fmt: skip
    assert [one.rate.terms.unit_price_nano for one in queries.rates_paid(house.rhea, day(5)).items] == [1]
    assert queries.rates_paid(house.strand, NOW).items == ()
    assert queries.rates_paid(house.twin, NOW).items == ()


def test_assignments_are_a_history_of_spans(house: House) -> None:
    cards = [actions.create_rate_card(house.rhea, name=f"Card {number}") for number in range(3)]
    acme = house.acme.organisation_id
    assigned(house.rhea, acme, cards[0])
    assigned(house.rhea, acme, cards[1], day(10))
    assigned(house.rhea, acme, cards[2], day(10))
    assigned(house.rhea, acme, cards[0], day(40))
    spans = queries.assignment_history(house.rhea, acme, NOW).items
    assert [(one.card, one.start, one.end, one.state) for one in spans] == [
        ("Card 0", day(40), None, "planned"),
        ("Card 2", day(10), day(40), "now"),
        ("Card 1", day(10), day(10), "replaced"),
        ("Card 0", BEGINNING, day(10), "past"),
    ]
    assert queries.assignment_history(house.strand, acme, NOW).items == ()
    assert queries.assignment_history(house.acme, acme, NOW).items == ()
    of_card = queries.buyers_of_card(house.rhea, cards[0].id, NOW, state="all")
    assert [(one.buyer, one.state) for one in of_card.items] == [("Acme", "planned"), ("Acme", "past")]
    assert of_card.counts == {"now": 0, "planned": 1, "past": 1, "all": 2}
    assert queries.buyers_of_card(house.rhea, cards[2].id, NOW, search="acm").total == 1
    assert queries.buyers_of_card(house.rhea, cards[2].id, NOW, search="acme%").total == 0
    with pytest.raises(RateCardNotFound):
        queries.buyers_of_card(house.strand, cards[0].id, NOW)


def test_companies_without_a_card_are_direct_children_that_are_not_closed(house: House) -> None:
    rhea = replace(house.rhea)
    card = actions.create_rate_card(rhea, name="Rhea")
    made = [child_of(rhea, name) for name in ("Birch", "cedar")]
    assigned(rhea, house.acme.organisation_id, card)
    found = queries.companies_without_card(rhea, NOW)
    assert [(one.id, one.name) for one in found.items] == [(one.id, one.name) for one in made]
    assert queries.companies_without_card(rhea, NOW, search="CED").items[0].name == "cedar"
    assert queries.companies_without_card(rhea, NOW, offset=1).total == 2
    assert queries.companies_without_card(house.strand, NOW).items == ()
