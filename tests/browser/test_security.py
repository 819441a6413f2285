"""Second factors in a real browser: an app by its code, a passkey of a virtual device; every page looked over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.portal.people import PASSWORD, employ
from tests.portal.security_clients import app_code
from tests.world import World

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parent.parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
# Where pictures of the pages go when somebody wants to look at them.
PICTURES = os.environ.get("TWIN_TEST_PICTURES", "")


@pytest.fixture
def here(browser: Browser, address: str) -> Iterator[Page]:
    """A page at localhost: at 127.0.0.1 no browser makes passkeys."""
    context = browser.new_context(
        base_url=address.replace("127.0.0.1", "localhost"),
        viewport=DESKTOP,
        locale="en-GB",
        # Colours are those of the theme at once.
        reduced_motion="reduce",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def newcomer(world: World, request: pytest.FixtureRequest) -> str:
    """The email of a new administrator at a company; nobody has signed in as them yet."""
    email = f"{request.node.name.replace('_', '-')[:40]}@example.com"
    employ(world.parties["acme"].id, email, "Nia New")
    cache.clear()
    return email


def give_password(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Enter").click()


def sign_out(page: Page) -> None:
    page.get_by_text("Account", exact=True).locator("xpath=ancestor::summary").click()
    page.get_by_role("button", name="Sign out", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def look_over(page: Page, name: str) -> None:
    """Nothing for axe to find and nothing wider than the screen, light on a desk and dark in a hand."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width, size, theme in (("desk", DESKTOP, "light"), ("hand", PHONE, "dark")):
        page.set_viewport_size(size)
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        found: dict[str, Any] = page.evaluate("() => axe.run(document)")
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == [], (name, width, theme)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{width}-{theme}.png", full_page=True)
    page.set_viewport_size(DESKTOP)


def test_an_app_is_set_up_and_its_code_asked_for(here: Page, newcomer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    give_password(here, newcomer)
    here.goto("/security")
    look_over(here, "security-empty")
    here.get_by_role("link", name="Set up the authenticator app").click()
    secret = here.locator(".secret-text").inner_text()
    look_over(here, "app")
    here.get_by_label("Code shown by the app").fill("000000")
    here.get_by_role("button", name="Set up").click()
    expect(here.locator(".field-error")).to_contain_text("This code does not fit")
    here.get_by_label("Code shown by the app").fill(app_code(secret))
    here.get_by_role("button", name="Set up").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    expect(here.locator(".codes li")).to_have_count(10)
    with here.expect_download() as download:
        here.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "twin-recovery-codes.txt"
    look_over(here, "recovery-codes")
    here.get_by_role("button", name="I have kept them").click()
    look_over(here, "security-with-app")
    sign_out(here)

    # The code that set the app up is used up: half a minute passes.
    now = totp.yield_hotp_counters_from_time
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: (counter + 1 for counter in now()))
    give_password(here, newcomer)
    expect(here.get_by_role("heading", level=1)).to_have_text("Second step")
    look_over(here, "second-step")
    here.get_by_label("Code").fill(app_code(secret, steps=1))
    here.get_by_role("button", name="Enter").click()
    expect(here).to_have_url(re.compile(r"/(personal-account|reports/.*)$"))


def test_a_passkey_is_made_and_signs_in_alone(here: Page, newcomer: str) -> None:
    device = here.context.new_cdp_session(here)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    give_password(here, newcomer)
    here.goto("/security")
    here.get_by_role("link", name="Add a passkey").click()
    look_over(here, "passkey")
    here.get_by_label("Name").fill("Work laptop")
    here.get_by_role("button", name="Go on at the device").click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    here.get_by_role("button", name="I have kept them").click()
    expect(here.locator("b", has_text="Work laptop")).to_be_visible()
    look_over(here, "security-with-passkey")
    sign_out(here)

    look_over(here, "sign-in")
    for _ in range(6):
        Client().post("/login", {"login": newcomer, "password": "guessed-by-somebody-else-1"})
    # Whoever guesses keeps the password out for a while, the passkey never.
    give_password(here, newcomer)
    expect(here.get_by_role("alert").first).to_contain_text("Too many tries")
    here.get_by_role("button", name="Sign in with a passkey").click()
    expect(here).to_have_url(re.compile(r"/(personal-account|reports/.*)$"))
    sign_out(here)

    # A device that does not know its owner opens nothing.
    device.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": False})
    here.get_by_role("button", name="Sign in with a passkey").click()
    expect(here.locator("[data-passkey-problem]")).to_be_visible()
    expect(here).to_have_url(re.compile(r"/login$"))


def test_the_pages_stand_in_russian_too(here: Page, newcomer: str) -> None:
    give_password(here, newcomer)
    here.goto("/security")
    here.get_by_role("button", name="Русский").last.click()
    expect(here.get_by_role("heading", level=1)).to_have_text("Безопасность")
    look_over(here, "ru-security")
    for place in ("profile", "password", "email", "phone", "second-factor", "confirm"):
        here.goto(f"/security/{place}")
        look_over(here, f"ru-{place}")
