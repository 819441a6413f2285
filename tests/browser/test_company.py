"""The company information window as a newcomer meets it: held, mended, saved; nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from tests.portal.people import PASSWORD
from tests.world import World
from twin.companies.access import platform_scope
from twin.companies.actions import add_employee

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DETAILS = {
    "Name": "Elbtal Energie GmbH",
    "Phone": "0351 5550120",
    "Registration number": "HRB 41877",
    "VAT number": "DE136695975",
    "Bank": "Sparkasse Elbtal",
    "IBAN": "DE89 3704 0044 0532 0130 00",
    "Street and house": "Uferstraße 14",
    "City": "Dresden",
}


def an_administrator(company_id: int, email: str, language: str = "en") -> Any:
    user = get_user_model().objects.create_user(email, PASSWORD, name="Jonas Weber", language=language)
    add_employee(platform_scope(), user=user, company_id=company_id, role="administrator")
    return user


def sign_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def fill(page: Page, label: str, text: str) -> None:
    page.get_by_role("textbox", name=label, exact=True).first.fill(text)


def complaints_of_axe(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found.response["violations"]]


def test_a_newcomer_completes_the_window(page: Page, world: World) -> None:
    an_administrator(world.echo.id, "jonas@echo.example")
    sign_in(page, "jonas@echo.example")
    expect(page).to_have_url(re.compile("/company$"))
    page.goto("/reports/reseller-companies")
    expect(page).to_have_url(re.compile("/company$"))

    page.select_option("#id_country", "DE")
    expect(page.get_by_label("VAT number")).to_be_visible()
    expect(page.get_by_label("INN", exact=True)).to_be_hidden()
    for label, text in DETAILS.items():
        fill(page, label, text)
    expect(page.locator(".needed-list")).to_contain_text("postal code of the legal address")
    assert "registration" not in page.locator(".needed-list").inner_text()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    assert complaints_of_axe(page) == []

    # Signed out in the middle: what was typed is there again.
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "jonas@echo.example")
    expect(page.get_by_role("textbox", name="Bank", exact=True)).to_have_value("Sparkasse Elbtal")

    page.get_by_role("button", name="Save company").click()
    expect(page.get_by_text("The check digit does not match").first).to_be_visible()
    page.get_by_label("VAT number").fill("DE136695976")
    page.locator("#id_legal_postal_code").fill("01067")
    expect(page.locator(".needed-list")).to_be_hidden()
    page.locator("#id_legal_postal_code").press("Enter")
    expect(page).to_have_url(re.compile("/personal-account$|/reports"))
    expect(page.get_by_text("Company information is saved.")).to_be_visible()
    page.goto("/company")
    expect(page.get_by_label("Phone", exact=True)).to_have_value("+49 351 5550120")
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Elbtal Energie GmbH")


def test_in_russian_on_a_phone_nothing_runs_over_the_edge(page: Page, world: World) -> None:
    an_administrator(world.dune.id, "olga@dune.example", "ru")
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, "olga@dune.example")
    expect(page.get_by_role("heading", name="Информация о компании")).to_be_visible()
    page.select_option("#id_country", "RU")
    page.get_by_label("ИНН", exact=True).fill("7707083894")
    page.get_by_role("button", name="Сохранить компанию").click()
    expect(page.get_by_text("Контрольная цифра не сходится").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert complaints_of_axe(page) == []
