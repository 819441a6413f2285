"""The reseller's office in one flow, from an empty card to a company that was helped; everything by its pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_story import COMPANY, accept_as, inform
from tests.browser.test_users import enter
from tests.flows.installation import Client
from tests.outbox import last_mail
from tests.portal.newcomer import PASSWORD
from tests.world import World, key_of
from twin.kernel import clock
from twin.kernel.period import instant_text

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# As its administrator corrects the name in the window of company information.
NAME = COMPANY["Name"]
FRIDA, FRIDA_PHONE = "frida.fjell@fjord.example", "+4915123454419"


def make_card(page: Page) -> None:
    page.get_by_role("link", name="Prices", exact=True).first.click()
    page.get_by_label("Name", exact=True).fill("Office 2026")
    page.get_by_role("button", name="Create card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Office 2026")
    page.get_by_role("button", name="Let new companies start with it").click()
    expect(page.get_by_text("New companies start with this card.").first).to_be_visible()


def make_company(page: Page) -> str:
    """The address of the new company."""
    page.get_by_role("link", name="Companies", exact=True).first.click()
    page.get_by_role("link", name="Create company").click()
    page.get_by_label("Name", exact=True).fill("Fjord")
    page.get_by_label("Time zone").fill("Europe/Oslo")
    page.get_by_label("Name of the administrator").fill("Frida Fjell")
    page.get_by_label("Email of the administrator").fill(FRIDA)
    page.get_by_role("button", name="Create company").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fjord")
    return page.url


def come_in(frida: Page) -> None:
    """The administrator takes the invitation up and tells everything about the company."""
    frida.goto(f"/invitation/{last_mail(FRIDA, 'invitation').link.rsplit('/', 1)[-1]}")
    accept_as(frida, FRIDA_PHONE)
    sign_in(frida)
    inform(frida)


def sign_in(frida: Page) -> None:
    frida.goto("/login")
    frida.get_by_label("Email").fill(FRIDA)
    frida.get_by_label("Password", exact=True).fill(PASSWORD)
    frida.get_by_role("button", name="Enter", exact=True).click()


def price(page: Page, amount: str) -> None:
    """Record a price for the meter that is chosen; the page says so."""
    page.get_by_label("Price", exact=True).fill(amount)
    page.get_by_role("button", name="Record price").click()
    expect(page.get_by_text("The price is recorded.")).to_be_visible()


def price_sms(page: Page) -> None:
    page.get_by_role("link", name="Prices", exact=True).first.click()
    page.get_by_role("link", name="Office 2026").click()
    page.get_by_label("Meter").select_option("sms.sent")
    price(page, "0.09")


def send(address: str, key: str, company: str, numbers: range, meter: str) -> dict[str, int]:
    """As the operator's system does: one batch over HTTP."""
    events = [
        {
            "specversion": "1.0",
            "type": "twin.usage",
            "source": "smsc-1",
            "id": f"{meter}-{number}",
            "subject": company,
            "time": instant_text(clock.now()),
            "data": {"meter": meter},
        }
        for number in numbers
    ]
    with Client(int(address.rsplit(":", 1)[-1]), key) as client:
        answer = client.send_events(json.dumps(events).encode())
    assert answer.status == 200, answer.body
    told: dict[str, int] = answer.json
    return told


def see_report(page: Page, company: str, section: str, *texts: str) -> None:
    page.goto(f"/reports/reseller-companies?section={section}")
    row = page.locator(f"tr[data-company='{company}']")
    for text in texts:
        expect(row).to_contain_text(text)


def price_what_waits(page: Page) -> None:
    page.goto("/to-do")
    row = page.get_by_role("row", name=NAME)
    expect(row).to_contain_text("2")
    row.get_by_role("link", name="Set a price").click()
    price(page, "0.04")
    page.goto("/to-do")
    expect(page.get_by_role("row", name=NAME)).to_have_count(0)


def block(page: Page, company: str) -> None:
    page.goto(company)
    page.get_by_label("Reason").first.fill("Three invoices open")
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_text("Blocked: Three invoices open")).to_be_visible()


def unblock(page: Page) -> None:
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("The company is active again.")).to_be_visible()


def act(page: Page) -> None:
    """The reseller looks at the company as its administrator, says why, and goes back."""
    page.get_by_role("link", name="Sign in as administrator").click()
    page.get_by_label("Reason").fill("Ticket 4711")
    page.get_by_role("button", name="Sign in as administrator").click()
    banner = page.locator(".acting")
    expect(banner).to_contain_text(NAME)
    page.goto("/users")
    expect(page.get_by_role("rowheader", name="Frida Fjell")).to_be_visible()
    banner.get_by_role("button").click()
    expect(banner).to_have_count(0)


@contextmanager
def another(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 850}, locale="en-GB")
    yield context.new_page()
    context.close()


def test_a_reseller_runs_its_business(page: Page, browser: Browser, address: str, world: World) -> None:
    enter(page, "rhea@example.com")
    make_card(page)
    company = make_company(page)
    number = company.rsplit("/", 1)[-1]
    with another(browser, address) as frida:
        come_in(frida)
        price_sms(page)
        key = key_of(world.twin.id)
        assert send(address, key, number, range(3), "sms.sent")["unrated"] == 0
        assert send(address, key, number, range(2), "chat.bot_message")["unrated"] == 2
        see_report(page, number, "messaging", "0.27")
        price_what_waits(page)
        see_report(page, number, "chat", "0.08")
        block(page, company)
        frida.goto("/users")
        expect(frida.get_by_text("Three invoices open")).to_be_visible()
        assert send(address, key, number, range(3, 4), "sms.sent")["accepted"] == 1
        unblock(page)
        act(page)
        frida.goto("/audit")
        row = frida.get_by_role("row").filter(has_text=re.compile("Ticket 4711"))
        expect(row.first).to_contain_text("Ruth Reed (Rhea)")
