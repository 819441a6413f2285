from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.portal.people import People, employ_people
from tests.world import BEGINNING, World, build_world
from twin.companies import actions as companies
from twin.companies.catalogue import catalogue_change
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def people(world: World) -> People:
    return employ_people(world)


@pytest.fixture
def ruth(people: People) -> Client:
    return entered(people, "rhea")


def entered(people: People, name: str) -> Client:
    client = Client()
    client.force_login(people.of(name), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def send(world: World, key: str, quantity: int, meter: str = "sms.sent", **attributes: str) -> None:
    event = {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "tests",
        "id": key,
        "subject": str(world.birch.id),
        "time": "2026-10-15T12:00:00Z",
        "data": {"meter": meter, "quantity": quantity, "attributes": attributes},
    }
    metering.take_events(world.twin.scope, json.dumps([event]).encode(), batch=True)


def test_nothing_to_do_is_said(ruth: Client) -> None:
    assert "Nothing to do" in ruth.get("/to-do").text


def test_usage_without_a_price_leads_to_the_form_that_mends_it(ruth: Client, world: World) -> None:
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare")
    metering.assign_rate_card(
        world.rhea.scope, buyer_id=world.birch.id, card_id=bare.id, effective_from=BEGINNING + timedelta(days=1)
    )
    send(world, "a", 3, country="DE")
    send(world, "b", 4, country="DE")
    (row,) = ruth.get("/to-do").context["page"].to_price
    assert (row.company, row.attributes, row.count) == ("Birch", "country=DE", "2")
    asked = parse_qs(urlsplit(row.href).query)
    assert asked == {"meter": ["sms.sent"], "selector": ["country=DE"], "effective_from": ["2026-10-15T12:00:00"]}
    form = {name: values[0] for name, values in asked.items()}
    form |= {"unit_price": "5", "per": "1", "minimum": "0", "increment": "1"}
    page = ruth.get(row.href).text
    assert 'value="country=DE"' in page
    assert 'value="2026-10-15T12:00:00"' in page
    assert ruth.post(f"/prices/{bare.id}/rates", form, follow=True).text.count("2 events that waited") == 1
    assert "Nothing to do" in ruth.get("/to-do").text


def test_a_contradiction_shows_what_counts_and_what_was_refused(ruth: Client, world: World) -> None:
    send(world, "a", 3)
    send(world, "a", 9)
    (row,) = ruth.get("/to-do").context["page"].conflicts
    assert (row.company, row.id, row.refused.quantity) == ("Birch", "a", "9")
    assert row.kept is not None
    assert row.kept.quantity == "3"


def test_others_see_nothing_of_it(ruth: Client, world: World, people: People) -> None:
    send(world, "a", 3)
    send(world, "a", 9)
    assert entered(people, "strand").get("/to-do").context["page"].conflicts == []
    assert len(ruth.get("/to-do").context["page"].conflicts) == 1


def test_companies_without_a_card_are_named(world: World, people: People) -> None:
    with catalogue_change() as change:
        companies.create_company(world.rhea.scope, change=change, name="Fjord", kind="company", time_zone="UTC")
    page = entered(people, "rhea").get("/to-do")
    assert [one.name for one in page.context["page"].without_card] == ["Fjord"]


def test_long_lists_begin_on_one_page_and_go_on_on_their_own(ruth: Client, world: World) -> None:
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare")
    since = BEGINNING + timedelta(days=1)
    metering.assign_rate_card(world.rhea.scope, buyer_id=world.birch.id, card_id=bare.id, effective_from=since)
    for number in range(12):
        send(world, f"{number}", 1, network=f"{number:02}")
    page = ruth.get("/to-do")
    assert len(page.context["page"].to_price) == 10
    assert 'href="/to-do?show=unrated">Show all 12</a>' in page.text
    assert [(one.title, one.count) for one in page.context["page"].segments][:2] == [
        ("All", "12"),
        ("Without a price", "12"),
    ]
    alone = ruth.get("/to-do?show=unrated").context["page"]
    assert (len(alone.to_price), alone.pager.words) == (12, "1–12 of 12")
    for search, number in (("network=07", 1), ("birch", 12), ("sent sms", 12), ("zz", 0), ("%", 0), ("\x00", 0)):
        assert len(ruth.get("/to-do", {"show": "unrated", "search": search}).context["page"].to_price) == number, search
    assert "Nothing fits this search" in ruth.get("/to-do?search=zz").text
    assert "Nothing to do here" in ruth.get("/to-do?show=conflicts").text
    assert ruth.get("/to-do?show=unrated&page=7")["Location"] == "/to-do?show=unrated"


def test_who_has_no_card_leads_to_giving_one(world: World, people: People) -> None:
    with catalogue_change() as change:
        fjord = companies.create_company(
            world.rhea.scope, change=change, name="Fjord", kind="company", time_zone="UTC", effective_from=BEGINNING
        )
    ruth = entered(people, "rhea")
    page = ruth.get("/to-do").text
    assert f'href="/companies/{fjord.id}/card"' in page
    answer = ruth.post(
        f"/companies/{fjord.id}/card", {"card_id": str(world.rhea_card.id), "effective_from": "2026-01-01"}
    )
    assert answer.status_code == 302
    assert "Nothing to do" in ruth.get("/to-do").text
