"""The balance over the API: exact, told to the company and its direct seller, changed by the seller alone."""

from __future__ import annotations

from tests.api.client import Api
from tests.billing.ledgers import issue
from tests.billing.months import use
from tests.companies.factories import a_key
from tests.world import World

AT = "2026-03-05T00:00:00Z"


def pay(api: Api, world: World, **given: object) -> tuple[int, dict[str, object]]:
    body = {"company_id": world.acme.id, "amount": "10.00", "at": AT, **given}
    answer = api.send("POST", "/payments", world.rhea.key, body)
    return answer.status, answer.json


def test_the_balance_is_exact(api: Api, world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", quantity=3)
    issue(world.rhea, world.acme.id, 500)
    pay(api, world)
    for key in (world.acme.key, world.rhea.key):
        answer = api.send("GET", f"/companies/{world.acme.id}/balance", key)
        assert answer.json == {
            "company_id": world.acme.id,
            "seller_id": world.rhea.id,
            "currency": "EUR",
            "mode": "postpaid",
            "credit_limit": None,
            "warn_percents": [80, 100],
            "booked": "5.00",
            "unbilled": "0.06",
            "unbilled_with_tax": "0.06",
            "available": None,
            "exhausted": False,
        }


def test_the_platform_has_no_balance(api: Api, world: World) -> None:
    assert api.send("GET", f"/companies/{world.twin.id}/balance", world.twin.key).status == 404


def test_spending_is_answered_with_a_reason(api: Api, world: World) -> None:
    api.send(
        "PUT",
        f"/companies/{world.acme.id}/account",
        world.rhea.key,
        {"mode": "postpaid", "credit_limit": "1.00", "warn_percents": [50]},
    )
    path = f"/companies/{world.acme.id}/may-spend"
    yes = api.send("POST", path, world.acme.key, {"amount": "1"})
    assert (yes.status, yes.json["allowed"], yes.json["available"]) == (200, True, "1")
    no = api.send("POST", path, world.acme.key, {"amount": "1.000000001"})
    assert (no.json["allowed"], no.json["reason"], no.json["needed"]) == (False, "not_enough", "1.000000001")
    use(world.acme.id, "2026-01-10T12:00", quantity=50)
    gone = api.send("POST", path, world.acme.key, {"amount": "0.000000001"})
    assert (gone.json["reason"], gone.json["available"]) == ("exhausted", "0")
    assert "higher credit limit" in gone.json["detail"]
    assert api.send("POST", path, world.acme.key, {"amount": 1}).status == 422


def test_a_payment_is_answered_with_what_it_settles(api: Api, world: World) -> None:
    invoice = issue(world.rhea, world.acme.id, 700)
    status, told = pay(api, world, invoices=[invoice.id], reference="RF18")
    assert status == 201
    assert (told["amount"], told["balance"], told["settles"]) == (
        "10.00",
        "3.00",
        [{"invoice_id": invoice.id, "number": invoice.code, "amount": "7.00"}],
    )
    status, told = pay(api, world, reference="RF18")
    assert (status, told["title"]) == (409, "Clash with what is recorded")
    assert pay(api, world, reference="RF18", again=True)[0] == 201
    seen = api.send("GET", "/transactions?search=rf18", world.acme.key).json
    assert [one["amount"] for one in seen["items"]] == ["10.00", "10.00"]
    assert [one["note"] for one in seen["items"]] == ["", ""]


def test_amounts_of_more_decimals_than_the_currency_has_are_refused(api: Api, world: World) -> None:
    for amount in ("0.001", "0", "-1", "1e3", 5):
        status, told = pay(api, world, amount=amount)
        assert (status, told["errors"][0]["loc"][-1]) == (422, "amount")  # type: ignore[index]  # a list of problems
    assert pay(api, world, at="2099-01-01T00:00:00Z")[0] == 422
    assert pay(api, world, reference="a\u0000b")[0] == 422


def test_money_goes_back_and_movements_are_undone(api: Api, world: World) -> None:
    _, paid = pay(api, world)
    refund = {"company_id": world.acme.id, "amount": "4.00", "at": AT}
    given = api.send("POST", "/refunds", world.rhea.key, refund)
    assert (given.status, given.json["balance"]) == (201, "6.00")
    path = "/transactions/{}/reverse"
    assert api.send("POST", path.format(paid["id"]), world.rhea.key, {"reason": "bounced"}).status == 409
    for number in (given.json["id"], paid["id"]):
        assert api.send("POST", path.format(number), world.rhea.key, {"reason": "bounced"}).status == 201
    balance = api.send("GET", f"/companies/{world.acme.id}/balance", world.acme.key).json
    assert balance["booked"] == "0.00"


def test_the_list_of_companies_tells_their_seller_their_balances(api: Api, world: World) -> None:
    pay(api, world)
    told = {one["name"]: one["balance"] for one in api.send("GET", "/companies", world.rhea.key).json["items"]}
    assert told == {"Rhea": None, "Acme": "10.00", "Birch": "0.00", "Sola": "0.00", "Cedar": None}
    told = {one["name"]: one["balance"] for one in api.send("GET", "/companies", world.twin.key).json["items"]}
    assert (told["Acme"], told["Rhea"]) == (None, "0.00")
    reader = a_key(world.rhea.id, "companies:read")
    assert {one["balance"] for one in api.send("GET", "/companies", reader).json["items"]} == {None}


def test_movements_are_paged_and_both_ends_of_a_period_are_named(api: Api, world: World) -> None:
    for number in range(3):
        pay(api, world, reference=str(number))
    first = api.send("GET", "/transactions?limit=2", world.acme.key).json
    rest = api.send("GET", "/transactions?limit=2&offset=2", world.acme.key).json
    assert (first["next_offset"], len(rest["items"]), rest["next_offset"]) == (2, 1, None)
    assert api.send("GET", f"/transactions?from={AT}", world.acme.key).status == 422


def test_what_each_buyer_owes_is_listed_for_its_seller(api: Api, world: World) -> None:
    issue(world.rhea, world.acme.id, 500)
    page = api.get("/balances?state=owing", world.rhea).json
    assert [(one["company_name"], one["booked"], one["open"]) for one in page["items"]] == [("Acme", "-5.00", "5.00")]
    assert (page["total"], page["booked"], page["next_offset"]) == (1, "-5.00", None)
    assert api.get("/balances", world.acme).json["items"] == []
    assert api.get("/balances?sort=secret", world.rhea).status == 422


def test_one_movement_is_read_by_its_parties_only(api: Api, world: World) -> None:
    _, paid = pay(api, world)
    for key in (world.rhea, world.acme):
        assert api.get(f"/transactions/{paid['id']}", key).json["amount"] == "10.00"
    for stranger in (world.twin, world.birch, world.strand):
        assert api.get(f"/transactions/{paid['id']}", stranger).status == 404
