from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client

from tests.portal.people import People
from tests.portal.usage import OCTOBER, record, record_october
from tests.world import World

SignIn = Callable[[str], Client]
PATH = "/reports/reseller-companies"
WORDS = re.compile(r"<[^>]+>|\s+")


@pytest.fixture(scope="module", autouse=True)
def _october(small_world: World, people: People) -> None:
    record_october(small_world)
    record(small_world, small_world.acme.id, "sms.delivered", 3, "sms-2", datetime(2026, 10, 16, 8, tzinfo=UTC))


@pytest.fixture
def rhea(signed_in: SignIn) -> Client:
    return signed_in("rhea")


def text(page: str) -> str:
    return re.sub(r" +", " ", WORDS.sub(" ", html.unescape(page)))


def links(page: str, part: str) -> list[str]:
    return [html.unescape(href) for href in re.findall(r'href="([^"]+)"', page) if part in href]


def test_a_company_is_shown_by_day_with_the_same_sums_as_its_row(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=messaging", follow=True).content.decode()
    report = rhea.get(f"{PATH}?{OCTOBER}").content.decode()
    row = re.search(rf'<tr data-company="{small_world.acme.id}">.*?</tr>', report, re.DOTALL)
    assert row is not None
    exact = re.findall(r'data-exact="([^"]+)"', row[0])[-3:]
    assert exact == ["12345.7", "24691.4", "12345.7"]
    assert re.findall(r'id="(?:total-buy|total-sell|margin)"[^>]*data-exact="([^"]+)"', page) == exact
    assert page.count("<tr") > 31
    assert "Thu 15 Oct 12,345.67 24,691.34 12,345.67" in text(page)


def test_the_name_in_the_report_leads_to_the_company_with_period_and_section(rhea: Client, small_world: World) -> None:
    report = rhea.get(f"{PATH}?{OCTOBER}&section=chat").content.decode()
    [way] = [href for href in links(report, f"{PATH}/{small_world.birch.id}?") if "section=chat" in href][:1]
    page = rhea.get(way)
    assert page.status_code == 200
    back = links(page.content.decode(), f"{PATH}?")
    assert any(dict(parse_qsl(urlsplit(href).query)).get("section") == "chat" for href in back)


def test_a_day_narrows_rates_and_events(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=messaging&day=2026-10-16", follow=True)
    words = text(page.content.decode())
    assert "By rate Fri 16 Oct" in words
    assert "3 parts × 0.0200" in words
    assert "1,234,567 parts" not in words


def test_an_event_shows_the_calculation_of_both_sides(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=telephony_legacy", follow=True).content.decode()
    sides = [text(side) for side in re.findall(r'<div class="side-of-event">.*?</div></dl>.*?</p>', page, re.DOTALL)]
    assert len(sides) == 2
    assert "61 seconds × 0.0100 0.6100 EUR" in sides[0]
    assert "61 seconds × 0.0200 1.2200 EUR" in sides[1]


def test_a_reseller_sees_no_edge_beneath_its_sub_reseller(rhea: Client, small_world: World) -> None:
    page = rhea.get(f"{PATH}/{small_world.cedar.id}?{OCTOBER}&section=bot", follow=True).content.decode()
    words = text(page)
    assert "under Sola" in words
    assert "3 messages × 0.0200" in words
    assert "× 0.0300" not in words


def test_platform_staff_drill_into_any_resellers_report(signed_in: SignIn, small_world: World) -> None:
    address = f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=messaging&reseller={small_world.rhea.id}"
    page = signed_in("twin").get(address, follow=True)
    assert page.status_code == 200
    assert f"reseller={small_world.rhea.id}" in page.content.decode()


@pytest.mark.parametrize("name", ["strand", "acme", "sola"])
def test_another_organisation_finds_nothing(signed_in: SignIn, small_world: World, name: str) -> None:
    address = f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=messaging"
    assert signed_in(name).get(address, follow=True).status_code == 404


def test_a_period_before_the_company_came_is_said_and_not_an_error(
    signed_in: SignIn, rhea: Client, small_world: World
) -> None:
    before = "from=1999-01-01T00:00:00Z&to=1999-02-01T00:00:00Z&time_zone=Europe%2FBerlin&section=messaging"
    address = f"{PATH}/{small_world.acme.id}?{before}"
    answer = rhea.get(address, follow=True)
    assert answer.status_code == 200
    assert "did not belong to Rhea" in answer.content.decode()
    assert 'name="from"' in answer.content.decode()
    assert signed_in("strand").get(address, follow=True).status_code == 404


@pytest.mark.parametrize("number", [0, 2**31, 10**30])
def test_a_number_that_no_company_can_have_is_not_found(rhea: Client, number: int) -> None:
    assert rhea.get(f"{PATH}/{number}?{OCTOBER}", follow=True).status_code == 404


def test_a_stranger_is_led_to_sign_in(client: Client, small_world: World) -> None:
    answer = client.get(f"{PATH}/{small_world.acme.id}")
    assert answer["Location"].startswith("/login?next=/reports/reseller-companies/")


@pytest.mark.parametrize(
    "nonsense",
    [
        "meter=fax",
        "sell_rate=x",
        "attributes=[]",
        "attributes={",
        'attributes={"country":1}',
        r'meter=sms.delivered&attributes={"country":"\ud800"}',
        "day=2026-13-40",
        "day=2025-01-01",
        "cursor=%00",
        "cursor=abc",
        "sell_rate=999999",
    ],
)
def test_what_cannot_be_used_is_left_out_and_the_page_opens(rhea: Client, small_world: World, nonsense: str) -> None:
    page = rhea.get(f"{PATH}/{small_world.acme.id}?{OCTOBER}&{nonsense}", follow=True)
    assert page.status_code == 200


@pytest.mark.parametrize("broken", ["from=x&to=2026-11-01", "channel=fax", "section=fax", "time_zone=Nowhere/Land"])
def test_a_period_that_cannot_be_read_is_mended_where_it_stands(rhea: Client, small_world: World, broken: str) -> None:
    page = rhea.get(f"{PATH}/{small_world.acme.id}?{broken}")
    assert page.status_code == 422
    assert b"Show" in page.content


def test_without_a_price_it_says_not_rated_and_finds_the_events(rhea: Client, small_world: World) -> None:
    address = f"{PATH}/{small_world.acme.id}?{OCTOBER}&section=messaging&meter=sms.delivered&sell_rate=0"
    page = rhea.get(address, follow=True)
    words = text(page.content.decode())
    assert "without a price" in words
    assert "No events." in words


def test_a_direct_company_leads_to_what_it_sees_itself(rhea: Client, small_world: World) -> None:
    direct = rhea.get(f"{PATH}/{small_world.acme.id}?{OCTOBER}").content.decode()
    [way] = links(direct, "/reports/usage?company=")
    assert "Usage of Acme" in text(rhea.get(way, follow=True).content.decode())
    beneath = rhea.get(f"{PATH}/{small_world.cedar.id}?{OCTOBER}").content.decode()
    assert links(beneath, "/reports/usage?company=") == []
