"""An administrator makes a key for a program, reads what happened, and finds how to begin."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import choose, enter
from tests.world import World

pytestmark = pytest.mark.browser


def make_key(page: Page, name: str) -> None:
    page.goto("/api-keys/new")
    page.locator("input[name=name]").fill(name)
    page.locator("input[value='reports:read']").check()
    page.locator("input[value='companies:read']").check()
    page.locator("main form .btn-primary").click()


def test_a_key_is_made_copied_and_revoked(page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    make_key(page, "Nightly figures")
    secret = page.locator("#secret").inner_text()
    assert secret.startswith("twin_")
    answer = page.request.get("/api/v1/companies", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status == 200
    page.get_by_role("link", name="I have kept it").click()
    row = page.get_by_role("row", name="Nightly figures")
    expect(row).to_contain_text("read reports")
    row.get_by_text("Revoke").first.click()
    row.get_by_role("button", name="Revoke now").click()
    expect(page.get_by_text("The key is revoked")).to_be_visible()
    refused = page.request.get("/api/v1/companies", headers={"Authorization": f"Bearer {secret}"})
    assert refused.status == 401


def test_the_audit_follows_what_is_typed(page: Page, world: World) -> None:
    enter(page, "rhea@example.com")
    page.goto("/audit")
    expect(page.locator("tr[data-event=signed_in]").first).to_be_visible()
    page.get_by_role("searchbox").press_sequentially("nobody at all")
    expect(page.get_by_role("heading", name="Nothing was recorded")).to_be_visible()
    page.get_by_role("searchbox").fill("ruth")
    expect(page.locator("tr[data-event=signed_in]").first).to_contain_text("Ruth Reed")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename.startswith("audit-")


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, world: World, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    make_key(page, "Nightly figures")
    sound(page, language, width)
    for name in ("api-keys", "api-keys/new", "audit", "audit?search=zzz", "api-reference", "api-reference?show=python"):
        page.goto(f"/{name}")
        if name == "api-keys":
            page.locator(".keys details summary").first.click()
        if name == "api-reference":
            page.locator("#take_events summary").click()
        sound(page, language, width)


def sound(page: Page, language: str, width: int) -> None:
    assert page.locator("html").get_attribute("lang") == language, page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    assert complaints_of_axe(page) == [], page.url
