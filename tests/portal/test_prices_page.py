from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.companies.factories import Tree, a_tree, scope_of
from tests.portal.people import PASSWORD, employ
from twin.kernel.clock import now
from twin.metering import actions as metering
from twin.pricing import actions, queries
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def ruth(world: Tree) -> Client:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    client = Client()
    assert client.post("/login", {"login": "ruth@example.com", "password": PASSWORD}).status_code == 302
    return client


def rate(price: int, **fields: Any) -> NewRate:
    given = {"meter": "sms.sent", "selector": {}, "per": 1, "minimum": 0, "increment": 1, "setup_fee_nano": 0}
    return NewRate(**{**given, "unit_price_nano": price, "effective_from": now(), **fields})


SMS = {"meter": "sms.sent", "selector": "", "unit_price": "0,02", "per": "1", "minimum": "0", "increment": "1"}


def made_card(client: Client, name: str = "Standard", **fields: str) -> str:
    return client.post("/prices", {"name": name, **fields})["Location"]


def test_a_card_is_made_filled_and_given(ruth: Client, world: Tree) -> None:
    scope = scope_of(world.rhea)
    card = made_card(ruth, default="on")
    assert ruth.post(f"{card}/rates", SMS)["Location"] == card
    german = {**SMS, "selector": "country=DE, operator=1", "unit_price": "0.03"}
    assert ruth.post(f"{card}/rates", german).status_code == 302
    rates = queries.rates_of(scope, queries.list_cards(scope)[0].id)
    assert [(one.terms.unit_price_nano, one.selector) for one in rates] == [
        (20_000_000, ()),
        (30_000_000, (("country", "DE"), ("operator", "1"))),
    ]
    assert ruth.post(f"{card}/companies", {"buyer_id": str(world.acme.id)})["Location"] == card
    assert queries.cards_of_buyers(scope, now())[world.acme.id].name == "Standard"
    page = ruth.get(card).text
    assert "country=DE, operator=1" in page
    assert "0.0200" in page
    assert f'href="/companies/{world.acme.id}"' in page
    assert "Standard" in ruth.get("/companies").text


def test_a_price_that_is_replaced_stays_in_the_history(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "effective_from": "2026-02-01T00:00"})
    ruth.post(f"{card}/rates", {**SMS, "unit_price": "0.05", "effective_from": "2026-03-01T00:00"})
    ruth.post(f"{card}/rates", {**SMS, "unit_price": "0.07", "effective_from": "2036-03-01T00:00"})
    assert [(one.price, one.state) for one in ruth.get(card).context["page"].rates] == [
        ("0.0700", "planned"),
        ("0.0500", "current"),
        ("0.0200", "past"),
    ]


def test_what_cannot_be_a_price_is_told_by_its_field(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    for wrong, sentence in (
        ({"unit_price": "-1"}, "Write a decimal number from 0"),
        ({"unit_price": "1e3"}, "Write a decimal number from 0"),
        ({"selector": "DE"}, "Write attributes like country=DE"),
        ({"effective_from": "soon"}, "This date and time cannot be read"),
        ({"selector": "a=1,b=2,c=3,d=4,e=5"}, "This cannot be recorded"),
    ):
        refused = ruth.post(f"{card}/rates", {**SMS, **wrong})
        assert refused.status_code == 422
        assert sentence in refused.text
    assert ruth.post("/prices", {"name": " "}).status_code == 422


def test_a_price_under_the_cost_is_asked_about_once_more(ruth: Client, world: Tree) -> None:
    wholesale = actions.create_rate_card(world.twin, name="Wholesale")
    metering.assign_rate_card(world.twin, buyer_id=world.rhea.id, card_id=wholesale.id, effective_from=now())
    metering.publish_rates(world.twin, card_id=wholesale.id, rates=[rate(30_000_000)])
    card = made_card(ruth)
    asked = ruth.post(f"{card}/rates", SMS)
    assert asked.status_code == 422
    assert "This earns 0.0200 where you pay 0.0300 yourself." in asked.text
    assert ruth.post(f"{card}/rates", {**SMS, "below_cost": "on"}).status_code == 302
    assert ruth.post(f"{card}/rates", {**SMS, "unit_price": "0.03"}).status_code == 302
    assert [one.price for one in ruth.get("/prices").context["page"].bought] == ["0.0300"]


def test_a_card_is_copied_with_a_percentage(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "effective_from": "2026-02-01T00:00"})
    ruth.post(f"{card}/rates", {**SMS, "unit_price": "0.05", "effective_from": "2026-03-01T00:00"})
    copy = ruth.post(f"{card}/copy", {"name": "Dearer", "percent": "10"})["Location"]
    assert [one.price for one in ruth.get(copy).context["page"].rates] == ["0.0550"]
    assert ruth.post(f"{card}/copy", {"name": "Dearer", "percent": "-101"}).status_code == 422


def test_the_default_card_changes(ruth: Client, world: Tree) -> None:
    scope = scope_of(world.rhea)
    made_card(ruth, default="on")
    other = made_card(ruth, "Other")
    assert ruth.post(f"{other}/default").status_code == 302
    default = queries.default_card(scope)
    assert default is not None
    assert default.name == "Other"


def test_the_file_names_every_recorded_price(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "selector": "country=DE", "effective_from": "2026-02-01T00:00"})
    head, line = ruth.get(f"{card}/file").text.splitlines()
    assert head.startswith("meter,selector,unit_price,per")
    assert line.startswith("sms.sent,country=DE,0.02,1,0,1,0,2026-02-01T00:00:00")


def test_a_card_is_given_to_own_children_only(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    for foreign in (world.dune.id, 2**31):
        refused = ruth.post(f"{card}/companies", {"buyer_id": str(foreign)})
        assert refused.status_code == 422
        assert "There is no such company." in refused.text
    assert ruth.post(f"{card}/companies", {"buyer_id": str(world.cedar.id)}).status_code == 422


def test_the_pages_are_russian_for_russians(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post("/preferences/language", {"language": "ru"})
    assert "Цены" in ruth.get("/prices").text
    assert "Записать цену" in ruth.get(card).text
