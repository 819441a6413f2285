"""Corrections on pages: a price that clashes offers one, both sides are seen first, strangers see nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.metering.test_rerating import differences, price, record_beneath_charges
from tests.metering.test_taking import cells, event, take
from tests.portal.people import PASSWORD, People, employ_people
from tests.world import World, build_world
from twin.metering import queries
from twin.metering.actions import continue_reratings

pytestmark = pytest.mark.database

SPAN = {"from": "2026-03-01T00:00", "to": "2026-03-02T00:00"}
RATE = {
    "meter": "sms.delivered",
    "selector": "",
    "unit_price": "0.05",
    "per": "1",
    "minimum": "0",
    "increment": "1",
    "effective_from": "2026-03-01T00:00:00Z",
    "below_cost": "on",
}


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def people(world: World, quick_passwords: None) -> People:
    return employ_people(world)


def signed_in(people: People, name: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": people.of(name).email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def rhea(people: People) -> Client:
    return signed_in(people, "rhea")


def figures(page: Any) -> list[tuple[str, str]]:
    return [(side.before.exact, side.after.exact) for side in page.context["page"].sides]


def test_a_price_that_clashes_leads_to_a_correction_that_is_seen_then_done(rhea: Client, world: World) -> None:
    take(world, event(world.acme.id, "a", quantity=2), event(world.birch.id, "b"))
    card = f"/prices/{world.rhea_card.id}"
    refused = rhea.post(f"{card}/rates", RATE)
    assert f'formaction="{card}/correct"' in refused.text

    asked = rhea.post(f"{card}/correct", RATE)["Location"]
    page = rhea.get(asked)
    assert figures(page) == [("0.06", "0.15")]
    assert "Correct 2 charges" in page.text
    assert cells(world, "rhea")[0][5] == 40_000_000, "nothing happens before the decision"
    assert rhea.post(f"{asked}/decide", {"reason": " "}).status_code == 422

    assert rhea.post(f"{asked}/decide", {"reason": "agreed <b>otherwise</b>"})["Location"] == asked
    done = rhea.get(asked)
    assert "agreed &lt;b&gt;otherwise&lt;/b&gt;" in done.text
    assert figures(done) == [("0.06", "0.15")]
    assert [row[5] for row in cells(world, "rhea")] == [100_000_000, 50_000_000]
    assert "corrected" in rhea.get("/corrections").text
    assert differences() == []


def test_a_card_that_should_have_been_given_leads_to_a_correction(rhea: Client, world: World) -> None:
    take(world, event(world.acme.id, "a"))
    other = rhea.post("/prices", {"name": "Better"})["Location"]
    rhea.post(f"{other}/rates", {**RATE, "unit_price": "0.015"})
    given = {"buyer_id": str(world.acme.id), "effective_from": "2026-03-01T00:00:00Z"}
    assert f'formaction="{other}/correct-companies"' in rhea.post(f"{other}/companies", given).text

    asked = rhea.post(f"{other}/correct-companies", given)["Location"]
    assert figures(rhea.get(asked)) == [("0.02", "0.015")]
    rhea.post(f"{asked}/decide", {"reason": "wrong card"})

    assert cells(world, "rhea")[0][5] == 15_000_000


def test_a_time_is_charged_again_of_one_company_and_meter(rhea: Client, world: World) -> None:
    take(world, event(world.acme.id, "a"), event(world.birch.id, "b"))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))

    asked = rhea.post("/corrections", {**SPAN, "buyer_id": str(world.acme.id), "meter": "sms.delivered"})["Location"]

    [row] = rhea.get(asked).context["page"].sides[0].by_company
    assert (row.title, row.count) == ("Acme", "1")
    assert rhea.post(f"{asked}/discard")["Location"] == "/corrections"
    assert rhea.post(f"{asked}/decide", {"reason": "too late"}).status_code == 422
    assert cells(world, "rhea")[0][5] == 20_000_000
    assert rhea.post("/corrections", {"from": SPAN["to"], "to": SPAN["from"]}).status_code == 422


def test_who_acts_for_a_reseller_from_above_decides_for_both_edges(people: People, world: World) -> None:
    take(world, event(world.acme.id, "a"))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))
    record_beneath_charges(world.twin, world.wholesale.id, price("0.04"))
    twin = signed_in(people, "twin")
    assert 'name="both"' not in twin.get("/corrections").text
    twin.post(f"/companies/{world.rhea.id}/act", {"reason": "Ticket 7", "way": "change"})
    assert 'name="both"' in twin.get("/corrections").text

    asked = twin.post("/corrections", {**SPAN, "both": "on"})["Location"]
    page = twin.get(asked)

    assert figures(page) == [("0.02", "0.05"), ("0.01", "0.04")]
    assert page.context["page"].margin.exact == "0"
    twin.post(f"{asked}/decide", {"reason": "both were wrong"})
    assert cells(world, "rhea") == [(world.acme.id, 2, 1, 1, 40_000_000, 50_000_000, 0)]
    assert cells(world, "twin") == [(world.acme.id, 2, 1, 1, 0, 40_000_000, 0)]
    rhea = signed_in(people, "rhea")
    assert 'name="both"' not in rhea.get("/corrections").text


def test_nobody_else_finds_a_correction(people: People, rhea: Client, world: World) -> None:
    asked = rhea.post("/corrections", SPAN)["Location"]
    for name in ("strand", "acme", "twin"):
        client = signed_in(people, name)
        for way in ("", "/decide", "/discard", "/recount"):
            answer = client.get(asked) if not way else client.post(asked + way, {"reason": "mine"})
            assert answer.status_code == 404, (name, way)
    assert [one.state for one in queries.reratings(world.rhea.scope)] == ["ready"]


def test_what_is_too_much_at_once_is_counted_by_the_job(
    rhea: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.metering.actions.recharging.EVENTS_A_STEP", 2)
    monkeypatch.setattr("twin.portal.views.corrections._EVENTS_AT_ONCE", 4)
    take(world, *(event(world.acme.id, f"a{number}") for number in range(7)))
    record_beneath_charges(world.rhea, world.rhea_card.id, price("0.05"))

    asked = rhea.post("/corrections", SPAN)["Location"]
    assert "is being counted" in rhea.get(asked).text
    assert continue_reratings() == 1
    assert figures(rhea.get(asked)) == [("0.14", "0.35")]
    rhea.post(f"{asked}/decide", {"reason": "r"})
    assert "4 of 7 events" in rhea.get(asked).text
    assert continue_reratings() == 1
    assert cells(world, "rhea")[0][5] == 350_000_000
