"""The outbox of the demonstration as a newcomer uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from twin.kernel.delivery import send_mail, send_sms
from twin.kernel.sending import attempt

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parent.parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = os.environ.get("TWIN_TEST_PICTURES", "")


def yes() -> bool:
    return True


@pytest.fixture
def outbox(browser: Browser, address: str, settings: Any) -> Iterator[Page]:
    settings.DEMONSTRATION_LOADED = f"{__name__}.yes"
    settings.URL = address
    context = browser.new_context(
        base_url=address,
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
        viewport={"width": 390, "height": 844},
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    page.goto("/outbox")
    yield page
    context.close()
    assert complaints == []


def faults(page: Page) -> list[str]:
    if not AXE.exists():
        return []
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate("axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
    return found


def test_letters_appear_by_themselves_and_codes_are_copied(outbox: Page, address: str) -> None:
    expect(outbox.get_by_text("Nothing has been sent yet")).to_be_visible()
    attempt(send_mail(to="ann@example.com", subject="Your code", text="It is 482137.", purpose="email_code"))
    expect(outbox.get_by_text("Your code")).to_be_visible()
    outbox.get_by_role("button", name="Copy code").click()
    expect(outbox.get_by_role("button", name="Copied")).to_be_focused()
    assert outbox.evaluate("navigator.clipboard.readText()") == "482137"

    attempt(send_sms(to="+491701234567", text=f"See {address}/login", purpose="notice"))
    expect(outbox.locator(".letter")).to_have_count(2)
    expect(outbox.get_by_role("button", name="Copied")).to_be_focused()
    for scheme in ("light", "dark"):
        outbox.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert faults(outbox) == []
        if PICTURES:
            outbox.screenshot(path=f"{PICTURES}/outbox-{scheme}.png", full_page=True)
    assert outbox.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outbox.get_by_role("link", name=f"{address}/login").click()
    expect(outbox).to_have_url(f"{address}/login")
