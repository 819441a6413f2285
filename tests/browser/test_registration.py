"""A newcomer in a real browser: from home to the first sign-in, in English at a desk, in Russian on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.portal.newcomer import PASSWORD, code_to, messages_to, other_than

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parent.parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PHONE: ViewportSize = {"width": 390, "height": 844}
NEW_PASSWORD = "meadow-copper-thursday-7"


def look_over(page: Page) -> None:
    """axe finds nothing, light and dark, and nothing hangs out at the right."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="light" if scheme == "light" else "dark", reduced_motion="reduce")
        found: Any = page.evaluate("axe.run({resultTypes: ['violations']})")
        complaints = [f"{scheme} {page.url}: {each['id']} {each['nodes'][0]['html']}" for each in found["violations"]]
        assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.fixture
def russian_phone(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(
        base_url=address, viewport=PHONE, locale="ru-RU", timezone_id="Asia/Yekaterinburg", has_touch=True
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "Security Policy" in message.text else None)
    yield page
    context.close()
    assert complaints == []


def test_a_newcomer_registers_signs_in_and_recovers_the_password(page: Page) -> None:
    email, phone = "jonas.weber@elbtal-energie.example", "+4915123454417"
    page.goto("/")
    expect(page.get_by_role("link", name="Personal Account")).to_be_visible()
    look_over(page)
    page.get_by_role("main").get_by_role("link", name="Registration").click()
    page.get_by_label("Name").fill("Jonas Weber")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).press_sequentially(PASSWORD)
    expect(page.locator("[data-strength]")).to_have_attribute("data-strength", "4")
    page.get_by_label("Phone number").press_sequentially("+4915123454417")
    page.get_by_label("Phone number").press("Tab")
    expect(page.get_by_label("Phone number")).to_have_value("1512 3454417")
    expect(page.get_by_label("Country of the number")).to_have_value("DE")
    page.get_by_label("Time zone").fill("berlin")
    page.get_by_label("terms and conditions").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Needed to create an account")).to_be_visible()
    look_over(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("personal data processing policy").check()
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your email")
    page.get_by_label("Code from the mail").fill(other_than(code_to(email)))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("That code is not right. Two tries left.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Send again in 0:"))).to_be_disabled()
    look_over(page)
    page.get_by_label("Code from the mail").fill(code_to(email))
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your phone")
    expect(page.get_by_text("+49 1512 3454417")).to_be_visible()
    page.get_by_label("Code from the SMS").fill(code_to(phone))
    page.get_by_role("button", name="Register").click()

    expect(page.get_by_text("You are registered. Sign in with your email and password.")).to_be_visible()
    look_over(page)
    page.get_by_role("link", name="Forget password").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Recover").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    [link] = re.findall(r"/recovery/\S+", messages_to(email)[-1])
    page.goto(link)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Show password").click()
    expect(page.get_by_label("New password")).to_have_attribute("type", "text")
    look_over(page)
    page.get_by_role("button", name="Save password").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Remember me").check()
    page.get_by_role("button", name="Enter").click()
    expect(page).to_have_url(re.compile("/company$"))


def test_a_newcomer_registers_in_russian_on_a_phone(russian_phone: Page) -> None:
    page = russian_phone
    email, phone = "olga.petrova@ural-energo.example", "+79161234567"
    page.goto("/")
    look_over(page)
    page.get_by_role("main").get_by_role("link", name="Регистрация").click()
    expect(page.get_by_label("Часовой пояс")).to_have_value("Asia/Yekaterinburg")
    expect(page.get_by_label("Страна номера")).to_have_value("RU")
    page.get_by_label("Имя").fill("Ольга Петрова")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Пароль", exact=True).fill("четыре разных слова вместе")
    page.get_by_label("Номер телефона").press_sequentially("9161234567")
    expect(page.get_by_label("Номер телефона")).to_have_value("916 123 45 67")
    page.get_by_label("условиями использования").check()
    page.get_by_label("политикой обработки персональных данных").check()
    look_over(page)
    page.get_by_role("button", name="Продолжить").click()
    page.get_by_label("Код из письма").fill(code_to(email))
    page.get_by_role("button", name="Продолжить").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Подтвердите телефон")
    page.get_by_role("link", name="Изменить номер").click()
    look_over(page)
    page.get_by_role("link", name="Вернуться к коду").click()
    page.get_by_label("Код из SMS").fill(code_to(phone))
    page.get_by_role("button", name="Зарегистрироваться").click()
    expect(page.get_by_text("Вы зарегистрированы. Войдите с вашим адресом и паролем.")).to_be_visible()
    for path in ("/legal/terms", "/legal/personal-data", "/recovery", "/recovery/new-password"):
        page.goto(path)
        look_over(page)
