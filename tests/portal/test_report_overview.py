from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client

from tests.portal.people import People
from tests.portal.usage import OCTOBER, record, record_october
from tests.world import BEGINNING, World, rates_for_all
from twin.companies.access import report_scope
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering import actions as metering
from twin.portal.views import reports
from twin.pricing import actions as pricing

SignIn = Callable[[str], Client]
PATH = "/reports/reseller-companies"


@pytest.fixture(scope="module", autouse=True)
def _october(small_world: World, people: People) -> None:
    record_october(small_world)


@pytest.fixture
def rhea(signed_in: SignIn) -> Client:
    return signed_in("rhea")


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(page.decode())))


def test_totals_services_companies_and_trend_say_the_same(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}").content.decode()
    figures = re.findall(r'id="(total-buy|total-sell|margin)" data-exact="([^"]+)"', page)
    assert dict(figures) == {"total-buy": "12346.31", "total-sell": "24692.62", "margin": "12346.31"}
    foot = re.search(r'id="trend-table".*?<tfoot>(.*?)</tfoot>', page, re.DOTALL)
    assert foot is not None
    assert re.findall(r'data-exact="([^"]+)"', foot[1]) == ["12346.31", "24692.62", "12346.31"]
    words = text(page.encode())
    assert "Biggest companies Name To reseller Margin Acme 24,692.56 12,346.28" in words
    assert "No company pays less than before." in words


def test_the_chart_of_one_service_holds_its_figures_only(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&chart=telephony_legacy").content
    assert "Thu 15 Oct 0.61 1.22 0.61" in text(page)


def test_what_has_no_price_is_to_be_done_with_a_way_there(signed_in: SignIn, small_world: World) -> None:
    # A reseller that has no card of its own yet: what its company uses lacks the price between the two.
    bare = pricing.create_company(
        small_world.twin.scope, name="Bare", kind="reseller", time_zone="UTC", effective_from=BEGINNING
    )
    scope = replace(report_scope(small_world.twin.scope, bare.id), permissions=small_world.twin.scope.permissions)
    child = pricing.create_company(scope, name="Child", kind="company", time_zone="UTC", effective_from=BEGINNING)
    record(small_world, child.id, "sms.delivered", 5, "no-price")
    twin = signed_in("twin")
    page = twin.get(f"{PATH}?reseller={bare.id}&{OCTOBER}").content.decode()
    assert "1 event of Child has no rate: Delivered SMS" in text(page.encode())
    # The platform cannot set a reseller's prices: it is shown the events, not a form.
    assert "Set a price" not in page
    assert "/to-do" not in page.partition('id="to-do"')[2]
    [way] = re.findall(r'<a href="([^"]+)">Show the events</a>', page)
    events = text(twin.get(html.unescape(way), follow=True).content)
    assert "whole period, Delivered SMS, without a price" in events
    assert "5 parts × 0.0100 0.0500 EUR Total price to reseller not rated" in events


def test_a_rate_under_its_cost_is_to_be_done(signed_in: SignIn, small_world: World) -> None:
    cheap = pricing.create_rate_card(small_world.rhea.scope, name="Too cheap")
    metering.publish_rates(small_world.rhea.scope, card_id=cheap.id, rates=rates_for_all(Decimal("0.004")))
    metering.assign_rate_card(
        small_world.rhea.scope,
        buyer_id=small_world.birch.id,
        card_id=cheap.id,
        effective_from=datetime(2026, 11, 1, tzinfo=UTC),
    )
    rhea = signed_in("rhea")
    page = rhea.get(f"{PATH}?{OCTOBER}").content
    words = text(page)
    assert "rates lie under their cost" in words
    assert "is sold under cost on Too cheap: 0.0040 for what costs 0.0100 Birch" in words
    way = re.findall(rf'<a href="(/prices/{cheap.id}[^"]+)">Set a price</a>', page.decode())[0]
    assert "0.0040" in rhea.get(html.unescape(way)).text
    assert '<a href="/to-do">Show all that is to do</a>' in page.decode()


def test_a_part_of_the_page_that_fails_leaves_the_other_standing(rhea: Client, monkeypatch: Any) -> None:
    def fail(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("the shelf is empty")

    monkeypatch.setattr(reports, "overview_query", fail)
    page = rhea.get(f"{PATH}?{OCTOBER}")
    assert page.status_code == 200
    words = text(page.content)
    assert "The overview could not be counted" in words
    assert re.search(r"Reference [0-9A-F]{4}-[0-9A-F]{4}", words)
    assert "Text messaging service" in words
    monkeypatch.undo()
    monkeypatch.setattr(reports, "report_query", fail)
    words = text(rhea.get(f"{PATH}?{OCTOBER}").content)
    assert "The companies could not be counted" in words
    assert "24,692.62" in words


def test_a_refusal_of_the_database_leaves_the_other_part_standing(rhea: Client, monkeypatch: Any) -> None:
    @scoped
    def fail(_scope: Scope, _query: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select no_such_column")

    monkeypatch.setattr(reports, "report_query", fail)
    words = text(rhea.get(f"{PATH}?{OCTOBER}").content)
    assert "The companies could not be counted" in words
    assert "24,692.62" in words


def test_a_page_that_is_open_asks_for_its_table_alone(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?{OCTOBER}&search=acme", headers={"x-twin-part": "table"}).content.decode()
    assert 'id="table-part"' in page
    assert 'id="period-part"' in page
    assert 'id="trend"' not in page
    assert "<html" not in page


def test_columns_are_kept_for_the_person_and_the_section(rhea: Client, signed_in: SignIn) -> None:
    address = f"{PATH}?{OCTOBER}"
    kept = {"section": "bot", "shown": ["total_sell"], "compact": "true", "next": address}
    assert rhea.post("/preferences/report-columns", kept)["Location"] == address

    def columns(client: Client, section: str) -> list[str]:
        page = client.get(f"{address}&section={section}").content.decode()
        return re.findall(r'data-column="([^"]+)"', page)

    assert columns(rhea, "bot") == ["company_id", "company_name", "total_sell"]
    assert len(columns(rhea, "telephony_legacy")) == 7
    assert len(columns(signed_in("sola"), "bot")) == 6
    rhea.post("/preferences/report-columns", {"section": "bot", "all": "true"})
    assert len(columns(rhea, "bot")) == 6


@pytest.mark.parametrize("given", [{"section": "fax"}, {}])
def test_columns_of_no_section_are_refused(rhea: Client, given: dict[str, str]) -> None:
    assert rhea.post("/preferences/report-columns", given).status_code == 400


def test_choosing_columns_never_leads_to_another_site(rhea: Client) -> None:
    kept = {"section": "bot", "all": "true", "next": "https://elsewhere.example/"}
    assert rhea.post("/preferences/report-columns", kept)["Location"] == PATH


def test_the_same_period_elsewhere_keeps_the_instants(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?from=2026-09-30T22:00:00Z&to=2026-10-31T23:00:00Z&time_zone=Europe/Berlin")
    [way] = re.findall(
        r'<a href="([^"]+)" title="30 Sep 2026, 22:00:00 – 31 Oct 2026, 23:00:00, UTC">UTC</a>', page.content.decode()
    )
    asked = dict(parse_qsl(urlsplit(html.unescape(way)).query))
    assert (asked["from"], asked["to"], asked["time_zone"]) == ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", "UTC")


def test_the_months_beside_are_one_press_away(rhea: Client) -> None:
    page = rhea.get(f"{PATH}?from=2026-09-30T22:00:00Z&to=2026-10-31T23:00:00Z&time_zone=Europe/Berlin")
    steps = re.search(r'<div class="steps".*?</div>', page.content.decode(), re.DOTALL)
    assert steps is not None
    ways = [dict(parse_qsl(urlsplit(html.unescape(way)).query)) for way in re.findall(r'href="([^"]+)"', steps[0])]
    assert [way["from"] for way in ways] == ["2026-08-31T22:00:00Z", "2026-10-31T23:00:00Z"]
    assert "← September 2026 November 2026 →" in text(steps[0].encode())


@pytest.mark.parametrize("name", ["berlin", "Berlin", "europe/berlin"])
def test_a_zone_is_found_by_its_city(rhea: Client, name: str) -> None:
    answer = rhea.get(f"{PATH}?from=2026-10-01&to=2026-11-01&time_zone={name}")
    assert dict(parse_qsl(urlsplit(answer["Location"]).query))["time_zone"] == "Europe/Berlin"
