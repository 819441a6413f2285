"""The events behind a figure as a file, and one company's usage as one."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.test import Client

from tests.portal.usage import OCTOBER, record, record_october
from tests.world import World
from twin.kernel.tenancy import tenant_transaction
from twin.portal.filing import make_file
from twin.reports import storage
from twin.reports.event_exports import event_titles
from twin.reports.models import Export

SignIn = Callable[[str], Client]


@pytest.fixture(scope="module", autouse=True)
def _usage(small_world: World) -> None:
    record_october(small_world)
    record(small_world, small_world.acme.id, "sms.delivered", 3, "=evil()")


@pytest.fixture
def rhea(signed_in: SignIn) -> Client:
    return signed_in("rhea")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, small_world: World) -> Iterator[None]:
    """Two events are many."""
    monkeypatch.setattr("twin.portal.views.files.AT_ONCE", {"csv": 1, "xlsx": 1, "pdf": 1})
    yield
    with tenant_transaction(small_world.rhea.id):
        Export.objects.all().delete()
    for file in storage.folder().iterdir():
        file.unlink()


def path_of(company_id: int, rest: str) -> str:
    return f"/reports/reseller-companies/{company_id}/file?{OCTOBER}&{rest}"


def body(answer: Any) -> bytes:
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(body(answer).decode())))


def test_each_event_has_its_calculation_on_both_sides(rhea: Client, small_world: World) -> None:
    answer = rhea.get(path_of(small_world.acme.id, "format=csv"))
    assert answer["Content-Disposition"].endswith(f'"events-{small_world.acme.id}-messaging-2026-10-01.csv"')
    lines = {line["Id"]: line for line in table(answer)}
    event = lines["sms-1"]
    assert event["Time"] == "2026-10-15 12:00:00+00:00"
    assert (event["Meter"], event["Quantity"], event["To reseller: billed"]) == ("sms.delivered", "1234567", "1234567")
    assert (event["To reseller: unit price"], event["To reseller: amount"]) == ("0.02", "24691.34")
    assert (event["To Twin: unit price"], event["To Twin: amount"]) == ("0.01", "12345.67")
    assert event["Margin"] == "12345.67"
    # What a producer calls its event must not run.
    assert "'=evil()" in lines


def test_a_workbook_has_numbers_and_no_formulas(rhea: Client, small_world: World) -> None:
    book = openpyxl.load_workbook(BytesIO(body(rhea.get(path_of(small_world.acme.id, "format=xlsx")))))
    lines = [[cell.value for cell in row] for row in book["Events"].iter_rows()]
    assert lines[0] == event_titles(has_seller=True)
    assert {line[1]: line[5] for line in lines[1:]} == {"sms-1": 1234567, "=evil()": 3}
    assert {cell.data_type for row in book["Events"].iter_rows() for cell in row if cell.value is not None} <= {
        "s",
        "n",
    }


def test_only_what_the_page_shows_is_in_the_file(rhea: Client, small_world: World) -> None:
    acme = small_world.acme.id
    for rest, found in (
        ("section=telephony_legacy", ["call-1"]),
        ("section=chat", []),
        ("channel=viber", []),
        ("meter=sms.sent", []),
        ("day=2026-10-15&meter=sms.delivered", ["sms-1", "'=evil()"]),
        ("day=2026-10-16", []),
        ("sell_rate=0", []),
    ):
        lines = table(rhea.get(path_of(acme, f"{rest}&format=csv")))
        assert sorted(line["Id"] for line in lines) == sorted(found), rest


@pytest.mark.parametrize("unusable", ["meter=sms.deliverd", "meter=call.outgoing", "day=yesterday", "sell_rate=x"])
def test_a_filter_that_cannot_be_used_gives_no_file_of_everything(
    rhea: Client, small_world: World, unusable: str
) -> None:
    answer = rhea.get(path_of(small_world.acme.id, f"{unusable}&format=csv"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/reports/reseller-companies/{small_world.acme.id}?")


def test_the_platform_sees_one_side(signed_in: SignIn, small_world: World) -> None:
    answer = signed_in("twin").get(path_of(small_world.acme.id, "format=csv"))
    assert list(table(answer)[0]) == event_titles(has_seller=False)


@pytest.mark.parametrize("who", ["strand", "acme", "sola"])
def test_strangers_find_no_events(signed_in: SignIn, small_world: World, who: str) -> None:
    assert signed_in(who).get(path_of(small_world.acme.id, "format=csv")).status_code == 404


def test_a_reseller_finds_no_prices_beneath_its_sub_reseller(rhea: Client, small_world: World) -> None:
    [event] = table(rhea.get(path_of(small_world.cedar.id, "section=bot&format=csv")))
    # Sola sells at 0.03; Rhea's own edge to Sola is 0.02.
    assert (event["To reseller: amount"], event["To Twin: amount"]) == ("0.06", "0.03")


@pytest.mark.usefixtures("many")
def test_many_events_are_made_by_a_job(rhea: Client, small_world: World) -> None:
    path = path_of(small_world.acme.id, "meter=sms.delivered&format=csv")
    assert "2 rows" in rhea.get(path).text
    place = rhea.post(path)["Location"]
    make_file(small_world.rhea.id, int(place.rpartition("/")[2]))
    assert sorted(line["Id"] for line in table(rhea.get(f"{place}/download"))) == ["'=evil()", "sms-1"]


@pytest.mark.usefixtures("many")
def test_a_workbook_too_small_for_them_is_not_begun(
    rhea: Client, small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("twin.portal.views.files.MOST_WORKBOOK_ROWS", "twin.portal.file_pages.MOST_WORKBOOK_ROWS"):
        monkeypatch.setattr(place, 1)
    page = rhea.post(path_of(small_world.acme.id, "format=xlsx")).text
    assert "Too long for a workbook" in page
    assert "format=csv" in page


@pytest.mark.parametrize("wrong", ["format=pdf", "format=", "from=x&format=csv"])
def test_a_file_that_cannot_be_meant_leads_to_the_page(rhea: Client, small_world: World, wrong: str) -> None:
    answer = rhea.get(path_of(small_world.acme.id, wrong))
    assert answer["Location"].startswith(f"/reports/reseller-companies/{small_world.acme.id}?")


def test_usage_comes_as_a_workbook_and_as_tables(signed_in: SignIn, small_world: World) -> None:
    acme = signed_in("acme")
    page = acme.get(f"/reports/usage?{OCTOBER}").text
    assert "/reports/usage/file?" in page
    book = openpyxl.load_workbook(BytesIO(acme.get(f"/reports/usage/file?{OCTOBER}&format=xlsx").content))
    assert len(book.sheetnames) == 6
    answer = acme.get(f"/reports/usage/file?{OCTOBER}&format=csv&section=telephony_legacy")
    [line] = csv.DictReader(StringIO(answer.content.decode()))
    assert (line["Calls"], line["Total price"]) == ("1", "1.22")
    assert "To Twin" not in answer.text
    assert "Margin" not in answer.text


def test_usage_of_others_is_not_found_as_a_file_either(signed_in: SignIn, small_world: World) -> None:
    path = f"/reports/usage/file?{OCTOBER}&format=xlsx&company="
    assert signed_in("acme").get(f"{path}{small_world.birch.id}").status_code == 404
    assert signed_in("strand").get(f"{path}{small_world.acme.id}").status_code == 404
    assert signed_in("rhea").get(f"{path}{small_world.cedar.id}").status_code == 404
    assert signed_in("rhea").get(f"{path}{small_world.acme.id}").status_code == 200
