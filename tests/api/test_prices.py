"""Cards, rates and what each company pays, sentence by sentence of the contract."""

from __future__ import annotations

import pytest

from tests.api.client import Api, event
from tests.world import World

RATE = {"meter": "sms.sent", "unit_price": "0.05", "effective_from": "2026-06-01T00:00:00Z"}
MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"


def acme_sell(api: Api, world: World) -> str:
    report = api.get(f"/reports/reseller-companies?{MARCH}&section=messaging", world.rhea).json
    rows = {row["company_id"]: row for row in report["sections"]["messaging"]["rows"]}
    return str(rows[world.acme.id]["total_sell"])


def test_a_card_belongs_to_the_company_of_the_key(api: Api, world: World) -> None:
    made = api.post("/rate-cards", world.rhea, {"name": "Autumn"})
    assert (made.status, made.json) == (201, {"id": made.json["id"], "name": "Autumn", "default": False})
    assert made.json in api.get("/rate-cards", world.rhea).json["items"]
    assert made.json not in api.get("/rate-cards", world.twin).json["items"]


def test_a_new_default_takes_the_place_of_the_old(api: Api, world: World) -> None:
    api.post("/rate-cards", world.rhea, {"name": "Autumn", "default": True})
    cards = {card["name"]: card["default"] for card in api.get("/rate-cards", world.rhea).json["items"]}
    assert cards == {"Rhea 2026": False, "Autumn": True}


def test_recorded_rates_are_told_exactly(api: Api, world: World) -> None:
    card = api.post("/rate-cards", world.rhea, {"name": "Calls"}).json["id"]
    rate = {
        "meter": "call.outgoing",
        "selector": {"country": "DE", "network": "1"},
        "unit_price": "0.074500000",
        "per": 60,
        "minimum": 60,
        "increment": 6,
        "setup_fee": "0.000000001",
        "effective_from": "2026-06-01T02:00:00.5+02:00",
    }
    made = api.post(f"/rate-cards/{card}/rates", world.rhea, {"rates": [rate]})
    assert (made.status, made.json) == (201, {"priced": 0, "pending": 0})
    found = api.get(f"/rate-cards/{card}/rates", world.rhea).json["items"]
    changed = {"unit_price": "0.0745", "effective_from": "2026-06-01T00:00:00.500000Z"}
    assert found == [rate | changed | {"id": found[0]["id"]}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit_price": 0.05}, "unit_price"),
        ({"unit_price": 1}, "unit_price"),
        ({"unit_price": "-0.01"}, "unit_price"),
        ({"unit_price": "1e-3"}, "unit_price"),
        ({"unit_price": "0.0000000001"}, "unit_price"),
        ({"unit_price": " 1"}, "unit_price"),
        ({"unit_price": "\u0661"}, "unit_price"),
        ({"unit_price": ""}, "unit_price"),
        ({"unit_price": "NaN"}, "unit_price"),
        ({"unit_price": "9999999999"}, "unit_price"),
        ({"setup_fee": "-1"}, "setup_fee"),
        ({"setup_fee": None}, "setup_fee"),
        ({"per": 0}, "per"),
        ({"per": 10**6 + 1}, "per"),
        ({"per": True}, "per"),
        ({"per": 1.5}, "per"),
        ({"per": "1"}, "per"),
        ({"minimum": -1}, "minimum"),
        ({"increment": 0}, "increment"),
        ({"meter": "sms"}, "meter"),
        ({"meter": 1}, "meter"),
        ({"selector": {"a": 1}}, "selector"),
        ({"selector": ["a"]}, "selector"),
        ({"selector": {str(number): "x" for number in range(5)}}, "selector"),
        ({"selector": {"a": "x" * 129}}, "selector"),
        ({"selector": {"a": "\x00"}}, "selector"),
        ({"effective_from": "2026-06-01T00:00:00"}, "effective_from"),
        ({"effective_from": None}, "effective_from"),
        ({"price": "1"}, "price"),
    ],
)
def test_one_bad_rate_refuses_the_whole_list(
    api: Api, shared_world: World, change: dict[str, object], field: str
) -> None:
    path = f"/rate-cards/{shared_world.rhea_card.id}/rates"
    before = api.get(path, shared_world.rhea).json
    refused = api.post(path, shared_world.rhea, {"rates": [RATE, RATE | change]})
    assert refused.status == 422, refused.content
    assert refused.places[0][:4] == ["body", "rates", 1, field]
    assert api.get(path, shared_world.rhea).json == before


def test_a_list_of_rates_that_is_too_long_is_told_so(api: Api, shared_world: World) -> None:
    path = f"/rate-cards/{shared_world.rhea_card.id}/rates"
    assert api.post(path, shared_world.rhea, {"rates": [RATE] * 10_001}).status == 413
    assert api.post(path, shared_world.rhea, {"rates": []}).status == 422


def test_a_rate_that_would_change_a_charge_is_a_clash(api: Api, world: World) -> None:
    path = f"/rate-cards/{world.rhea_card.id}/rates"
    api.usage(world.twin, event(world.acme.id, "1"))
    clash = api.post(path, world.rhea, {"rates": [RATE, RATE | {"effective_from": "2026-03-01T00:00:00Z"}]})
    assert clash.status == 409
    assert acme_sell(api, world) == "0.02"
    assert len(api.get(path, world.rhea).json["items"]) == 19
    assert api.post(path, world.rhea, {"rates": [RATE]}).status == 201


def test_free_usage_is_charged_too(api: Api, world: World) -> None:
    card = api.post("/rate-cards", world.rhea, {"name": "Free"}).json["id"]
    free = RATE | {"unit_price": "0", "effective_from": "2026-01-01T00:00:00Z"}
    api.post(f"/rate-cards/{card}/rates", world.rhea, {"rates": [free]})
    choice = {"rate_card_id": card, "effective_from": "2026-02-01T00:00:00Z"}
    assert api.put(f"/companies/{world.acme.id}/rate-card", world.rhea, choice).status == 200
    api.usage(world.twin, event(world.acme.id, "1"))
    late = RATE | {"effective_from": "2026-03-01T00:00:00Z"}
    assert api.post(f"/rate-cards/{card}/rates", world.rhea, {"rates": [late]}).status == 409


def test_usage_that_waited_is_priced_in_the_same_call(api: Api, world: World) -> None:
    card = api.post("/rate-cards", world.rhea, {"name": "Empty"}).json["id"]
    choice = {"rate_card_id": card, "effective_from": "2026-02-01T00:00:00Z"}
    api.put(f"/companies/{world.acme.id}/rate-card", world.rhea, choice)
    assert api.usage(world.twin, event(world.acme.id, "1"), event(world.acme.id, "2")).json["unrated"] == 2
    groups = api.get("/usage/unrated", world.rhea).json["items"]
    assert groups == [
        {
            "seller_id": world.rhea.id,
            "buyer_id": world.acme.id,
            "meter": "sms.sent",
            "attributes": {},
            "count": 2,
            "first_at": "2026-03-01T12:00:00Z",
            "last_at": "2026-03-01T12:00:00Z",
        }
    ]
    late = RATE | {"effective_from": "2026-01-01T00:00:00Z"}
    priced = api.post(f"/rate-cards/{card}/rates", world.rhea, {"rates": [late]})
    assert (priced.status, priced.json) == (201, {"priced": 2, "pending": 0})
    assert acme_sell(api, world) == "0.1"
    assert api.get("/usage/unrated", world.rhea).json["items"] == []


def test_only_the_seller_says_what_its_child_pays(api: Api, world: World) -> None:
    path = f"/companies/{world.acme.id}/rate-card"
    own = {"rate_card_id": world.wholesale.id, "effective_from": "2026-06-01T00:00:00Z"}
    assert api.put(path, world.twin, own).status == 422
    assert api.put(path, world.twin, own | {"rate_card_id": world.rhea_card.id}).status == 422
    assert api.put(path, world.acme, own | {"rate_card_id": world.rhea_card.id}).status == 422
    foreign = api.put(path, world.rhea, own)
    assert (foreign.status, foreign.places) == (422, [["body", "rate_card_id"]])
    chosen = api.put(path, world.rhea, own | {"rate_card_id": world.rhea_card.id})
    assert (chosen.status, chosen.json) == (
        200,
        {
            "company_id": world.acme.id,
            "rate_card_id": world.rhea_card.id,
            "effective_from": "2026-06-01T00:00:00Z",
            "priced": 0,
            "pending": 0,
        },
    )


def test_a_card_cannot_be_given_for_usage_already_charged(api: Api, world: World) -> None:
    api.usage(world.twin, event(world.acme.id, "1"))
    path = f"/companies/{world.acme.id}/rate-card"
    choice = {"rate_card_id": world.rhea_card.id, "effective_from": "2026-03-01T12:00:00Z"}
    assert api.put(path, world.rhea, choice).status == 409
    assert api.put(path, world.rhea, choice | {"effective_from": "2026-03-01T12:00:00.000001Z"}).status == 200


def test_of_two_assignments_of_one_instant_the_later_counts(api: Api, world: World) -> None:
    second = api.post("/rate-cards", world.rhea, {"name": "Second"}).json["id"]
    path = f"/companies/{world.acme.id}/rate-card"
    for card in (world.rhea_card.id, second):
        api.put(path, world.rhea, {"rate_card_id": card, "effective_from": "2026-06-01T00:00:00Z"})
    assert api.get(f"{path}?at=2026-06-01T00:00:00Z", world.rhea).json["rate_card_id"] == second
    assert api.get(f"{path}?at=2026-05-31T23:59:59.999999Z", world.rhea).json["rate_card_id"] == world.rhea_card.id


def test_beneath_a_sub_reseller_its_seller_sees_no_prices(api: Api, shared_world: World) -> None:
    assert api.get(f"/companies/{shared_world.cedar.id}", shared_world.rhea).status == 200
    assert api.get(f"/companies/{shared_world.cedar.id}/rate-card", shared_world.rhea).status == 404
    assert api.get(f"/companies/{shared_world.cedar.id}/rate-card", shared_world.sola).status == 200
    assert api.get(f"/rate-cards/{shared_world.sola_card.id}/rates", shared_world.rhea).status == 404


@pytest.mark.parametrize("query", ["at=2026-06-01T00:00:00", "at=now", "at=", "when=2026-06-01T00:00:00Z"])
def test_a_bad_instant_of_an_assignment_is_bad_input(api: Api, shared_world: World, query: str) -> None:
    assert api.get(f"/companies/{shared_world.acme.id}/rate-card?{query}", shared_world.rhea).status == 422
