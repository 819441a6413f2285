from __future__ import annotations

import csv
import html
import re
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO

import pytest
import time_machine
from django.test import Client

from tests.billing.factories import bill_with, closed, line
from tests.portal.people import People
from tests.world import World
from twin.billing.actions.issuing import issue_for_statement
from twin.billing.types import Invoice
from twin.portal import reauthentication

SignIn = Callable[[str], Client]
PATH = "/invoices"


@pytest.fixture(scope="module", autouse=True)
def documents(small_world: World, people: People) -> dict[str, Invoice]:
    """What Rhea got and issued: to Acme for January and February, one of them long overdue."""
    bill_with(small_world.rhea.scope, tax_kind="rate", tax_percent=Decimal(20), footer="=cmd()")
    with time_machine.travel("2026-02-02T09:00:00Z", tick=False):
        first = _issued(small_world, [line("10"), line("0.005", meter="call.outgoing")], date(2026, 1, 1))
    second = _issued(small_world, [line("20")], date(2026, 2, 1))
    bought = issue_for_statement(
        small_world.twin.scope, closed(small_world.twin.scope, small_world.rhea.id, [line("7")])
    )
    waits = closed(small_world.rhea.scope, small_world.birch.id, [line("3")])
    assert issue_for_statement(small_world.rhea.scope, waits) is None
    assert bought is not None
    return {"first": first, "second": second, "bought": bought}


def _issued(world: World, lines: list, month: date) -> Invoice:  # type: ignore[type-arg]  # lines of the factory
    made = issue_for_statement(world.rhea.scope, closed(world.rhea.scope, world.acme.id, lines, month=month))
    assert made is not None
    return made


@pytest.fixture
def _proven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reauthentication, "is_fresh", lambda _: True)


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(page.decode())))


def numbers(client: Client, query: str) -> list[str]:
    page = client.get(f"{PATH}{query}").content.decode()
    return re.findall(r'data-invoice="(\d+)"', page)


def test_a_company_sees_what_it_received_and_a_reseller_both_sides(
    signed_in: SignIn, documents: dict[str, Invoice]
) -> None:
    own = [str(documents[name].id) for name in ("second", "first")]
    assert numbers(signed_in("acme"), "") == own
    assert numbers(signed_in("acme"), "?side=issued") == own
    assert numbers(signed_in("rhea"), "") == [str(documents["bought"].id)]
    assert numbers(signed_in("rhea"), "?side=issued") == own
    assert numbers(signed_in("twin"), "") == [str(documents["bought"].id)]
    assert numbers(signed_in("strand"), "?side=issued") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=000001", ["first"]),
        ("search=inv-0", ["second", "first"]),
        ("search=elbtal", ["second", "first"]),
        ("search=nobody", []),
        ("search=%25", []),
        ("search=%00", ["second", "first"]),
        ("show=overdue", ["first"]),
        ("show=open", ["second", "first"]),
        ("show=paid", []),
        ("from=2026-02-02T10:00:00%2B01:00&to=2026-02-02T10:00:01%2B01:00", ["first"]),
        ("from=2026-02-02T10:00:01%2B01:00", ["second"]),
        ("to=2026-02-02T09:00:00Z", []),
        ("sort=amount", ["first", "second"]),
        ("sort=nonsense&page=abc&show=zzz", ["second", "first"]),
        ("company=999999", []),
    ],
)
def test_documents_are_found(signed_in: SignIn, documents: dict[str, Invoice], query: str, found: list[str]) -> None:
    wanted = [str(documents[name].id) for name in found]
    assert numbers(signed_in("rhea"), f"?side=issued&{query}") == wanted


def test_a_page_beyond_the_last_leads_to_the_last(signed_in: SignIn) -> None:
    assert signed_in("acme").get(f"{PATH}?page=7").headers["Location"] == PATH


def test_a_period_that_cannot_be_read_is_told(signed_in: SignIn) -> None:
    answer = signed_in("acme").get(f"{PATH}?from=yesterday")
    assert answer.status_code == 422
    assert "This date and time cannot be read." in text(answer.content)


def test_what_waits_says_for_what_and_leads_there(signed_in: SignIn, small_world: World) -> None:
    page = signed_in("rhea").get(f"{PATH}?side=issued&show=waiting").content
    assert "January 2026" in text(page)
    assert "Details of Birch are missing" in text(page)
    assert f'href="/companies/{small_world.birch.id}"' in page.decode()


def test_one_document_shows_lines_tax_and_where_to_pay(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    told = text(signed_in("acme").get(f"{PATH}/{documents['first'].id}").content)
    for words in ("Invoice INV-000001", "Overdue", "Net 10.01 EUR", "VAT 20 % 2.00 EUR", "12.01 EUR", "Where to pay"):
        assert words in told.replace("\u00a0", " "), words


def test_no_price_of_its_seller_is_told(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    bought = documents["bought"]
    assert signed_in("acme").get(f"{PATH}/{bought.id}").status_code == 404
    assert signed_in("acme").get(f"{PATH}/{bought.id}/pdf").status_code == 404
    assert "7.00" not in signed_in("acme").get(PATH).content.decode()


def test_the_pdf_is_a_download(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    answer = signed_in("acme").get(f"{PATH}/{documents['first'].id}/pdf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INV-000001.pdf"'
    assert answer.content.startswith(b"%PDF")


def test_the_accountant_gets_every_document_exactly(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    content = signed_in("rhea").get(f"{PATH}/file?side=issued&format=csv").content.decode()
    rows = list(csv.DictReader(StringIO(content)))
    assert [(row["Number"], row["Net"], row["Tax"], row["Total"], row["Open"]) for row in rows] == [
        ("INV-000002", "20.00", "4.00", "24.00", "24.00"),
        ("INV-000001", "10.01", "2.00", "12.01", "12.01"),
    ]
    book = zipfile.ZipFile(BytesIO(signed_in("rhea").get(f"{PATH}/file?side=issued&format=xlsx").content))
    assert "0.005" in book.read("xl/worksheets/sheet2.xml").decode()
    assert signed_in("rhea").get(f"{PATH}/file?format=exe").status_code == 302


@pytest.mark.usefixtures("_proven")
def test_a_credit_note_is_previewed_then_issued(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    client, address = signed_in("rhea"), f"{PATH}/{documents['second'].id}/credit"
    typed = {"line_1": "1/3", "reason": "Never arrived"}
    shown = text(client.post(address, typed).content).replace("\u00a0", " ")
    assert "What would be issued" in shown
    assert "Net −6.67 EUR VAT 20 % −1.33 EUR Credited −8.00 EUR" in shown
    assert "Credit notes" not in text(client.get(f"{PATH}/{documents['second'].id}").content).replace(
        "Credit note…", ""
    )
    done = client.post(address, {**typed, "issue": "yes"}, follow=True)
    assert "Credit note CN-000001 is issued." in text(done.content)
    assert "Still to be paid 16.00 EUR" in text(client.get(f"{PATH}/{documents['second'].id}").content)
    too_much = client.post(address, {"line_1": "13.34", "reason": "More", "issue": "yes"})
    assert too_much.status_code == 422
    assert "More would be taken back than remains" in text(too_much.content)


@pytest.mark.usefixtures("_proven")
@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"line_1": "1"},
        {"line_1": "abc", "reason": "r"},
        {"line_1": "1/0", "reason": "r"},
        {"line_1": "1.005", "reason": "r"},
        {"line_1": "1e9", "reason": "r"},
        {"line_1": "nan", "reason": "r"},
        {"line_1": "-1", "reason": "r"},
        {"line_99": "all", "reason": "r"},
        {"line_1": "1", "reason": "a\x00b"},
        {"line_1": "500 %", "reason": "r"},
    ],
)
def test_what_cannot_be_credited_is_told_and_nothing_is_issued(
    signed_in: SignIn, documents: dict[str, Invoice], typed: dict[str, str]
) -> None:
    answer = signed_in("rhea").post(f"{PATH}/{documents['first'].id}/credit", {**typed, "issue": "yes"})
    assert answer.status_code == 422
    assert 'data-open="12.01"' in signed_in("rhea").get(f"{PATH}/{documents['first'].id}").content.decode()


def test_nobody_but_its_seller_credits(signed_in: SignIn, documents: dict[str, Invoice]) -> None:
    for name in ("acme", "twin", "strand"):
        assert signed_in(name).get(f"{PATH}/{documents['first'].id}/credit").status_code == 404
