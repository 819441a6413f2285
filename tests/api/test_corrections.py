"""Corrections of charges over the API: asked for, previewed, decided; single events taken back."""

from __future__ import annotations

from typing import Any

from tests.api.client import Answer, Api, event
from tests.world import Party, World, key_of

PERIOD = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}


def used(api: Api, world: World, *keys: str) -> None:
    data = {"meter": "sms.delivered", "quantity": 3}
    assert api.usage(world.twin, *(event(world.acme.id, key, data=data) for key in keys)).json["accepted"] == len(keys)


def repriced(api: Api, world: World, price: str = "0.05") -> Answer:
    rate = {"meter": "sms.delivered", "unit_price": price, "effective_from": "2026-01-01T00:00:00Z"}
    return api.post("/corrections", world.rhea, {"new_rates": {"rate_card_id": world.rhea_card.id, "rates": [rate]}})


def sold(api: Api, world: World) -> str:
    period = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
    return str(api.get(f"/reports/usage?{period}", world.acme).json["total_sell"])


def test_a_price_that_clashes_is_tried_then_decided_and_charged_again(api: Api, world: World) -> None:
    used(api, world, "a", "b")
    asked = repriced(api, world)
    assert asked.status == 201, asked.content
    told = asked.json
    assert (told["state"], told["figures"], told["to"]) == ("ready", None, None)
    side = told["preview"]["sell"]
    assert (side["changed"], side["before"], side["after"], side["difference"]) == (2, "0.12", "0.3", "0.18")
    assert side["by_company"] == [
        {"company_id": world.acme.id, "count": 2, "quantity": 6, "before": "0.12", "after": "0.3"}
    ]
    assert [(one["meter"], one["new_rate_id"], one["is_new"]) for one in side["by_rate"]] == [
        ("sms.delivered", None, True)
    ]
    assert (told["preview"]["buy"], told["preview"]["margin_difference"]) == (None, "0.18")
    assert sold(api, world) == "0.12"

    address = f"/corrections/{told['id']}/decide"
    assert api.post(address, world.rhea, {"reason": " "}).status == 422
    done = api.post(address, world.rhea, {"reason": "Misspelt price"}).json
    assert (done["state"], done["reason"], done["figures"]["sell"]["difference"]) == ("done", "Misspelt price", "0.18")
    assert done["decided_by"].startswith("API key ")
    assert api.post(address, world.rhea, {"reason": "Again"}).json == done
    assert sold(api, world) == "0.3"


def test_corrections_are_listed_newest_first_and_stay_with_their_seller(api: Api, world: World) -> None:
    ids = [api.post("/corrections", world.rhea, PERIOD).json["id"] for _ in range(2)]
    first = api.get("/corrections?limit=1", world.rhea).json
    rest = api.get(f"/corrections?limit=1&cursor={first['next_cursor']}", world.rhea).json
    assert [page["items"][0]["id"] for page in (first, rest)] == ids[::-1]
    assert rest["next_cursor"] is None
    assert api.get("/corrections", world.twin).json["items"] == []
    for stranger in (world.twin, world.sola, world.acme, world.strand):
        assert api.get(f"/corrections/{ids[0]}", stranger).status == 404
        for deed in ("recount", "discard"):
            assert api.send("POST", f"/corrections/{ids[0]}/{deed}", stranger).status == 404
        assert api.post(f"/corrections/{ids[0]}/decide", stranger, {"reason": "r"}).status == 404


def test_what_was_discarded_cannot_be_decided_and_what_is_outdated_is_counted_again(api: Api, world: World) -> None:
    used(api, world, "a")
    left, taken = repriced(api, world, "0.03").json["id"], repriced(api, world).json["id"]
    assert api.send("POST", f"/corrections/{left}/discard", world.rhea).json["state"] == "discarded"
    assert api.post(f"/corrections/{left}/decide", world.rhea, {"reason": "r"}).status == 409
    other = repriced(api, world, "0.07").json["id"]
    assert api.post(f"/corrections/{taken}/decide", world.rhea, {"reason": "r"}).status == 200
    assert api.post(f"/corrections/{other}/decide", world.rhea, {"reason": "r"}).status == 409
    again = api.send("POST", f"/corrections/{other}/recount", world.rhea).json
    assert (again["state"], again["preview"]["sell"]["before"]) == ("ready", "0.15")
    assert api.send("POST", f"/corrections/{taken}/discard", world.rhea).status == 409


def test_one_of_three_is_asked_and_companies_of_others_are_not_found(api: Api, world: World) -> None:
    def status(body: dict[str, Any], asker: Party = world.rhea) -> int:
        return api.post("/corrections", asker, body).status

    card = {"company_id": world.acme.id, "rate_card_id": world.rhea_card.id, "effective_from": PERIOD["from"]}
    assert status({}) == 422
    assert status({"from": PERIOD["from"]}) == 422
    assert status({"from": PERIOD["to"], "to": PERIOD["from"]}) == 422
    assert status({**PERIOD, "new_card": card}) == 422
    assert status({"new_card": card, "meters": ["sms.sent"]}) == 422
    assert status({"new_card": card}) == 201
    assert status({"new_card": {**card, "company_id": world.dune.id}}) == 404
    assert status({"new_card": card}, world.twin) == 404
    for field in ("buyer_id", "company_id"):
        assert status({**PERIOD, field: world.dune.id}) == 404
    assert status({**PERIOD, "buyer_id": world.cedar.id}) == 404  # buys from Sola
    assert status({**PERIOD, "company_id": world.cedar.id, "meters": ["sms.sent"]}) == 201
    assert api.post("/corrections", key_of(world.rhea.id, ["billing:write"]), PERIOD).status == 403


def test_an_event_is_taken_back_on_every_edge_and_once(api: Api, world: World) -> None:
    used(api, world, "a", "b")
    body = {"company_id": world.acme.id, "source": "smsc-1", "id": "a", "reason": "Counted twice"}
    assert api.post("/usage/withdrawals", world.rhea, body).status == 403
    assert api.post("/usage/withdrawals", key_of(world.twin.id, ["billing:write"]), body).status == 403
    assert sold(api, world) == "0.12"
    for is_new in (True, False):
        done = api.post("/usage/withdrawals", world.twin, body).json
        assert (done["edges"], done["is_new"]) == (2, is_new)
    assert sold(api, world) == "0.06"
    assert api.post("/usage/withdrawals", world.twin, {**body, "id": "z"}).status == 404
