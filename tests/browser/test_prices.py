"""A reseller makes a card, prices a meter under its cost knowingly, and gives the card to a company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import choose, enter
from tests.world import BEGINNING, World
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.browser


def test_a_reseller_makes_a_card_and_gives_it(page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    page.get_by_role("link", name="Prices", exact=True).first.click()
    page.get_by_label("Name").fill("Winter")
    page.get_by_role("button", name="Create card").click()
    expect(page.get_by_text("This card has no price yet")).to_be_visible()
    page.get_by_label("on sending").check()
    page.get_by_label("Price", exact=True).fill("0.001")
    page.get_by_role("button", name="Record price").click()
    expect(page.get_by_text("where you pay")).to_be_visible()
    page.get_by_label("Record it although it lies below the cost").check()
    page.get_by_role("button", name="Record price").click()
    expect(page.get_by_text("The price is recorded.")).to_be_visible()
    expect(page.get_by_role("row", name="Sent SMS")).to_contain_text("0.0010")
    expect(page.get_by_role("row", name="Delivered SMS")).to_contain_text("sms.delivered all 0 / 1")
    page.get_by_label("Company", exact=True).select_option(str(world.birch.id))
    page.get_by_role("button", name="Give this card").click()
    expect(page.get_by_text("The company pays by this card.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Birch")).to_be_visible()


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, world: World, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    card = f"/prices/{world.rhea_card.id}"
    trial = f"{card}/trial?from=2026-10-01T00:00&to=2026-11-01T00:00&percent=10"
    pages = ("/prices", "/prices/paid", card, f"{card}/companies", f"{card}/import", trial)
    for address in (*pages, f"/companies/{world.birch.id}/card"):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints_of_axe(page) == [], address


@pytest.fixture(scope="module")
def open_books(world: World, django_db_blocker: Any) -> Iterator[None]:
    """Birch pays by an empty card; one of its events came twice with different content."""
    with django_db_blocker.unblock():
        bare = pricing.create_rate_card(world.rhea.scope, name="Bare")
        begun = BEGINNING + timedelta(days=1)
        metering.assign_rate_card(world.rhea.scope, buyer_id=world.birch.id, card_id=bare.id, effective_from=begun)
        about = {"specversion": "1.0", "type": "twin.usage", "source": "tests", "id": "twice"}
        for quantity in (3, 9):
            data = {"meter": "sms.sent", "quantity": quantity, "attributes": {"country": "DE"}}
            event = {**about, "subject": str(world.birch.id), "time": "2026-10-15T12:00:00Z", "data": data}
            metering.take_events(world.twin.scope, json.dumps([event]).encode(), batch=True)
        yield


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_open_books_are_sound_and_lead_to_the_price(
    page: Page, world: World, open_books: None, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    page.goto("/to-do")
    expect(page.get_by_text("country=DE").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert complaints_of_axe(page) == []
    page.locator(".todo a.btn").first.click()
    assert page.locator("#id_selector").input_value() == "country=DE"


FILE = """meter;selector;unit_price;effective_from
sms.delivered;country=DE;0,0001;2036-01-01T00:00
bot.message;;0,005;2036-01-01T00:00:00Z
"""


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_a_file_of_prices_is_looked_at_tried_and_recorded(
    page: Page, world: World, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    # What the language before recorded is not new any more.
    content = FILE.replace("0,005", "0,006") if language == "ru" else FILE
    upload(page, world.rhea_card.id, content + "fax;<b>;=1+1;soon\n")
    expect(page.locator(".i-problems")).to_contain_text("=1+1")
    assert complaints_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    upload(page, world.rhea_card.id, content)
    page.locator("button[name=try]").click()
    page.locator(".trial-form textarea[name=content]").wait_for(state="attached")
    assert complaints_of_axe(page) == []
    upload(page, world.rhea_card.id, content)
    page.locator("button[name=confirm]").click()
    page.locator("#id_below_cost").check()
    page.locator("button[name=confirm]").click()
    page.wait_for_url(f"**/prices/{world.rhea_card.id}")
    expect(page.get_by_text("2036-01-01T00:00:00Z").first).to_be_visible()


def upload(page: Page, card_id: int, content: str) -> None:
    page.goto(f"/prices/{card_id}/import")
    page.locator("#id_file").set_input_files({"name": "prices.csv", "mimeType": "text/csv", "buffer": content.encode()})
    page.locator("form[enctype] button").click()


def test_the_switch_is_shown_for_channels_only(page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    choose(page, "light", "en")
    page.goto(f"/prices/{world.rhea_card.id}")
    switch = page.get_by_text("A message is charged")
    expect(switch).to_be_visible()
    page.locator("#id_meter").select_option("call.outgoing")
    expect(switch).to_be_hidden()
    page.locator("#id_meter").select_option("viber")
    expect(switch).to_be_visible()
