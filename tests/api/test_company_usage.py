"""What one company used and pays over HTTP: for itself, its seller and the platform, never more."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import openpyxl
import pytest

from tests.api.client import PROBLEM, Api, event
from tests.world import World

MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
PATH = f"/reports/usage?{MARCH}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def used_world(api: Api, shared_world: World) -> World:
    """The shared world after some usage; sending it again changes nothing."""
    for name, quantity in (("acme", 100), ("cedar", 10), ("sola", 3), ("dune", 5), ("echo", 1)):
        data = {"meter": "sms.sent", "quantity": quantity}
        api.usage(shared_world.twin, event(shared_world.parties[name].id, f"{name}-1", data=data))
    return shared_world


def asked(api: Api, asker: Any, query: str = "") -> dict[str, Any]:
    answer = api.get(PATH + query, asker)
    assert answer.status == 200, answer.content
    found: dict[str, Any] = answer.json
    return found


def names_in(document: object) -> set[str]:
    if isinstance(document, dict):
        return set(document).union(*map(names_in, document.values()))
    return set().union(*map(names_in, document)) if isinstance(document, list) else set()


def test_a_company_is_told_what_it_used_and_pays(api: Api, used_world: World) -> None:
    report = asked(api, used_world.acme)
    assert report["company"] == {"id": used_world.acme.id, "name": "Acme"}
    assert report["total_sell"] == "2"
    [row] = report["sections"]["messaging"]["rows"]
    assert row["meters"]["sms.sent"] == {"count": 1, "quantity": 100, "sell": "2"}
    assert (row["company_id"], row["total_sell"], row["unrated"]) == (used_world.acme.id, "2", 0)


def test_no_field_of_what_the_seller_pays_exists_at_all(api: Api, used_world: World) -> None:
    for asker in (used_world.acme, used_world.sola, used_world.cedar):
        answer = api.get(PATH, asker)
        assert not {name for name in names_in(answer.json) if "buy" in name or "margin" in name}
    # Nor the amount: Rhea pays Twin one euro for what costs Acme two.
    assert '"1"' not in json.dumps(asked(api, used_world.acme)["sections"]["messaging"])


def test_the_seller_and_the_platform_are_told_the_same(api: Api, used_world: World) -> None:
    query = f"&company={used_world.acme.id}"
    assert asked(api, used_world.rhea, query) == asked(api, used_world.twin, query) == asked(api, used_world.acme)


def test_a_sub_resellers_own_usage_is_what_it_pays_to_its_seller(api: Api, used_world: World) -> None:
    assert asked(api, used_world.sola)["total_sell"] == "0.06"
    assert asked(api, used_world.cedar)["total_sell"] == "0.3"


def test_what_a_company_beneath_a_sub_reseller_pays_is_not_found(api: Api, used_world: World) -> None:
    answer = api.get(f"{PATH}&company={used_world.cedar.id}", used_world.rhea)
    assert (answer.status, answer.media_type) == (404, PROBLEM)
    assert asked(api, used_world.sola, f"&company={used_world.cedar.id}")["total_sell"] == "0.3"


def test_strangers_and_impossible_ids_are_not_found(api: Api, used_world: World) -> None:
    for asker, company in (
        (used_world.strand, used_world.acme.id),
        (used_world.acme, used_world.birch.id),
        (used_world.acme, used_world.rhea.id),
        (used_world.rhea, used_world.twin.id),
        (used_world.twin, 2**31),
    ):
        assert api.get(f"{PATH}&company={company}", asker).status == 404


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("to=2026-03-01T00:00:00Z&from=2026-03-01T00:00:00Z", "to"),
        ("from=2026-03-01&to=2026-04-01T00:00:00Z", "from"),
        (f"{MARCH}&section=fax", "section"),
        (f"{MARCH}&reseller=2", "reseller"),
        (f"{MARCH}&time_zone=Mars", "time_zone"),
    ],
)
def test_bad_input_is_refused_by_field(api: Api, used_world: World, query: str, place: str) -> None:
    answer = api.get(f"/reports/usage?{query}", used_world.acme)
    assert answer.status == 422
    if place != "to":
        assert any(place in loc for loc in answer.places)


def test_one_section_as_csv(api: Api, used_world: World) -> None:
    answer = api.get(f"{PATH}&section=messaging", used_world.acme, accept="text/csv")
    header, row = csv.reader(io.StringIO(answer.content.decode()))
    assert header[:4] == ["Id", "Name", "Delivered SMS", "Price SMS"]
    assert header[-1] == "Total price"
    assert not {"Total price to Twin", "Margin"} & set(header)
    assert (row[0], row[1], row[3], row[-1]) == (str(used_world.acme.id), "Acme", "2", "2")
    assert api.get(PATH, used_world.acme, accept="text/csv").status == 422


def test_every_section_as_a_workbook(api: Api, used_world: World) -> None:
    answer = api.get(PATH, used_world.acme, accept=XLSX)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert len(book.sheetnames) == 6
    sheet = book["Text messaging service"]
    assert [cell.value for cell in sheet[2]][:2] == [used_world.acme.id, "Acme"]
    texts = [str(cell.value) for name in book.sheetnames for line in book[name].iter_rows() for cell in line]
    assert not [text for text in texts if "Twin" in text or "Margin" in text]
