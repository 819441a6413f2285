"""`Idempotency-Key`: what moves money and comes twice is done once."""

from __future__ import annotations

from typing import Any

from tests.api.client import Answer, Api
from tests.billing.factories import closed, line
from tests.informing import inform
from tests.world import Party, World
from twin.billing.actions.issuing import issue_for_statement

AT = "2026-03-05T00:00:00Z"


def post(api: Api, path: str, asker: Party, body: Any, key: str) -> Answer:
    return api.send("POST", path, asker, body, headers={"idempotency-key": key})


def test_a_payment_that_comes_again_under_its_key_is_answered_and_not_recorded(api: Api, world: World) -> None:
    body = {"company_id": world.acme.id, "amount": "10.00", "at": AT}
    first, again = (post(api, "/payments", world.rhea, body, "one") for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert again.json == first.json
    # An equal one without a key is refused as before; the same key for something else is refused always.
    assert api.post("/payments", world.rhea, body).status == 409
    refused = post(api, "/payments", world.rhea, {**body, "amount": "11.00"}, "one")
    assert (refused.status, "another request" in refused.detail) == (409, True)
    assert post(api, "/refunds", world.rhea, body, "one").status == 409
    assert api.get("/transactions?side=sold", world.rhea).json["total"] == 1


def test_keys_belong_to_who_sent_them(api: Api, world: World) -> None:
    body = {"company_id": world.acme.id, "amount": "10.00", "at": AT}
    assert post(api, "/payments", world.rhea, body, "one").status == 201
    other = {"company_id": world.dune.id, "amount": "10.00", "at": AT}
    assert post(api, "/payments", world.strand, other, "one").status == 201


def test_what_failed_leaves_its_key_free(api: Api, world: World) -> None:
    body = {"company_id": world.acme.id, "amount": "4.00", "at": AT}
    assert post(api, "/refunds", world.rhea, body, "back").status == 409
    api.post("/payments", world.rhea, {**body, "amount": "10.00"})
    made = [post(api, "/refunds", world.rhea, body, "back").json for _ in range(2)]
    assert made[0] == made[1]
    assert api.get(f"/companies/{world.acme.id}/balance", world.rhea).json["booked"] == "6.00"


def test_a_credit_note_and_a_top_up_are_issued_once(api: Api, world: World) -> None:
    for party in (world.twin, world.rhea, world.acme):
        inform(party.id, invoice_name=party.company.name)
    invoice = issue_for_statement(world.rhea.scope, closed(world.rhea.scope, world.acme.id, [line("9")]))
    assert invoice is not None
    address, note = f"/invoices/{invoice.id}/credit-notes", {"lines": [{"line": 1, "share": "1/3"}], "reason": "r"}
    preview = api.post(f"{address}/preview", world.rhea, {"lines": note["lines"]}).json
    assert (preview["net"], preview["gross"], preview["lines"][0]["credits_line"]) == ("-3.00", "-3.00", 1)
    assert api.post(f"{address}/preview", world.acme, {"lines": note["lines"]}).status == 404
    made = [post(api, address, world.rhea, note, "note").json["number"] for _ in range(2)]
    assert len(set(made)) == 1
    assert api.get(f"/invoices/{invoice.id}", world.acme).json["credited"] == "3.00"
    asked = [post(api, "/top-ups", world.acme, {"amount": "5.00"}, "top").json["number"] for _ in range(2)]
    assert len(set(asked)) == 1


def test_a_key_is_plain_letters_and_not_too_long(api: Api, world: World) -> None:
    body = {"company_id": world.acme.id, "amount": "10.00", "at": AT}
    for key in ("", "two words", "k" * 256):
        assert post(api, "/payments", world.rhea, body, key).status == 422
