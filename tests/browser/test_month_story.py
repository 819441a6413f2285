"""A month in a tree of three levels, from usage to money: closed, invoiced, looked at, paid, and corrected in the next.

Twin → Rhea → Sola → Cedar, and Rhea → Acme. Every amount is counted by hand: an SMS costs Rhea 0.01, Acme and
Sola 0.02, Cedar 0.03.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.billing.months import close, use
from tests.browser.test_report import complaints_of_axe
from tests.browser.test_users import enter
from tests.informing import inform
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JANUARY_IS_OVER, FEBRUARY_IS_OVER = "2026-02-03T00:00", "2026-03-03T00:00"
SIZES = ((1440, 900), (390, 844))


@pytest.fixture(scope="module")
def month(world: World, django_db_blocker: Any) -> Iterator[World]:
    """January is used by Acme and Cedar, over, and closed by every seller."""
    with django_db_blocker.unblock():
        for party in (world.twin, world.rhea, world.sola, world.acme, world.cedar):
            inform(party.id, invoice_name=f"{party.company.name} GmbH")
        use(world.acme.id, "2026-01-10T12:00", times=1000)
        use(world.cedar.id, "2026-01-20T12:00", times=500)
        close_all(world, JANUARY_IS_OVER)
        yield world


def close_all(world: World, now: str) -> None:
    for seller in (world.twin, world.rhea, world.sola):
        close(seller, now)


@contextmanager
def at(browser: Browser, address: str, name: str) -> Iterator[Page]:
    """The page of that company's administrator, in a browser of their own."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    enter(page, f"{name}@example.com")
    yield page
    context.close()


def listed(page: Page) -> list[tuple[str, str, str]]:
    """Number, other party and amount of every document that the list shows."""
    rows = page.locator("tr[data-invoice]")
    expect(rows.first).to_be_visible()
    return [
        (
            row.locator(".l-name a").inner_text(),
            row.locator(".l-partner").inner_text(),
            str(row.locator(".l-amount").get_attribute("data-exact")),
        )
        for row in rows.all()
    ]


def download(page: Page, number: str) -> bytes:
    with page.expect_download() as got:
        page.locator("tr[data-invoice]", has_text=number).get_by_role("link", name=f"PDF {number}").click()
    assert got.value.suggested_filename == f"{number}.pdf"
    return Path(got.value.path()).read_bytes()


def look_at(content: bytes, *told: str) -> None:
    """The PDF has one page, is no empty sheet, and says all this."""
    document = pypdfium2.PdfDocument(content)
    try:
        assert len(document) == 1
        drawn = document[0].render(scale=1.5).to_numpy()
        inked = (drawn < 200).any(axis=2)
        # Something is drawn in the upper, middle and lower third, nothing runs over the edges of the sheet.
        thirds = len(drawn) // 3
        assert all(inked[third * thirds : (third + 1) * thirds].sum() > 200 for third in range(3))
        assert not inked[:, :20].any()
        assert not inked[:, -20:].any()
        text = " ".join(document[0].get_textpage().get_text_bounded().split()).replace("\u00a0", " ")
    finally:
        document.close()
    for words in told:
        assert words in text, words


def test_each_seller_invoices_its_own_buyers_and_nobody_sees_what_is_above(
    month: World, browser: Browser, address: str
) -> None:
    with at(browser, address, "twin") as page:
        page.goto("/invoices")
        assert listed(page) == [("INV-000001", "Rhea GmbH", "15.00")]
    with at(browser, address, "rhea") as page:
        page.get_by_role("link", name="Invoices", exact=True).first.click()
        assert listed(page) == [("INV-000001", "Twin GmbH", "15.00")]
        page.get_by_label("Whose documents are shown").get_by_role("link", name="Issued").click()
        assert sorted(one[1:] for one in listed(page)) == [("Acme GmbH", "20.00"), ("Sola GmbH", "10.00")]
    with at(browser, address, "sola") as page:
        page.goto("/invoices")
        assert [one[1:] for one in listed(page)] == [("Rhea GmbH", "10.00")]
        page.goto("/invoices?side=issued")
        assert listed(page) == [("INV-000001", "Cedar GmbH", "15.00")]
    with at(browser, address, "acme") as page:
        page.goto("/invoices?side=issued")
        assert [one[1:] for one in listed(page)] == [("Rhea GmbH", "20.00")]
        assert "Twin GmbH" not in page.content()


def test_both_parties_download_the_same_pdf_and_it_says_what_was_used(
    month: World, browser: Browser, address: str
) -> None:
    with at(browser, address, "acme") as page:
        page.goto("/invoices")
        [(number, _, _)] = listed(page)
        own = download(page, number)
    with at(browser, address, "rhea") as page:
        page.goto(f"/invoices?side=issued&search={number}")
        assert download(page, number) == own
    look_at(
        own,
        *("Invoice", number, "January 2026", "Rhea GmbH", "Acme GmbH", "Text messaging service", "Sent SMS"),
        *("1,000 parts", "0.02", "To be paid 20.00 EUR", "Reference"),
    )


def test_a_document_leads_from_its_statement_and_says_the_same(month: World, browser: Browser, address: str) -> None:
    with at(browser, address, "acme") as page:
        page.goto("/statements?show=closed")
        page.get_by_role("link", name=re.compile("January 2026")).first.click()
        exact = page.locator(".statement-total dd[data-exact]").first.get_attribute("data-exact")
        assert exact == "20"
        page.get_by_role("link", name=re.compile(r"INV-\d{6}")).first.click()
        expect(page.locator("dd[data-open]")).to_have_attribute("data-open", "20.00")
        assert complaints_of_axe(page) == []
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_bank_says_who_paid_and_late_usage_comes_with_the_next_month(
    month: World, browser: Browser, address: str, tmp_path: Path
) -> None:
    with at(browser, address, "rhea") as page:
        page.goto("/invoices?side=issued&search=acme")
        [(number, _, _)] = listed(page)
        january = download(page, number)
        record_by_bank_file(page, tmp_path, number)
        page.goto(f"/invoices?side=issued&search={number}")
        expect(page.locator("tr[data-invoice] .l-state")).to_have_text("Paid")
    use(month.acme.id, "2026-01-31T12:00", times=100)
    use(month.acme.id, "2026-02-10T12:00", times=50)
    close_all(month, FEBRUARY_IS_OVER)
    with at(browser, address, "acme") as page:
        page.goto("/invoices")
        found = listed(page)
        assert sorted(one[2] for one in found) == ["20.00", "3.00"]
        february = next(one[0] for one in found if one[2] == "3.00")
        look_at(download(page, february), "February 2026", "for January 2026, arrived later", "To be paid 3.00 EUR")
        assert download(page, number) == january
        page.goto("/balance")
        expect(page.get_by_text("−3.00").first).to_be_visible()


def record_by_bank_file(page: Page, folder: Path, number: str) -> None:
    """The payment comes with the statement of the bank, names the invoice, and is matched."""
    file = folder / "bank.csv"
    file.write_text(
        f"date,amount,currency,payer,reference,id\n2026-02-20,20.00,EUR,Somebody at Acme,thanks for {number},8841\n"
    )
    page.goto("/payments/bank")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look through it").click()
    expect(page.locator(".bank-from")).to_contain_text("Acme")
    expect(page.locator(".bank-from")).to_contain_text(number)
    page.get_by_role("button", name="Record the payments").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_pages_of_documents_can_be_read_by_everybody_in_both_themes_and_widths(
    month: World, browser: Browser, address: str
) -> None:
    with at(browser, address, "rhea") as page:
        page.goto("/invoices?side=issued&search=acme")
        expect(page.locator("tr[data-invoice]").first).to_be_visible()
        one = str(page.locator("tr[data-invoice]").first.get_attribute("data-invoice"))
        for path in ("/invoices?side=issued", "/invoices?show=waiting", f"/invoices/{one}", f"/invoices/{one}/credit"):
            for theme, (width, height) in zip(("light", "dark"), ((1440, 900), (360, 740)), strict=True):
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two it knows
                page.set_viewport_size({"width": width, "height": height})
                page.goto(path)
                expect(page.get_by_role("heading", level=1)).to_be_visible()
                assert complaints_of_axe(page) == [], (path, theme)
                assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            page.set_viewport_size({"width": 768, "height": 1024})
            assert page.evaluate("document.documentElement.scrollWidth") <= 768, path
