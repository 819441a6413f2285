"""A reseller works in the report: searches, sorts, chooses columns, goes from a figure to its events."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import OCTOBER, REPORT, complaints_of_axe, sign_in
from tests.world import World

pytestmark = pytest.mark.browser


@pytest.fixture
def october(page: Page, world: World) -> Page:
    sign_in(page, "rhea@example.com")
    page.goto(f"{REPORT}{OCTOBER}")
    return page


def test_the_table_follows_what_is_typed_and_the_page_stays(october: Page) -> None:
    october.evaluate("document.body.dataset.same = 'yes'")
    search = october.get_by_role("searchbox")
    search.press_sequentially("ced")
    expect(october.locator("tr[data-company]")).to_have_count(1)
    expect(october.locator("#table-status")).to_have_text("1–1 of 1 company")
    assert "search=ced" in october.url
    # Typing goes on where it was.
    search.press_sequentially("x")
    expect(october.get_by_text("No name contains “cedx”")).to_be_visible()
    expect(search).to_be_focused()
    assert october.evaluate("document.body.dataset.same") == "yes"


def test_back_shows_the_table_as_it_was(october: Page) -> None:
    october.locator('th[data-column="margin"] a').click()
    expect(october.locator('th[data-column="margin"]')).to_have_attribute("aria-sort", "descending")
    expect(october.locator('th[data-column="margin"] a')).to_be_focused()
    october.go_back()
    expect(october.locator('th[data-column="company_id"]')).to_have_attribute("aria-sort", "ascending")


def test_columns_stay_chosen(october: Page) -> None:
    october.locator(".chooser summary").click()
    october.get_by_label("Sent Viber").uncheck()
    october.get_by_label("Margin", exact=True).uncheck()
    october.get_by_label("Compact rows").check()
    october.get_by_role("button", name="Apply").click()
    expect(october.locator('th[data-column="viber.sent.count"]')).to_have_count(0)
    expect(october.locator('th[data-column="margin"]')).to_have_count(0)
    expect(october.locator("table.compact")).to_be_visible()
    expect(october.locator(".chooser summary")).to_contain_text("17/19")
    october.goto(f"{REPORT}{OCTOBER}&sort=-total_sell")
    expect(october.locator("thead th[data-column]")).to_have_count(17)
    october.locator(".chooser summary").click()
    october.get_by_role("button", name="All columns").click()
    expect(october.locator("thead th[data-column]")).to_have_count(19)


def test_the_keyboard_goes_from_a_figure_to_its_event_and_back(october: Page, world: World) -> None:
    october.locator(f'tr[data-company="{world.acme.id}"] a.name').focus()
    for _ in range(2):
        october.keyboard.press("ArrowRight")
    # The exact amount stands above the table while its figure has the focus.
    expect(october.locator("[data-help]")).to_have_text("Acme, Price SMS: 24691.34")
    october.keyboard.press("Enter")
    expect(october.get_by_role("heading", level=1)).to_have_text("Acme, SMS")
    expect(october.locator("#total-sell")).to_have_text("24,691.34")
    october.get_by_role("link", name="Thu 15 Oct").press("Enter")
    expect(october.locator("#rates-title")).to_have_text("By rate Thu 15 Oct")
    october.locator("#rates tbody a").press("Enter")
    expect(october.locator("#events-title")).to_contain_text("Delivered SMS")
    october.locator(".events summary").press("Enter")
    expect(october.locator(".side-of-event").last).to_contain_text("1,234,567 parts × 0.0200")
    october.get_by_role("link", name="All companies, Text messaging service").press("Enter")
    expect(october.get_by_role("heading", level=1)).to_have_text("Reseller and companies")
    assert "from=2026-09-30T22" in october.url


def test_the_trend_is_drawn_and_stands_in_a_table_too(october: Page) -> None:
    expect(october.locator("[data-chart] canvas")).to_be_visible()
    october.locator("[data-chart]").focus()
    october.keyboard.press("ArrowLeft")
    expect(october.locator("[data-legend-time]")).to_have_text("Fri 30 Oct")
    october.get_by_text("Show the figures as a table").click()
    expect(october.locator("#trend-table tbody tr")).to_have_count(31)
    expect(october.locator("#trend-table tfoot td").nth(1)).to_have_text("24,692.62")


def test_on_a_phone_the_period_is_one_line_until_it_is_wanted(october: Page) -> None:
    october.set_viewport_size({"width": 360, "height": 780})
    expect(october.get_by_label("From")).to_be_hidden()
    october.locator(".period-switch").click()
    expect(october.get_by_label("From")).to_be_visible()
    assert october.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_company_sees_what_it_pays_and_no_more(page: Page, world: World) -> None:
    page.goto("/login")
    page.locator("#id_login").fill("acme@example.com")
    page.locator("#id_password").fill("harbour-lantern-quiet-41")
    page.locator("form .btn-primary").first.click()
    page.goto(f"/reports/usage{OCTOBER}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    expect(page.locator("#total-sell")).to_have_text("24,692.56")
    expect(page.locator('tr[data-meter="call.outgoing"]')).to_contain_text("61 seconds")
    assert "To Twin" not in page.content()
    assert complaints_of_axe(page) == []


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ru", "dark")])
def test_axe_finds_nothing_beneath_the_report(page: Page, world: World, language: str, theme: str) -> None:
    sign_in(page, "twin@example.com")
    for kind, choice in (("theme", theme), ("language", language)):
        page.locator("header details.pop:not(.menu-button)").nth(0 if kind == "language" else 1).click()
        page.locator(f"button[value={choice}]").click()
    addresses = (
        f"/reports/resellers{OCTOBER}",
        f"{REPORT}/{world.acme.id}{OCTOBER}&reseller={world.rhea.id}&channel=sms&day=2026-10-15",
        f"/reports/usage{OCTOBER}&company={world.acme.id}",
    )
    for address in addresses:
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language
        for details in page.locator(".events details, .figures-table").all():
            details.evaluate("element => { element.open = true }")
        assert complaints_of_axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    page.set_viewport_size({"width": 390, "height": 844})
    for address in addresses:
        page.goto(address)
        assert complaints_of_axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


@pytest.mark.parametrize("width", [768, 961, 1440])
def test_the_events_of_a_company_fit_between_phone_and_desk(october: Page, world: World, width: int) -> None:
    october.set_viewport_size({"width": width, "height": 900})
    october.goto(f"{REPORT}/{world.acme.id}{OCTOBER}")
    assert october.evaluate("document.documentElement.scrollWidth") <= width
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert october.locator(".events summary > .nowrap, .events summary > .right").evaluate_all(cut) == []


@pytest.mark.parametrize("width", [320, 390])
def test_what_opens_over_the_table_stays_on_the_screen_of_a_phone(october: Page, width: int) -> None:
    october.set_viewport_size({"width": width, "height": 844})
    october.goto(f"{REPORT}{OCTOBER}")
    for menu in ("chooser", "downloads"):
        october.locator(f".{menu} > summary").click()
        opened = october.locator(f".{menu} .pop-body").bounding_box()
        assert opened is not None
        assert 0 <= opened["x"] < opened["x"] + opened["width"] <= width, menu
        assert october.evaluate("document.documentElement.scrollWidth") <= width, menu


def test_a_period_is_set_by_keyboard_alone(october: Page) -> None:
    october.get_by_label("From").focus()
    # This Chromium writes dates the American way; the field moves on by itself.
    october.keyboard.type("10152026115959A")
    october.get_by_label("To", exact=True).focus()
    october.keyboard.type("10152026120001P")
    zone = october.get_by_label("Time zone")
    zone.focus()
    october.keyboard.press("Control+a")
    october.keyboard.type("utc")
    october.keyboard.press("Enter")
    expect(october.locator(".period-foot")).to_contain_text(
        "15 Oct 2026, 11:59:59 to 15 Oct 2026, 12:00:01 UTC, end not included (2 seconds)"
    )
    expect(october.locator("#total-sell")).to_have_text("24,692.62")
    october.get_by_role("link", name="Last month").press("Enter")
    expect(october.locator('.presets [aria-current="true"]')).to_have_text("Last month")
    october.locator('.steps [rel="prev"]').press("Enter")
    expect(october.locator(".presets [aria-current]")).to_have_count(0)
    october.get_by_role("link", name="Europe/Berlin").press("Enter")
    expect(october.get_by_label("Time zone")).to_have_value("Europe/Berlin")
