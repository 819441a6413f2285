"""Bank files over the API: looked through, then recorded, each line once."""

from __future__ import annotations

from tests.api.client import Api
from tests.billing.ledgers import issue
from tests.world import World


def test_a_bank_file_is_looked_through_and_each_line_recorded_once(api: Api, world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 500)
    lines = (f"2026-03-05,5.00,Acme GmbH,{invoice.code}", "2026-03-06,7.00,Who,", "2026-03-07,-1,,")
    content = "\n".join(("date,amount,payer,reference", *lines))
    preview = api.post("/bank-files/preview", world.rhea, {"content": content}).json
    assert [(one["becomes"], one["company_id"], one["amount"]) for one in preview["lines"]] == [
        ("payment", world.acme.id, "5.00"),
        ("undecided", None, "7.00"),
        ("left_out", None, "-1.00"),
    ]
    assert (preview["payments"], preview["amount"], preview["lines"][0]["documents"][0]["number"]) == (
        1,
        "5.00",
        invoice.code,
    )
    number = preview["lines"][1]["line"]
    body = {"content": content, "payers": [{"line": number, "company_id": world.birch.id}]}
    stranger = {"content": content, "payers": [{"line": number, "company_id": world.dune.id}]}
    assert api.post("/bank-files", world.rhea, stranger).status == 404
    twice = {"content": content, "payers": body["payers"] * 2}  # type: ignore[operator]  # a list
    assert api.post("/bank-files", world.rhea, twice).status == 422
    assert api.get("/transactions?side=sold&kind=payment", world.rhea).json["total"] == 0
    assert api.post("/bank-files", world.rhea, body).json == {"recorded": 2, "known": 0, "left_out": 1}
    assert api.post("/bank-files", world.rhea, body).json == {"recorded": 0, "known": 2, "left_out": 1}
    assert api.get("/transactions?side=sold&kind=payment", world.rhea).json["total"] == 2
    assert api.post("/bank-files", world.rhea, {"content": "no,such\n"}).status == 422
