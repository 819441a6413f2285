from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pytest
import time_machine
from django.test import Client

from tests.portal.people import People
from tests.portal.usage import OCTOBER, record, record_october
from tests.world import BEGINNING, World
from twin.companies.access import report_scope
from twin.pricing import actions as pricing

SignIn = Callable[[str], Client]
PATH = "/reports/reseller-companies"


@pytest.fixture(scope="module", autouse=True)
def _october(small_world: World, people: People) -> None:
    record_october(small_world)
    # Some of these tests look at the page weeks before others: no days of grace shall run out between them.
    for person in people.users.values():
        person.second_factor_exempt = True
        person.save()


@pytest.fixture
def rhea(signed_in: SignIn) -> Client:
    return signed_in("rhea")


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def texts(html: str, pattern: str) -> list[str]:
    return [re.sub(r"<[^>]+>|\s+", " ", found).strip() for found in re.findall(pattern, html, re.DOTALL)]


def headings(html: str) -> list[str]:
    return [
        heading.removeprefix("↑ ").removeprefix("↓ ").strip()
        for heading in texts(html, r"<th scope=\"col\" class=\"[^\"]*\" data-column.*?</th>")
    ]


def row(html: str, company_id: int) -> dict[str, str]:
    """Exact figures of a company's row by column."""
    heads = re.findall(r'data-column="([^"]+)"', html)
    line = re.search(rf'<tr data-company="{company_id}">(.*?)</tr>', html, re.DOTALL)
    assert line is not None
    return dict(zip(heads[2:], re.findall(r'data-exact="([^"]*)"', line[1]), strict=True))


def test_without_bounds_it_is_this_month_in_the_resellers_zone(rhea: Client) -> None:
    # In Berlin November has begun.
    with time_machine.travel(datetime(2026, 10, 31, 23, 30, tzinfo=UTC), tick=False):
        answer = rhea.get(PATH)
    assert answer.status_code == 302
    assert query_of(answer["Location"]) == {
        "from": "2026-10-31T23:00:00Z",
        "to": "2026-11-30T23:00:00Z",
        "time_zone": "Europe/Berlin",
    }


def test_local_bounds_lead_to_the_canonical_address(rhea: Client) -> None:
    answer = rhea.get(f"{PATH}?to=2026-11-01&from=2026-10-01T00:00&time_zone=Europe/Berlin&side=sell&page=1&search=")
    assert query_of(answer["Location"]) == {
        "from": "2026-09-30T22:00:00Z",
        "to": "2026-10-31T23:00:00Z",
        "time_zone": "Europe/Berlin",
    }
    assert rhea.get(answer["Location"]).status_code == 200


def test_the_whole_state_stands_in_the_address(rhea: Client) -> None:
    address = f"{PATH}?{OCTOBER}&has_expenses=true&search=acme&sort=-total_sell&side=buy&section=chat"
    assert rhea.get(address).status_code == 200


def test_the_period_is_said_with_its_true_length(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?from=2026-09-30T22:00:00Z&to=2026-10-31T23:00:00Z&time_zone=Europe/Berlin").text
    assert "<b>1 Oct 2026, 00:00:00</b> to <b>1 Nov 2026, 00:00:00</b> Europe/Berlin, end not included" in page
    assert "(31 days 1 hour: clocks go back on 25 Oct 2026)" in page


def test_a_skipped_hour_is_shown_with_what_was_taken(rhea: Client) -> None:
    answer = rhea.get(f"{PATH}?from=2026-03-29T02:30&to=2026-03-30&time_zone=Europe/Berlin", follow=True)
    assert query_of(answer.redirect_chain[-1][0])["from"] == "2026-03-29T01:00:00Z"
    assert "29 Mar 2026, 03:00:00 was taken." in answer.text


def test_a_doubled_hour_is_a_question(rhea: Client) -> None:
    start = f"{PATH}?from=2026-10-25T02:30&to=2026-10-26&time_zone=Europe/Berlin"
    first = rhea.get(start, follow=True)
    second = rhea.get(f"{start}&from_occurrence=second", follow=True)
    assert query_of(first.redirect_chain[-1][0])["from"] == "2026-10-25T00:30:00Z"
    assert query_of(second.redirect_chain[-1][0])["from"] == "2026-10-25T01:30:00Z"
    assert "25 Oct 2026, 02:30:00 happens twice in Europe/Berlin." in first.text
    assert 'name="from_occurrence" value="second" checked' in second.text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=x&to=2026-11-01", "This date and time cannot be read."),
        ("from=2026-10-01", "Give a date and a time here as well."),
        ("from=2026-10-02&to=2026-10-01", "The end must be later than the beginning."),
        ("from=2026-10-01&to=2026-10-01", "The end must be later than the beginning."),
        ("time_zone=Nowhere/Land", "This time zone is not known."),
        ("from=2026-10-01&to=2026-10-02&time_zone=Nowhere/Land", "This time zone is not known."),
        (f"{OCTOBER}&side=both", "Prices are shown either to reseller"),
        (f"{OCTOBER}&section=fax", "There is no such section."),
        (f"{OCTOBER}&page=0", "This must be a whole number from 1 upwards."),
        (f"{OCTOBER}&page=1e3", "This must be a whole number from 1 upwards."),
        (f"{OCTOBER}&has_expenses=maybe", "This is either true or false."),
        (f"{OCTOBER}&format=doc", "Files are made as csv, xlsx or pdf."),
        (f"{OCTOBER}&sort=colour", "This cannot be used here."),
        (f"{OCTOBER}&search=%00", "A search has at most 200 characters"),
        (f"{OCTOBER}&search={'x' * 300}", "A search has at most 200 characters"),
        ("from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "This date and time cannot be read."),
        ("from=%00&to=%F0%28%8C", "This date and time cannot be read."),
    ],
)
def test_what_cannot_be_used_is_said_on_the_page(rhea: Client, query: str, sentence: str) -> None:
    answer = rhea.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_problem_stands_by_its_field(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?from=x&to=2026-11-01").text
    assert 'aria-invalid="true" aria-describedby="from-problem"' in page
    assert '<p class="field-error" id="from-problem">' in page


def test_the_columns_are_the_seeds_in_their_order_and_margin(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}").text
    assert headings(page) == [
        "Id",
        "Name",
        "Delivered SMS",
        "Price SMS",
        "Sent Viber",
        "Delivered Viber",
        "Price Viber",
        "Sent Whatsapp",
        "Delivered Whatsapp",
        "Price Whatsapp",
        "Sent Email",
        "Delivered Email",
        "Price Email",
        "Sent Push",
        "Delivered Push",
        "Price Push",
        "Total price to Twin",
        "Total price to reseller",
        "Margin",
    ]
    assert "Total number of SMS that were delivered to clients" in page


def test_the_figures_are_the_reports(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}").text
    acme = row(page, small_world.acme.id)
    assert acme["sms.delivered.count"] == "1"
    assert acme["price_sms"] == "24691.34"
    assert (acme["total_buy"], acme["total_sell"], acme["margin"]) == ("12345.67", "24691.34", "12345.67")
    assert ">24,691.34</td>" in page
    # Both services of Acme, and what Sola owes for Cedar's three messages.
    assert 'id="total-sell" data-exact="24692.62"' in page
    assert 'id="total-buy" data-exact="12346.31"' in page
    assert 'id="margin" data-exact="12346.31"' in page


def test_the_price_columns_change_their_side(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&side=buy").text
    assert row(page, small_world.acme.id)["price_sms"] == "12345.67"


def test_a_company_under_a_sub_reseller_says_so(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&section=bot").text
    assert "under Sola" in page


def test_what_has_no_price_is_not_called_zero(signed_in: SignIn, small_world: World) -> None:
    # A reseller that has no card of its own yet: what its company uses lacks the price between the two.
    early = BEGINNING + timedelta(hours=1)
    bare = pricing.create_company(
        small_world.twin.scope, name="Bare", kind="reseller", time_zone="UTC", effective_from=BEGINNING
    )
    scope = report_scope(small_world.twin.scope, bare.id)
    child = pricing.create_company(
        replace(scope, permissions=small_world.twin.scope.permissions),
        name="Child",
        kind="company",
        time_zone="UTC",
        effective_from=BEGINNING,
    )
    record(small_world, child.id, "sms.delivered", 5, "no-price", early)
    page = (
        signed_in("twin")
        .get(f"{PATH}?reseller={bare.id}&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&time_zone=UTC")
        .text
    )
    assert "1 not rated" in page
    assert "1 event has no price" in page
    assert re.search(r'<td class="c-total_sell [^"]*zero" data-exact="0">(<a [^>]*>)?not rated', page)
    assert re.search(r'<td class="c-margin [^"]*incomplete loss" data-exact="-0.05"', page)
    assert re.search(r'<td class="g g-sms[^"]*zero" data-exact="0">(<a [^>]*>)?not rated', page)
    assert not re.search(r'<td class="g g-viber[^"]*"[^>]*>(<a [^>]*>)?not rated', page)


def test_there_are_expenses_keeps_only_rows_with_money(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&has_expenses=true").text
    assert re.findall(r'data-company="(\d+)"', page) == [str(small_world.acme.id)]
    assert "1–1 of 1 company" in page
    assert "Show all 4" in page


def test_an_empty_section_says_why_and_one_way_on(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&section=chat&has_expenses=true").text
    assert "No companies to show" in page
    assert "Show all 4" in page


def test_search_finds_part_of_a_name_in_any_case(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&search=IRC").text
    assert re.findall(r'data-company="(\d+)"', page) == [str(small_world.birch.id)]


def test_a_heading_sorts_and_says_how_rows_stand(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&sort=-total_sell").text
    assert re.findall(r'data-company="(\d+)"', page)[0] == str(small_world.acme.id)
    assert 'data-column="total_sell" aria-sort="descending"' in page
    assert "sort=total_sell" in page


def test_the_page_is_russian_with_russian_figures(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}", headers={"accept-language": "ru"}).text
    # The account says English, and the account rules.
    assert "There are expenses" in page


def test_russian_figures(signed_in: SignIn) -> None:
    client = signed_in("twin")
    client.post("/preferences/language", {"language": "ru"})
    page = client.get(f"{PATH}?{OCTOBER}", follow=True).text
    client.post("/preferences/language", {"language": "en"})
    assert "Имеются расходы" in page
    assert "С <b>1 октября 2026, 00:00:00</b> до <b>1 ноября 2026, 00:00:00</b> (UTC), конец не включён" in page
    assert "12\u00a0345,67" in page


def test_csv_is_what_the_page_shows(rhea: Client, small_world: World) -> None:
    answer = rhea.get(f"{PATH}?{OCTOBER}&has_expenses=true&format=csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]  # streamed
    assert rows[0][:4] == ["Id", "Name", "Delivered SMS", "Price SMS"]
    assert rows[0][-1] == "Margin"
    assert [line[:4] for line in rows[1:]] == [[str(small_world.acme.id), "Acme", "1", "24691.34"]]


def test_xlsx_holds_every_section(rhea: Client) -> None:
    answer = rhea.get(f"{PATH}?{OCTOBER}&format=xlsx")
    book = openpyxl.load_workbook(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]  # streamed
    answer.close()
    assert len(book.sheetnames) == 6


def test_a_company_finds_no_report_and_no_menu_entry(signed_in: SignIn) -> None:
    client = signed_in("acme")
    assert client.get(PATH).status_code == 404
    assert client.get(f"{PATH}?{OCTOBER}&format=csv").status_code == 404
    assert PATH not in client.get("/personal-account").text


def test_strangers_are_led_to_sign_in(client: Client) -> None:
    assert client.get(f"{PATH}?{OCTOBER}")["Location"].startswith("/login?next=/reports/reseller-companies")


def test_a_reseller_finds_nobody_elses_report(signed_in: SignIn, small_world: World) -> None:
    for other in (small_world.rhea, small_world.twin, small_world.dune):
        assert signed_in("strand").get(f"{PATH}?{OCTOBER}&reseller={other.id}").status_code == 404
    assert signed_in("sola").get(f"{PATH}?{OCTOBER}&reseller={small_world.rhea.id}").status_code == 404
    assert signed_in("strand").get(f"{PATH}?{OCTOBER}&reseller=x").status_code == 404
    assert signed_in("strand").get(f"{PATH}?{OCTOBER}&reseller={10**30}").status_code == 404


def test_a_strangers_report_shows_nothing_of_rheas(signed_in: SignIn) -> None:
    page = signed_in("strand").get(f"{PATH}?{OCTOBER}").text
    assert "Dune" in page
    assert "Acme" not in page
    assert 'id="total-sell" data-exact="0"' in page


def test_platform_staff_choose_whose_report_they_see(signed_in: SignIn, small_world: World) -> None:
    client = signed_in("twin")
    own = client.get(f"{PATH}?{OCTOBER}")
    assert query_of(own["Location"])["reseller"] == str(small_world.twin.id)
    page = client.get(f"{PATH}?{OCTOBER}&reseller={small_world.rhea.id}")
    assert page.status_code == 200
    assert f'<option value="{small_world.rhea.id}" selected>Rhea</option>' in page.text
    assert f'<option value="{small_world.acme.id}"' not in page.text
    assert row(page.text, small_world.acme.id)["total_sell"] == "24691.34"
    assert client.get(f"{PATH}?{OCTOBER}&reseller={small_world.acme.id}").status_code == 404


def test_nobody_charges_the_platform(signed_in: SignIn, small_world: World) -> None:
    page = signed_in("twin").get(f"{PATH}?{OCTOBER}&reseller={small_world.twin.id}").text
    assert 'id="total-buy" data-exact="0"' in page
    assert "not rated" not in page


def test_reports_are_kept_in_no_cache(rhea: Client) -> None:
    assert "no-store" in rhea.get(f"{PATH}?{OCTOBER}")["Cache-Control"]


def test_only_reading_is_possible(rhea: Client) -> None:
    assert rhea.post(PATH).status_code == 405


@pytest.fixture
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("asking", "report_page", "views.reports"):
        monkeypatch.setattr(f"twin.portal.{module}.ROWS_A_PAGE", 3)


@pytest.mark.usefixtures("_small_pages")
def test_long_sections_have_pages(rhea: Client, small_world: World) -> None:
    first = rhea.get(f"{PATH}?{OCTOBER}").text
    second = rhea.get(f"{PATH}?{OCTOBER}&page=2").text
    assert len(re.findall("data-company=", first)) == 3
    assert re.findall(r'data-company="(\d+)"', second) == [str(small_world.cedar.id)]
    assert "1–3 of 4 companies" in first
    assert "4–4 of 4 companies" in second
    # The totals are those of all pages.
    assert texts(first, r"<tfoot>.*?</tfoot>")[0] == texts(second, r"<tfoot>.*?</tfoot>")[0]
    beyond: Any = rhea.get(f"{PATH}?{OCTOBER}&page=9")
    assert query_of(beyond["Location"])["page"] == "2"
