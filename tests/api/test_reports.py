"""The report over HTTP, sentence by sentence of the contract."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest

from tests.api.client import PROBLEM, Api, event
from tests.world import World

MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
PATH = f"/reports/reseller-companies?{MARCH}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def used_world(api: Api, shared_world: World) -> World:
    """The shared world after some usage; sending it again changes nothing."""
    sent = (("acme", 100), ("birch", 7), ("cedar", 10), ("sola", 3), ("dune", 5), ("echo", 1))
    for name, quantity in sent:
        data = {"meter": "sms.sent", "quantity": quantity}
        api.usage(shared_world.twin, event(shared_world.parties[name].id, f"{name}-1", data=data))
    return shared_world


def rows_of(api: Api, asker: Any, query: str = "", section: str = "messaging") -> dict[str, Any]:
    answer = api.get(PATH + query, asker)
    assert answer.status == 200, answer.content
    return {row["company_name"]: row for row in answer.json["sections"][section]["rows"]}


def test_every_company_beneath_has_a_row_and_its_own_usage_in_it(api: Api, used_world: World) -> None:
    rows = rows_of(api, used_world.rhea)
    assert {name: (row["total_buy"], row["total_sell"], row["margin"]) for name, row in rows.items()} == {
        "Acme": ("1", "2", "1"),
        "Birch": ("0.07", "0.14", "0.07"),
        "Cedar": ("0.1", "0.2", "0.1"),
        "Sola": ("0.03", "0.06", "0.03"),
    }


def test_what_a_sub_reseller_earns_stands_in_its_own_report_only(api: Api, used_world: World) -> None:
    rows = rows_of(api, used_world.sola)
    assert list(rows) == ["Cedar"]
    assert (rows["Cedar"]["total_buy"], rows["Cedar"]["total_sell"]) == ("0.2", "0.3")


def test_the_platform_buys_from_nobody(api: Api, used_world: World) -> None:
    rows = rows_of(api, used_world.twin)
    assert {row["total_buy"] for row in rows.values()} == {"0"}
    assert rows["Cedar"]["path"] == ["Rhea", "Sola"]
    assert rows["Cedar"]["total_sell"] == "0.1"


def test_the_platform_may_name_any_reseller_and_nobody_else_another(api: Api, used_world: World) -> None:
    own = api.get(PATH, used_world.rhea).json
    assert api.get(f"{PATH}&reseller={used_world.rhea.id}", used_world.twin).json == own
    assert api.get(f"{PATH}&reseller={used_world.rhea.id}", used_world.rhea).json == own
    for asker, named in (("rhea", "strand"), ("rhea", "sola"), ("sola", "rhea"), ("rhea", "twin"), ("twin", "acme")):
        answer = api.get(f"{PATH}&reseller={used_world.parties[named].id}", used_world.parties[asker])
        assert answer.status == 404, (asker, named)
    assert api.get(PATH, used_world.acme).status == 404
    assert api.get(f"{PATH}&reseller=99999999999", used_world.twin).status == 404


def test_totals_cover_all_pages_and_a_cursor_goes_on(api: Api, used_world: World) -> None:
    first = api.get(f"{PATH}&section=messaging&limit=3&sort=-total_sell", used_world.rhea).json["sections"]
    assert list(first) == ["messaging"]
    page = first["messaging"]
    assert [row["company_name"] for row in page["rows"]] == ["Acme", "Cedar", "Birch"]
    assert (page["totals"]["total_sell"], page["totals"]["total_buy"], page["totals"]["margin"]) == (
        "2.4",
        "1.2",
        "1.2",
    )
    following = f"{PATH}&section=messaging&limit=3&sort=-total_sell&cursor={page['next_cursor']}"
    second = api.get(following, used_world.rhea).json["sections"]["messaging"]
    assert [row["company_name"] for row in second["rows"]] == ["Sola"]
    assert second["next_cursor"] is None
    assert second["totals"] == page["totals"]


def test_there_are_expenses_is_asked_section_by_section(api: Api, used_world: World) -> None:
    sections = api.get(f"{PATH}&has_expenses=true&search=a", used_world.rhea).json["sections"]
    assert [row["company_name"] for row in sections["messaging"]["rows"]] == ["Sola", "Acme", "Cedar"]
    assert sections["chat"]["rows"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-01T00:00:00&to=2026-04-01T00:00:00Z", "from"),
        ("from=2026-03-01T00:00:00Z&to=2026-04-01", "to"),
        ("to=2026-04-01T00:00:00Z", "from"),
        ("from=2026-03-01T00:00:00Z", "to"),
        (f"{MARCH}&section=sms", "section"),
        (f"{MARCH}&sort=price", "sort"),
        (f"{MARCH}&sort=--total_sell", "sort"),
        (f"{MARCH}&limit=0", "limit"),
        (f"{MARCH}&limit=10001", "limit"),
        (f"{MARCH}&limit=1.5", "limit"),
        (f"{MARCH}&has_expenses=maybe", "has_expenses"),
        (f"{MARCH}&time_zone=Mars/Olympus", "time_zone"),
        (f"{MARCH}&search=%00", "search"),
        (f"{MARCH}&reseller=Rhea", "reseller"),
        (f"{MARCH}&side=middle", "side"),
        (f"{MARCH}&section=chat&cursor=nonsense", "cursor"),
        (f"{MARCH}&hasexpenses=true", "hasexpenses"),
    ],
)
def test_a_question_that_cannot_be_answered_names_the_field(
    api: Api, shared_world: World, query: str, field: str
) -> None:
    answer = api.get(f"/reports/reseller-companies?{query}", shared_world.rhea)
    assert (answer.status, answer.media_type) == (422, PROBLEM), answer.content
    assert ["query", field] in answer.places


@pytest.mark.parametrize(
    "period",
    [
        "from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z",
        "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
        "from=2026-03-01T02:00:00%2B02:00&to=2026-03-01T00:00:00Z",
    ],
)
def test_a_period_begins_before_it_ends(api: Api, shared_world: World, period: str) -> None:
    assert api.get(f"/reports/reseller-companies?{period}", shared_world.rhea).status == 422


def test_a_cursor_needs_its_section(api: Api, used_world: World) -> None:
    page = api.get(f"{PATH}&section=messaging&limit=1", used_world.rhea).json["sections"]["messaging"]
    cursor = page["next_cursor"]
    assert api.get(f"{PATH}&limit=1&cursor={cursor}", used_world.rhea).status == 422
    assert api.get(f"{PATH}&limit=1&section=chat&cursor={cursor}", used_world.rhea).status == 422


def test_the_time_zone_only_says_how_times_are_shown(api: Api, used_world: World) -> None:
    berlin = api.get(PATH, used_world.rhea).json
    tokyo = api.get(f"{PATH}&time_zone=Asia/Tokyo", used_world.rhea).json
    assert (berlin["period"].pop("time_zone"), tokyo["period"].pop("time_zone")) == ("Europe/Berlin", "Asia/Tokyo")
    assert berlin == tokyo


@pytest.mark.parametrize(("side", "price"), [("sell", "2"), ("buy", "1")])
def test_csv_is_one_section_without_a_totals_row(api: Api, used_world: World, side: str, price: str) -> None:
    answer = api.get(f"{PATH}&section=messaging&side={side}", used_world.rhea, accept="text/csv")
    assert (answer.status, answer.media_type) == (200, "text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    table = list(csv.reader(io.StringIO(answer.content.decode())))
    assert table[0][:4] == ["Id", "Name", "Delivered SMS", "Price SMS"]
    assert table[0][-3:] == ["Total price to Twin", "Total price to reseller", "Margin"]
    assert len(table) == 5
    acme = next(line for line in table if line[1] == "Acme")
    assert (acme[3], acme[-3:]) == (price, ["1", "2", "1"])


def test_csv_stays_english_for_a_russian_browser(api: Api, used_world: World) -> None:
    headers = {"accept": "text/csv", "accept-language": "ru"}
    answer = api.send("GET", f"{PATH}&section=bot", used_world.rhea, headers=headers)
    assert answer.content.decode().splitlines()[0].startswith("Id,Name,Billable messages")


def test_csv_without_a_section_is_bad_input(api: Api, shared_world: World) -> None:
    answer = api.get(PATH, shared_world.rhea, accept="text/csv")
    assert (answer.status, answer.places) == (422, [["query", "section"]])


def test_a_workbook_has_a_sheet_per_section_and_one_about_itself(api: Api, used_world: World) -> None:
    answer = api.get(PATH, used_world.rhea, accept=XLSX)
    assert (answer.status, answer.media_type) == (200, XLSX)
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert len(book.sheetnames) == 6


def test_an_answer_nobody_wants_is_not_sent(api: Api, shared_world: World) -> None:
    answer = api.get(PATH, shared_world.rhea, accept="text/html")
    assert (answer.status, answer.media_type) == (406, PROBLEM)


def test_a_company_sees_no_money_and_no_name_of_others(api: Api, used_world: World) -> None:
    paths = ("/companies", "/rate-cards", "/usage/conflicts", "/usage/unrated", f"/companies/{used_world.acme.id}")
    seen = "".join(api.get(path, used_world.acme).content.decode() for path in paths)
    for word in ("buy", "sell", "price", "Rhea", "Birch", "Wholesale"):
        assert word not in seen


def test_a_reseller_cannot_learn_another_ones_figures(api: Api, used_world: World) -> None:
    before = [api.get(PATH, party).content for party in (used_world.rhea, used_world.sola)]
    data = {"meter": "sms.sent", "quantity": 1_000_000}
    api.usage(used_world.twin, event(used_world.dune.id, "dune-2", data=data))
    assert [api.get(PATH, party).content for party in (used_world.rhea, used_world.sola)] == before


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
def test_a_long_answer_is_sent_in_pieces_and_is_the_same(
    api: Api, used_world: World, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    address = f"{PATH}&section=messaging"
    whole = api.get(address, used_world.rhea, accept=accept)
    assert whole.headers["content-length"] == str(len(whole.content))
    monkeypatch.setattr("twin.api.reports.SENT_WHOLE", 0)
    pieces = api.get(address, used_world.rhea, accept=accept)
    assert (pieces.status, pieces.content) == (200, whole.content)
    assert "content-length" not in pieces.headers
    told = ("content-type", "content-disposition", "cache-control", "vary", "x-content-type-options")
    assert [pieces.headers.get(name) for name in told] == [whole.headers.get(name) for name in told]


def test_a_long_answer_is_refused_before_its_first_byte(
    api: Api, used_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.api.reports.SENT_WHOLE", 0)
    for query, status in (("&section=sms", 422), ("&section=chat&cursor=x", 422), ("&reseller=99999", 404)):
        answer = api.get(PATH + query, used_world.rhea)
        assert (answer.status, answer.media_type) == (status, PROBLEM)
    assert api.send("HEAD", PATH, used_world.rhea).status == 200
