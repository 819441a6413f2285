from __future__ import annotations

import csv
import zipfile
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pytest

from tests.api.client import Api
from tests.billing.factories import bill_with, closed, line
from tests.billing.pictures import a_png
from tests.informing import inform
from tests.world import World
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.types import Invoice


@pytest.fixture
def issued(world: World) -> Invoice:
    for party in (world.twin, world.rhea, world.acme):
        inform(party.id, invoice_name=party.company.name)
    bill_with(world.rhea.scope, tax_kind="rate", tax_percent=Decimal(19))
    statement = closed(world.rhea.scope, world.acme.id, [line("10"), line("0.005", meter="call.outgoing")])
    made = issue_for_statement(world.rhea.scope, statement)
    assert made is not None
    return made


def test_both_parties_list_and_read_it(api: Api, world: World, issued: Invoice) -> None:
    for key, side in ((world.rhea, "issued"), (world.acme, "received")):
        page = api.get(f"/invoices?side={side}&search=000001", key).json
        assert [one["number"] for one in page["items"]] == ["INV-000001"]
        assert (page["total"], page["open"], page["overdue"], page["next_cursor"]) == (1, "11.91", "0.00", None)
    told = api.get(f"/invoices/{issued.id}", world.acme).json
    assert (told["net"], told["tax"], told["gross"], told["open"]) == ("10.01", "1.90", "11.91", "11.91")
    assert [(one["exact"], one["net"]) for one in told["lines"]] == [("10", "10.00"), ("0.005", "0.01")]
    assert told["buyer"]["iban"].startswith("DE89")
    assert api.get(f"/invoices/{issued.id}", world.twin).status == 404


def test_pages_go_on_by_cursor(api: Api, world: World, issued: Invoice) -> None:
    later = closed(world.rhea.scope, world.acme.id, [line("1")], month=date(2026, 3, 1))
    made = issue_for_statement(world.rhea.scope, later)
    assert made is not None
    first = api.get("/invoices?side=issued&limit=1", world.rhea).json
    second = api.get(f"/invoices?side=issued&limit=1&cursor={first['next_cursor']}", world.rhea).json
    assert [page["items"][0]["id"] for page in (first, second)] == [made.id, issued.id]
    assert second["next_cursor"] is None


def test_it_is_a_pdf_and_a_table_for_the_accountant(api: Api, world: World, issued: Invoice) -> None:
    pdf = api.get(f"/invoices/{issued.id}/pdf", world.acme)
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")
    table = api.get("/invoices?side=issued", world.rhea, accept="text/csv")
    [row] = csv.DictReader(StringIO(table.content.decode()))
    assert (row["Number"], row["Total"], row["Tax %"]) == ("INV-000001", "11.91", "19")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    book = api.get("/invoices?side=issued", world.rhea, accept=kind)
    assert "xl/worksheets/sheet2.xml" in zipfile.ZipFile(BytesIO(book.content)).namelist()


def test_a_line_is_credited_by_thirds_and_never_more(api: Api, world: World, issued: Invoice) -> None:
    address, body = f"/invoices/{issued.id}/credit-notes", {"lines": [{"line": 1, "share": "1/3"}], "reason": "Third"}
    made = [api.post(address, world.rhea, body).json["net"] for _ in range(3)]
    assert made == ["-3.33", "-3.33", "-3.34"]
    refused = api.post(address, world.rhea, body)
    assert refused.status == 409
    assert "Of line 1 there remain 0.00 EUR" in refused.detail
    assert api.post(address, world.acme, body).status == 404
    both = {"lines": [{"line": 2, "share": "1/3", "amount": "0.01"}], "reason": "Both"}
    assert api.post(address, world.rhea, both).status == 422


def test_a_top_up_is_asked_for_and_missing_details_are_named(api: Api, world: World, issued: Invoice) -> None:
    made = api.post("/top-ups", world.acme, {"amount": "500.00"})
    assert made.status == 201
    assert (made.json["number"], made.json["gross"], made.json["tax"]) == ("TOP-000001", "500.00", "0.00")
    refused = api.post("/top-ups", world.birch, {"amount": "5"})
    assert refused.status == 409
    assert "country" in refused.detail
    assert api.post("/top-ups", world.acme, {"amount": "0.001"}).status == 422
    assert api.post("/top-ups", world.acme, {"amount": "0"}).status == 422


def test_what_waits_is_told_to_the_seller_in_detail(api: Api, world: World, issued: Invoice) -> None:
    waits = closed(world.rhea.scope, world.birch.id, [line("3")])
    assert issue_for_statement(world.rhea.scope, waits) is None
    [told] = api.get("/invoices/waiting?side=issued", world.rhea).json["items"]
    assert (told["statement_id"], told["month"], told["seller_is_complete"]) == (waits.id, "2026-01", True)
    assert "bank" in told["buyer_missing"]


def test_a_logo_is_put_on_new_documents_and_taken_off(api: Api, world: World) -> None:
    assert api.get("/billing-settings/logo", world.rhea).status == 404

    def put(raw: bytes, kind: str = "image/png") -> int:
        return api.send("PUT", "/billing-settings/logo", world.rhea, raw=raw, content_type=kind).status

    picture = a_png()
    assert put(picture) == 204
    found = api.get("/billing-settings/logo", world.rhea)
    assert (found.media_type, found.content) == ("image/png", picture)
    assert api.get("/billing-settings", world.rhea).json["has_logo"] is True
    assert api.get("/billing-settings/logo", world.twin).status == 404
    assert put(b"<svg/>", "image/svg+xml") == 415
    assert put(picture[:40]) == 422
    assert api.send("DELETE", "/billing-settings/logo", world.rhea).status == 204
    assert api.get("/billing-settings/logo", world.rhea).status == 404
