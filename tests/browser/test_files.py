"""Out of the page: files by the menu, a long one that is watched, paper; the components under axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import OCTOBER, REPORT, complaints_of_axe, sign_in
from tests.world import World
from twin.kernel.tenancy import tenant_transaction
from twin.portal.filing import make_file
from twin.reports.models import Export

pytestmark = pytest.mark.browser


@pytest.fixture
def report(page: Page) -> Page:
    sign_in(page, "rhea@example.com")
    page.goto(f"{REPORT}{OCTOBER}&has_expenses=true")
    return page


def test_files_are_fetched_with_the_keyboard_alone(report: Page) -> None:
    menu = report.locator(".downloads summary")
    menu.focus()
    report.keyboard.press("Enter")
    report.keyboard.press("Tab")
    expect(report.locator(".offer a").first).to_be_focused()
    with report.expect_download() as download:
        report.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith("-2026-10-01-messaging.csv")
    report.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_a_pdf_is_fetched(report: Page) -> None:
    report.locator(".downloads summary").click()
    with report.expect_download() as download:
        report.get_by_role("link", name="All sections: PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


def test_a_long_file_is_watched_until_it_is_there(report: Page, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.portal.views.files.AT_ONCE", {"csv": 1, "xlsx": 1, "pdf": 1})
    report.locator(".downloads summary").click()
    report.get_by_role("link", name="Everything: XLSX").click()
    expect(report.get_by_role("heading", level=1)).to_have_text("This file takes a while")
    assert complaints_of_axe(report) == []
    report.get_by_role("button", name="Make the file").click()
    expect(report.locator("progress")).to_be_visible()
    assert complaints_of_axe(report) == []
    make_file(world.rhea.id, int(report.url.rpartition("/")[2]))
    # Nobody presses anything: the page looks by itself.
    fetch = report.get_by_role("link", name="Download", exact=True)
    expect(fetch).to_be_visible(timeout=10_000)
    assert complaints_of_axe(report) == []
    with report.expect_download() as download:
        fetch.click()
    assert download.value.suggested_filename.endswith("-all.xlsx")
    report.get_by_role("link", name="All files").click()
    assert complaints_of_axe(report) == []
    report.locator("tbody th a").first.click()
    # What cannot be taken back is asked about in place.
    report.get_by_text("Remove", exact=True).first.click()
    report.locator(".confirm-body").get_by_role("button", name="Cancel").click()
    expect(report.locator(".confirm-body")).to_be_hidden()
    report.get_by_text("Remove", exact=True).first.click()
    report.locator(".confirm-body").get_by_role("button", name="Remove").click()
    expect(report.get_by_text("The file was removed.")).to_be_visible()
    with tenant_transaction(world.rhea.id):
        Export.objects.all().delete()


def test_the_page_on_paper(report: Page) -> None:
    report.emulate_media(media="print", color_scheme="dark")
    expect(report.locator(".paper-head")).to_contain_text("Rhea")
    expect(report.locator(".paper-head")).to_contain_text("1 Oct 2026, 00:00:00 to 1 Nov 2026, 00:00:00")
    expect(report.locator(".paper-filters")).to_contain_text("There are expenses")
    for gone in (".period", ".side", ".bar", ".tabs", ".downloads", ".search"):
        expect(report.locator(gone).first).to_be_hidden()
    head = report.locator("section.report thead")
    # Repeated on every sheet, and nothing pinned.
    assert head.evaluate("element => getComputedStyle(element).display") == "table-header-group"
    assert head.locator("th").first.evaluate("element => getComputedStyle(element).position") == "static"
    assert report.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # Every column is on the paper, also those that a narrow screen hides.
    expect(report.locator("section.report thead th")).to_have_count(19)
    expect(report.locator("section.report thead .g-push").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_components_are_fit_for_everybody(
    page: Page, monkeypatch: pytest.MonkeyPatch, theme: str, language: str
) -> None:
    monkeypatch.setattr("twin.kernel.demonstration.is_open", lambda: True)
    page.goto("/styleguide")
    for number, choice in ((1, theme), (0, language)):
        page.locator("details.pop").nth(number).click()
        page.locator(f"button[value={choice}]").click()
    assert page.locator("html").get_attribute("lang") == language
    assert complaints_of_axe(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_toast_is_put_away(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.demonstration.is_open", lambda: True)
    page.goto("/styleguide")
    expect(page.locator(".told")).to_have_count(2)
    page.locator(".told button").first.click()
    expect(page.locator(".told")).to_have_count(1)


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_moves_while_the_report_comes(report: Page, width: int) -> None:
    report.set_viewport_size({"width": width, "height": 900})
    report.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const entry of list.getEntries())"
        " if (!entry.hadRecentInput) window.shift += entry.value; }).observe({type: 'layout-shift', buffered: true});"
    )
    report.goto(f"{REPORT}{OCTOBER}")
    report.wait_for_timeout(500)
    assert report.evaluate("window.shift") == 0
