from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
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
    assert [(one.price, one.state) for one in ruth.get(card).context["page"].list.rows] == [
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
    assert [one.price for one in ruth.get("/prices/paid").context["page"].rows] == ["0.0300"]


def test_a_card_is_copied_with_a_percentage(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "effective_from": "2026-02-01T00:00"})
    ruth.post(f"{card}/rates", {**SMS, "unit_price": "0.05", "effective_from": "2026-03-01T00:00"})
    copy = ruth.post(f"{card}/copy", {"name": "Dearer", "percent": "10"})["Location"]
    assert [one.price for one in ruth.get(copy).context["page"].list.rows] == ["0.0550"]
    assert ruth.post(f"{card}/copy", {"name": "Dearer", "percent": "-101"}).status_code == 422


def test_a_copy_that_cannot_be_whole_leaves_no_card(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "unit_price": "9000000000"})
    refused = ruth.post(f"{card}/copy", {"name": "Dearer", "percent": "100"})
    assert refused.status_code == 422
    assert "A price would be larger than can be stored" in refused.text
    assert [one.name for one in queries.list_cards(scope_of(world.rhea))] == ["Standard"]


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
    assert head.startswith("\ufeffmeter,selector,unit_price,per")
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


CHANNEL = {**SMS, "meter": "sms", "charged_on": "delivered"}


def prices_now(world: Tree, card: str) -> list[tuple[int, int]]:
    rates = queries.rates_of(scope_of(world.rhea), int(card.rsplit("/", 1)[1]))
    return [(rate.meter_id, rate.terms.unit_price_nano) for rate in rates]


def test_a_channel_is_charged_on_delivery_or_on_sending_by_one_switch(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    assert ruth.post(f"{card}/rates", {**CHANNEL, "setup_fee": "0,5", "minimum": "3"}).status_code == 302
    assert prices_now(world, card) == [(1, 0), (2, 20_000_000)]
    free, charged = queries.rates_of(scope_of(world.rhea), int(card.rsplit("/", 1)[1]))
    assert free.effective_from == charged.effective_from
    assert (free.terms.setup_fee_nano, charged.terms.setup_fee_nano) == (0, 500_000_000)
    assert ruth.post(f"{card}/rates", {**CHANNEL, "meter": "push", "charged_on": "sent"}).status_code == 302
    assert prices_now(world, card)[2:] == [(9, 20_000_000), (10, 0)]
    for wrong in ("", "later"):
        assert ruth.post(f"{card}/rates", {**CHANNEL, "charged_on": wrong}).status_code == 422
    assert len(prices_now(world, card)) == 4


def test_more_precise_prices_of_the_other_meter_are_asked_about(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    ruth.post(f"{card}/rates", {**SMS, "selector": "country=DE", "effective_from": "2026-02-01T00:00"})
    asked = ruth.post(f"{card}/rates", CHANNEL)
    assert asked.status_code == 422
    assert "such messages would be charged twice" in asked.text
    assert "country=DE: 0.0200" in asked.text
    assert len(prices_now(world, card)) == 1
    assert ruth.post(f"{card}/rates", {**CHANNEL, "keep_precise": "on"}).status_code == 302


def test_a_channel_costs_what_both_its_meters_cost(ruth: Client, world: Tree) -> None:
    wholesale = actions.create_rate_card(world.twin, name="Wholesale")
    metering.assign_rate_card(world.twin, buyer_id=world.rhea.id, card_id=wholesale.id, effective_from=now())
    on_sending = [rate(20_000_000), rate(0, meter="sms.delivered")]
    metering.publish_rates(world.twin, card_id=wholesale.id, rates=on_sending)
    card = made_card(ruth)
    assert ruth.post(f"{card}/rates", CHANNEL).status_code == 302
    asked = ruth.post(f"{card}/rates", {**CHANNEL, "unit_price": "0.01"})
    assert asked.text.count("This earns 0.0100 where you pay 0.0200 yourself.") == 1


def test_cards_and_prices_are_searched_and_paged(ruth: Client, world: Tree) -> None:
    scope = scope_of(world.rhea)
    cards = [actions.create_rate_card(scope, name=f"Card {number:02}") for number in range(51)]
    page = ruth.get("/prices?page=2").context["page"]
    assert [row.card.name for row in page.cards] == ["Card 50"]
    assert page.pager.words == "51–51 of 51"
    assert ruth.get("/prices?page=9")["Location"] == "/prices?page=2"
    assert [row.card.name for row in ruth.get("/prices?search=card 07").context["page"].cards] == ["Card 07"]
    assert "No rate card fits" in ruth.get("/prices?search=%25").text
    metering.publish_rates(
        scope, card_id=cards[0].id, rates=[rate(number, selector={"n": f"{number}"}) for number in range(120)]
    )
    shown = ruth.get(f"/prices/{cards[0].id}?page=3").context["page"].list
    assert (len(shown.rows), shown.pager.words) == (20, "101–120 of 120")
    assert ruth.get(f"/prices/{cards[0].id}?page=4")["Location"] == f"/prices/{cards[0].id}?page=3"
    assert [row.selector for row in ruth.get(f"/prices/{cards[0].id}?search=n=77").context["page"].list.rows] == [
        "n=77"
    ]
    assert len(ruth.get(f"/prices/{cards[0].id}?search=sent sms&show=current").context["page"].list.rows) == 50
    assert "No price fits" in ruth.get(f"/prices/{cards[0].id}?search=zz").text


def in_berlin() -> None:
    get_user_model().objects.filter(email="ruth@example.com").update(time_zone="Europe/Berlin")


def test_instants_stand_beside_local_times(ruth: Client, world: Tree) -> None:
    in_berlin()
    card = made_card(ruth)
    said = ruth.post(f"{card}/rates", {**SMS, "effective_from": "2036-07-01T00:00:00"}, follow=True).text
    assert "It counts from 1 Jul 2036, 00:00:00 (2036-06-30T22:00:00Z) on." in said
    assert '<span class="instant">2036-06-30T22:00:00Z</span>' in said


def test_who_pays_by_a_card_is_a_history(ruth: Client, world: Tree) -> None:
    in_berlin()
    card, other = made_card(ruth), made_card(ruth, "Other")
    for path, start in ((card, "2026-02-01T00:00"), (other, "2026-03-01T00:00"), (card, "2036-01-01T00:00")):
        assert (
            ruth.post(f"{path}/companies", {"buyer_id": str(world.acme.id), "effective_from": start}).status_code == 302
        )
    page = ruth.get(f"{card}/companies?show=all").context["page"]
    assert [(row.span.buyer, row.span.state) for row in page.rows] == [("Acme", "planned"), ("Acme", "past")]
    assert ruth.get(f"{other}/companies").context["page"].rows[0].span.buyer == "Acme"
    assert "No company fits" in ruth.get(f"{card}/companies").text
    history = ruth.get(f"/companies/{world.acme.id}/card")
    assert [row.span.card for row in history.context["page"].rows] == ["Standard", "Other", "Standard"]
    assert "2026-02-28T23:00:00Z" in history.text


def test_a_company_is_given_a_card_on_its_own_page(ruth: Client, world: Tree) -> None:
    card = made_card(ruth)
    number, path = card.rsplit("/", 1)[1], f"/companies/{world.acme.id}/card"
    assert ruth.post(path, {"card_id": number}, follow=True).context["page"].rows[0].span.card == "Standard"
    foreign = actions.create_rate_card(scope_of(world.strand), name="Foreign")
    for wrong in (str(foreign.id), "0", "x", str(2**40), ""):
        refused = ruth.post(path, {"card_id": wrong})
        assert refused.status_code == 422
        assert "rate card" in refused.context["page"].form.errors["card_id"][0]
    early = ruth.post(path, {"card_id": number, "effective_from": "1990-01-01T00:00"})
    assert "You did not sell to the company then" in early.text
    for hidden in (world.cedar.id, world.dune.id, world.rhea.id, 2**31):
        assert ruth.get(f"/companies/{hidden}/card").status_code == 404
        assert ruth.post(f"/companies/{hidden}/card", {"card_id": number}).status_code == 404
