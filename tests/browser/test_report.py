"""A reseller signs in, sets a period and reads figures that are those of the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from tests.portal.people import PASSWORD
from tests.world import World
from twin.reports.columns import SECTIONS

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parent.parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
OCTOBER = "?from=2026-10-01&to=2026-11-01&time_zone=Europe/Berlin"
REPORT = "/reports/reseller-companies"


def sign_in(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Personal Account").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reseller and companies")


@pytest.fixture
def report(page: Page) -> Page:
    sign_in(page, "rhea@example.com")
    page.get_by_label("From").fill("2026-10-01T00:00:00")
    page.get_by_label("To", exact=True).fill("2026-11-01T00:00:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".period-foot")).to_contain_text("31 days 1 hour: clocks go back on 25 Oct 2026")
    return page


def shown(page: Page, section: str) -> dict[int, dict[str, str]]:
    """Exact figures of the open table: company → column → text."""
    expect(page.locator("section.report")).to_have_attribute("data-section", section)
    codes = [head.get_attribute("data-column") or "" for head in page.locator("thead th[data-column]").all()]
    table: dict[int, dict[str, str]] = {}
    for line in page.locator("tr[data-company]").all():
        figures = [cell.get_attribute("data-exact") or "" for cell in line.locator("td[data-exact]").all()]
        table[int(line.get_attribute("data-company") or 0)] = dict(zip(codes[2:], figures, strict=True))
    return table


def test_every_figure_of_the_page_is_that_of_the_api(report: Page, world: World) -> None:
    answer = Client().get(
        "/api/v1/reports/reseller-companies",
        {"from": "2026-09-30T22:00:00Z", "to": "2026-10-31T23:00:00Z"},
        headers=world.rhea.bearer,
    )
    told: dict[str, Any] = json.loads(answer.content)["sections"]
    for code, section in SECTIONS.items():
        if code != "messaging":
            report.locator("nav.tabs a").nth(list(SECTIONS).index(code)).click()
        table = shown(report, code)
        assert sorted(table) == [row["company_id"] for row in told[code]["rows"]]
        for row in told[code]["rows"]:
            cells = table[row["company_id"]]
            assert [cells["total_buy"], cells["total_sell"], cells["margin"]] == [
                row["total_buy"],
                row["total_sell"],
                row["margin"],
            ]
            for column in section.columns:
                if column.kind == "count":
                    assert cells[column.code] == str(row["meters"][column.meters[0]]["count"])
                if column.kind == "seconds":
                    assert cells[column.code] == str(row["meters"][column.meters[0]]["quantity"])


def test_there_are_expenses_and_sorting_stay_in_the_address(report: Page, world: World) -> None:
    report.get_by_label("There are expenses").check()
    report.get_by_role("button", name="Show", exact=True).click()
    expect(report.locator("tr[data-company]")).to_have_count(1)
    report.get_by_role("columnheader", name="Total price to reseller").get_by_role("link").click()
    expect(report.locator('th[data-column="total_sell"]')).to_have_attribute("aria-sort", "descending")
    assert "has_expenses=true" in report.url
    assert "sort=-total_sell" in report.url
    report.reload()
    expect(report.locator("tr[data-company]")).to_have_count(1)
    expect(report.locator('th[data-column="total_sell"]')).to_have_attribute("aria-sort", "descending")


def test_a_heading_tells_its_meaning_to_the_keyboard(report: Page) -> None:
    report.get_by_role("columnheader", name="Delivered SMS").get_by_role("link").focus()
    expect(report.locator("[data-help]")).to_have_text(
        "Delivered SMS: Total number of SMS that were delivered to clients"
    )


def test_csv_is_downloaded(report: Page) -> None:
    with report.expect_download() as download:
        report.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith("-messaging.csv")


def test_the_pinned_columns_stay_while_the_middle_scrolls(report: Page) -> None:
    report.set_viewport_size({"width": 1280, "height": 800})
    scroll = report.locator(".scroll")
    pinned = [report.locator(f"thead .c-{code}") for code in ("company_name", "total_buy", "margin")]
    places = [left_of(head) for head in pinned]
    free = report.locator("thead .g-viber").first
    before = left_of(free)
    scroll.evaluate("element => { element.scrollLeft = 300 }")
    # Pinned columns overlap by a pixel, so that no slit shows between them.
    assert [left_of(head) for head in pinned] == pytest.approx(places, abs=1.5)
    assert left_of(free) < before - 100


def left_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["x"]


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_is_wider_than_the_screen(report: Page, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 800})
    assert report.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_one_channel_is_shown_at_a_time(report: Page) -> None:
    report.set_viewport_size({"width": 390, "height": 844})
    expect(report.locator("thead .c-total_sell")).to_be_visible()
    expect(report.locator("thead .g-viber").first).to_be_hidden()
    report.locator(".channels label", has_text="Viber").click()
    expect(report.locator("thead .g-viber").first).to_be_visible()
    expect(report.locator("thead .c-total_sell")).to_be_hidden()


def complaints_of_axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [
        f"{broken['id']}: {node['target']} {node['failureSummary']}"
        for broken in found["violations"]
        for node in broken["nodes"][:3]
    ]


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("ru", "light")])
def test_axe_finds_nothing(page: Page, world: World, language: str, theme: str) -> None:
    page.goto("/login")
    for kind, choice in (("theme", theme), ("language", language)):
        page.locator("details.pop").nth(0 if kind == "language" else 1).click()
        page.locator(f"button[value={choice}]").click()
    assert complaints_of_axe(page) == []
    page.locator("#id_login").fill("sola@example.com")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("form .btn-primary").click()
    # The account has its own language and theme, chosen there once more.
    for kind, choice in (("theme", theme), ("language", language)):
        page.locator("header details.pop:not(.menu-button)").nth(0 if kind == "language" else 1).click()
        page.locator(f"button[value={choice}]").click()
    for address in (
        f"{REPORT}{OCTOBER}&sort=-margin",
        f"{REPORT}{OCTOBER}&section=chat&has_expenses=true",
        f"{REPORT}?from=2026-10-25T02:30&to=x",
        f"{REPORT}?from=2026-10-25T02:30&to=2026-10-26&time_zone=Europe/Berlin",
    ):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language
        assert complaints_of_axe(page) == [], address
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{REPORT}{OCTOBER}")
    assert complaints_of_axe(page) == []


def test_axe_finds_nothing_on_the_plain_pages(page: Page) -> None:
    for address in ("/", "/logout", "/nowhere"):
        page.goto(address)
        assert complaints_of_axe(page) == [], address


def test_it_all_works_without_script(browser: Any, address: str, world: World) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "twin@example.com")
    page.goto(f"{REPORT}{OCTOBER}")
    expect(page.locator("#total-buy")).to_have_text("0")
    expect(page.locator("#total-sell")).to_have_text("12,346.31")
    page.locator("details.pop:visible").nth(0).click()
    page.get_by_role("button", name="Русский").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Реселлер и компании")
    page.locator("details.pop:visible").nth(2).click()
    page.get_by_role("button", name="Выйти").click()
    expect(page).to_have_url(f"{address}/login")
    context.close()
