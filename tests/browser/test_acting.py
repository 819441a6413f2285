"""A reseller looks at Twin as its company does, and a company comes to a reseller by invitation."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import choose, enter
from tests.outbox import last_mail
from tests.portal.people import employ
from tests.world import World
from twin.companies.access import platform_scope
from twin.pricing import actions as pricing

pytestmark = pytest.mark.browser


@pytest.fixture
def other_page(browser: Browser, address: str) -> Iterator[Page]:
    """Somebody else at another desk."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}, locale="en-GB")
    yield context.new_page()
    context.close()


def sign_in_as_administrator(page: Page, company: str, reason: str) -> None:
    page.goto("/companies")
    page.get_by_role("link", name=company, exact=True).click()
    page.get_by_role("link", name="Sign in as administrator").click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Sign in as administrator").click()


def test_a_reseller_looks_as_the_company_and_the_company_reads_it(page: Page, other_page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    sign_in_as_administrator(page, "Birch", "")
    expect(page.get_by_text("Give a reason of 1 to 500 characters.")).to_be_visible()
    sign_in_as_administrator(page, "Acme", "Ticket 7")
    strip = page.get_by_role("region", name="You act for a company")
    expect(strip).to_contain_text("You act as administrator of Acme")
    expect(strip).to_contain_text("only looking")
    expect(strip).to_contain_text("Ruth Reed, Rhea")
    page.get_by_role("link", name="Users", exact=True).first.click()
    expect(page.get_by_text("acme@example.com")).to_be_visible()
    expect(strip).to_be_visible()
    page.goto("/company")
    # What would be refused does not let itself be pressed.
    assert page.get_by_role("button", name="Save company").evaluate("b => getComputedStyle(b).pointerEvents") == "none"
    strip.get_by_role("button", name="End").click()
    expect(page.get_by_text("You are yourself again.")).to_be_visible()
    expect(page.get_by_role("heading", name="Acme")).to_be_visible()
    expect(strip).to_have_count(0)
    enter(other_page, "acme@example.com")
    other_page.goto("/audit")
    expect(other_page.get_by_text("Ticket 7").first).to_be_visible()
    expect(other_page.get_by_text("Ruth Reed (Rhea)").first).to_be_visible()


def test_a_company_comes_to_a_reseller_by_invitation(page: Page, other_page: Page, world: World) -> None:
    made = pricing.create_company(platform_scope(), name="Fern", kind="company", time_zone="UTC")
    employ(made.id, "fay@fern.example", "Fay Fern")
    enter(page, "rhea@example.com")
    page.goto("/companies")
    page.get_by_role("link", name="Attach a company").click()
    page.get_by_label("Email of the company's administrator").fill("fay@fern.example")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_role("rowheader", name="fay@fern.example")).to_be_visible()
    link = re.search(r"/attachment/\S+", last_mail(to="fay@fern.example", purpose="attachment").text)
    assert link is not None
    enter(other_page, "fay@fern.example")
    other_page.goto(link[0])
    expect(other_page.get_by_text("Rhea sells to you from that moment on.")).to_be_visible()
    assert complaints_of_axe(other_page) == []
    other_page.get_by_role("button", name="Accept: buy from Rhea").click()
    expect(other_page.get_by_text("Fern buys from Rhea from now on.")).to_be_visible()
    page.goto("/companies?search=Fern")
    expect(page.get_by_role("rowheader", name="Fern")).to_be_visible()


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 360)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, world: World, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    page.goto(f"/companies/{world.acme.id}/act")
    page.locator("#id_reason").fill("A reason that is as long as reasons of people in a hurry never are, twice over")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    addresses = ["/companies/attach", f"/companies/{world.acme.id}/act"]
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints_of_axe(page) == [], address
    page.locator("#id_reason").fill("A reason that is as long as reasons of people in a hurry never are, twice over")
    page.locator(".act-form button").click()
    for address in ("/users", "/reports/usage", "/security", "/nowhere"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert complaints_of_axe(page) == [], address
    page.locator(".acting-end").click()
