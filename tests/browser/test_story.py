"""From the home page to a working company: a stranger registers, informs, invites; the invited person comes in."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.outbox import last_mail
from tests.portal.newcomer import PASSWORD, code_to
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWNER, OWNER_PHONE = "jonas.weber@elbtal-energie.example", "+4915123454417"
GUEST, GUEST_PHONE = "lena.vogt@elbtal-energie.example", "+4915123454418"
COMPANY = {
    "Name": "Elbtal Energie GmbH",
    "Phone": "0351 5550120",
    "Registration number": "HRB 41877",
    "Street and house": "Uferstraße 14",
    "City": "Dresden",
}


def register(page: Page) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Registration").click()
    page.get_by_label("Name").fill("Jonas Weber")
    page.get_by_label("Email").fill(OWNER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Phone number").fill(OWNER_PHONE)
    page.get_by_label("Time zone").fill("Europe/Berlin")
    agree(page)
    page.get_by_label("Code from the mail").fill(code_to(OWNER))
    page.get_by_role("button", name="Continue").click()
    confirm_phone(page, OWNER_PHONE)


def agree(page: Page) -> None:
    page.get_by_label("terms and conditions").check()
    page.get_by_label("personal data processing policy").check()
    page.get_by_role("button", name="Continue").click()


def confirm_phone(page: Page, phone: str) -> None:
    # The page first: its SMS is written by the request that leads there.
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your phone")
    page.get_by_label("Code from the SMS").fill(code_to(phone))
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("You are registered.")).to_be_visible()


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Enter").click()


def inform(page: Page) -> None:
    expect(page).to_have_url(re.compile("/company$"))
    page.select_option("#id_country", "DE")
    for label, text in COMPANY.items():
        page.get_by_role("textbox", name=label, exact=True).first.fill(text)
    page.locator("#id_legal_postal_code").fill("01067")
    page.get_by_role("button", name="Save company").click()
    expect(page.get_by_text("Company information is saved.")).to_be_visible()


def invite(page: Page) -> None:
    page.get_by_role("link", name="Users").first.click()
    page.get_by_role("link", name="Register new user").click()
    page.get_by_label("Name").fill("Lena Vogt")
    page.get_by_label("Email").fill(GUEST)
    page.get_by_label("Role").select_option(label="Chat operator")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text(f"An invitation is on its way to {GUEST}.")).to_be_visible()


def accept(page: Page) -> None:
    page.goto(f"/invitation/{last_mail(GUEST, 'invitation').link.rsplit('/', 1)[-1]}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Work for Elbtal Energie GmbH")
    expect(page.get_by_label("Name")).to_have_value("Lena Vogt")
    accept_as(page, GUEST_PHONE)
    sign_in(page, GUEST)
    expect(page).to_have_url(re.compile("/personal-account$"))
    expect(page.get_by_role("main")).to_contain_text("Elbtal Energie GmbH")
    expect(page.get_by_role("link", name="Users")).to_have_count(0)


def accept_as(page: Page, phone: str) -> None:
    """What an invited person gives whom nobody knew before."""
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Phone number").fill(phone)
    page.get_by_label("Time zone").fill("Europe/Berlin")
    agree(page)
    confirm_phone(page, phone)


def test_a_stranger_gets_to_a_working_company(page: Page, browser: Browser, address: str, world: World) -> None:
    register(page)
    sign_in(page, OWNER)
    inform(page)
    invite(page)
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, locale="en-GB")
    accept(context.new_page())
    context.close()
    page.goto("/users")
    page.get_by_role("link", name="Lena Vogt").click()
    page.get_by_label("Maximum number of dialogs").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The maximum number of dialogs is changed.")).to_be_visible()
    page.goto("/users")
    expect(page.get_by_role("row", name="Lena Vogt")).to_contain_text("12")
