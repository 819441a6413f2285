"""The pages of billing in both languages: nothing for axe to find, and nothing too wide.

A look by axe takes a second: every other page is looked at wide in English, the ones between on a phone in Russian.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.billing.factories import bill_with
from tests.billing.months import at, close, statements_between, use
from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import choose, enter
from tests.informing import inform
from tests.world import World
from twin.billing.actions.accounts import set_account
from twin.billing.queries.listing import StatementsAsked, statements
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BANK_FILE = """date,amount,currency,payer,reference,id
2026-02-20,0.06,EUR,Acme,INV-000001,1
2026-02-20,7.00,EUR,Somebody quite unknown with a long name,thank you for everything in January,2
2026-02-20,5.00,USD,Elsewhere,,3
2026-02-20,-1.00,EUR,The bank,fee,4
"""


@pytest.fixture(scope="module")
def month(world: World, django_db_blocker: Any) -> Iterator[World]:
    """January is closed, Newt's February waits for a price and Sola's for a decision; Acme has used up what it may."""
    with django_db_blocker.unblock():
        for party in (world.twin, world.rhea, world.sola, world.acme):
            inform(party.id, invoice_name=f"{party.company.name} GmbH")
        bill_with(world.rhea.scope, late_threshold_minor=1)
        for buyer in (world.acme, world.sola):
            use(buyer.id, "2026-01-10T12:00", times=3)
        close(world.rhea, "2026-02-03T00:00")
        use(world.sola.id, "2026-01-31T12:00", times=9)
        use(without_prices(world), "2026-02-10T12:00")
        close(world.rhea, "2026-03-03T00:00")
        set_account(world.rhea.scope, buyer_id=world.acme.id, mode="prepaid", credit_limit_minor=0)
        yield world


def without_prices(world: World) -> int:
    """A buyer that pays by a card without rates."""
    card = pricing.create_rate_card(world.rhea.scope, name="Bare", default=False)
    newt = pricing.create_company(
        world.rhea.scope, name="Newt", kind="company", time_zone="Europe/Berlin", effective_from=at("2026-02-01T00:00")
    )
    metering.assign_rate_card(
        world.rhea.scope, buyer_id=newt.id, card_id=card.id, effective_from=at("2026-02-01T00:00")
    )
    return newt.id


def addresses_of(world: World) -> tuple[str, ...]:
    """In pairs that are alike, where there are such."""
    january = statements_between(world.rhea, world.acme.id)[0]
    held = statements(world.rhea.scope, StatementsAsked(state="waiting")).items
    assert {one.held for one in held} == {"unrated", "late"}
    waiting = [one.id for one in held]
    return (
        *("/payments", f"/balances/{world.acme.id}", "/balances", "/payments/bank", "/balance", "/billing/settings"),
        *("/statements", "/statements?show=closed"),
        *(f"/statements/{number}" for number in waiting),
        *(f"/statements/{january.id}", f"/statements/{january.id}/lines/1"),
    )


def look_at(page: Page, what: str, width: int, language: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language, what
    assert page.evaluate("document.documentElement.scrollWidth") <= width, what
    assert complaints_of_axe(page) == [], what


@pytest.mark.parametrize(("language", "theme", "width"), [("en", "light", 1440), ("ru", "dark", 360)])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    page: Page, month: World, tmp_path: Path, language: str, theme: str, width: int
) -> None:
    enter(page, "rhea@example.com")
    choose(page, theme, language)
    page.set_viewport_size({"width": width, "height": 850})
    for address in addresses_of(month)[language == "ru" :: 2]:
        page.goto(address)
        look_at(page, address, width, language)
    if language == "en":
        return
    file = tmp_path / "bank.csv"
    file.write_text(BANK_FILE, encoding="utf-8")
    page.goto("/payments/bank")
    page.locator("input[type=file]").set_input_files(file)
    page.locator("main form button").first.click()
    expect(page.locator(".bank-lines tbody tr")).to_have_count(4)
    look_at(page, "the lines of a bank file", width, language)
    page.goto("/corrections")
    page.locator("main form .btn-primary").click()
    expect(page.locator("#correction")).to_be_visible()
    look_at(page, "a correction", width, language)


def test_whoever_has_used_up_everything_is_told_above_every_page(page: Page, month: World) -> None:
    enter(page, "acme@example.com")
    choose(page, "light", "ru")
    for address in ("/users", "/balance"):
        page.goto(address)
        expect(page.locator(".security-note")).to_contain_text("исчерпан")
    look_at(page, "/balance", 1440, "ru")


def test_a_number_typed_before_the_script_runs_chooses_its_country(page: Page, world: World) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/phone*.js", hold)
    page.goto("/registration", wait_until="commit")
    field = page.locator("[data-phone] input")
    field.fill("+491512345678")
    held[0].continue_()
    expect(page.locator("[data-phone] select")).to_have_value("DE")
