"""A reseller looks after its companies."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import choose, enter
from tests.world import World

pytestmark = pytest.mark.browser


def test_a_reseller_makes_a_company_and_blocks_it(page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    page.get_by_role("link", name="Companies", exact=True).first.click()
    page.get_by_role("searchbox").press_sequentially("acm")
    expect(page.locator("tr[data-company]")).to_have_count(1)
    page.get_by_role("link", name="Create company").click()
    page.get_by_label("Name", exact=True).fill("Fjord")
    page.get_by_label("Time zone").fill("Europe/Oslo")
    page.get_by_label("Name of the administrator").fill("Frida Fjell")
    page.get_by_label("Email of the administrator").fill("frida@example.org")
    page.get_by_role("button", name="Create company").click()
    expect(page.get_by_role("heading", name="Fjord")).to_be_visible()
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_text("Give a reason of 1 to 500 characters.")).to_be_visible()
    page.get_by_label("Reason").first.fill("Three invoices open")
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_text("Blocked: Three invoices open")).to_be_visible()
    page.goto("/companies?show=blocked")
    expect(page.get_by_role("rowheader", name="Fjord")).to_be_visible()


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, world: World, language: str, theme: str, width: int
) -> None:
    enter(page, "twin@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    one = f"/companies/{world.acme.id}"
    for address in ("/companies", "/companies?search=zzz", "/companies?show=closed", "/companies/create", one):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language, address
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints_of_axe(page) == [], address
