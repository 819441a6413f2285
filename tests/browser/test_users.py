"""An administrator finds, limits and blocks people; a newcomer opens an invitation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_report import complaints_of_axe
from tests.companies.employing import an_invitation, scope_as
from tests.portal.people import PASSWORD, employ
from tests.world import World
from twin.companies import actions
from twin.companies.access import platform_scope
from twin.companies.types import Role

pytestmark = pytest.mark.browser

PERSON = ["", ""]
NAMES: tuple[tuple[str, Role], ...] = (
    ("Bob Brook", "chat_operator"),
    ("Cleo Marsh", "finance"),
    ("Дарья Волкова", "chat_operator"),
    ("Emil Österberg", "chat_operator"),
)


@pytest.fixture(scope="module")
def staff(world: World, django_db_blocker: Any) -> Iterator[str]:
    """People at Acme, one blocked and two invited; the secret of the last invitation's link."""
    with django_db_blocker.unblock():
        ann = employ(world.acme.id, "ann@example.com", "Ann Acre")
        ids = [
            employ(world.acme.id, f"p{number}@acme.example", name, role).pk for number, (name, role) in enumerate(NAMES)
        ]
        PERSON[:] = [f"/users/{world.acme.id}/{person_id}" for person_id in ids[2:]]
        actions.block_employee(
            platform_scope(), company_id=world.acme.id, person_id=ids[-1], reason="Left without notice"
        )
        an_invitation(scope_as(ann), "fred@example.org", name="Fred Hill", role="finance")
        _, token = an_invitation(scope_as(ann))
        yield token


def enter(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Enter", exact=True).click()
    page.wait_for_url(lambda address: "/login" not in address)


def test_the_list_follows_what_is_typed(page: Page, staff: str) -> None:
    enter(page, "ann@example.com")
    page.goto("/users?sort=-name")
    page.evaluate("window.stillHere = true")
    page.get_by_role("searchbox").press_sequentially("волк")
    expect(page.locator("tr[data-person]")).to_have_count(1)
    expect(page.get_by_role("rowheader", name="Дарья Волкова")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("1 person")
    assert page.evaluate("window.stillHere")
    assert page.url.endswith("/users?sort=-name&search=%D0%B2%D0%BE%D0%BB%D0%BA")
    page.reload()
    expect(page.locator("tr[data-person]")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    expect(page.locator("tr[data-person]")).to_have_count(6)
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")


def test_an_operator_gets_a_limit_and_is_shut_out(page: Page, staff: str) -> None:
    enter(page, "ann@example.com")
    page.goto("/users")
    page.get_by_role("link", name="Bob Brook").click()
    page.get_by_label("Maximum number of dialogs").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The maximum number of dialogs is changed.")).to_be_visible()
    page.get_by_label("Reason").fill("Lost phone")
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_text("Lost phone")).to_be_visible()
    page.get_by_role("link", name="Users").first.click()
    row = page.get_by_role("row", name="Bob Brook")
    expect(row).to_contain_text("Blocked")
    expect(row).to_contain_text("12")
    page.get_by_role("link", name="Bob Brook").click()
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_text("The person may sign in again.")).to_be_visible()


def choose(page: Page, theme: str, language: str) -> None:
    for place, choice in ((1, theme), (0, language)):
        page.locator("header details.pop:not(.menu-button)").nth(place).click()
        page.locator(f"button[value={choice}]").click()


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 390)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, staff: str, language: str, theme: str, width: int
) -> None:
    enter(page, "ann@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    own = ("/users", "/users?show=invited", "/users?search=zzz", "/users/invite", *PERSON)
    for address in own:
        _sound(page, address, language, width)
    page.goto("/logout")
    page.locator("form .btn-primary").click()
    for address in (f"/invitation/{staff}", f"/invitation/{'A' * 43}"):
        _sound(page, address, language, width)


def _sound(page: Page, address: str, language: str, width: int) -> None:
    page.goto(address)
    assert page.locator("html").get_attribute("lang") == language, address
    assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    assert complaints_of_axe(page) == [], address
