"""What buyers owe, to take away: as searched and sorted, with the exact figures of the page."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.test import Client

from tests.billing.ledgers import issue
from tests.portal.people import People
from tests.world import World
from twin.billing.actions.accounts import set_account
from twin.companies.actions import update_company

pytestmark = pytest.mark.django_db


def _rows(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    body = answer.getvalue().decode() if answer.streaming else answer.text
    return list(csv.reader(body.removeprefix("\ufeff").splitlines()))


@pytest.fixture(scope="module")
def owing(small_world: World, people: People, django_db_blocker: Any) -> World:
    """Acme, called like a formula, owes Rhea 119.00 since March and may owe 500."""
    with django_db_blocker.unblock():
        issue(small_world.rhea, small_world.acme.id, 10_000, tax=1_900, due_on=date(2026, 3, 16))
        update_company(small_world.rhea.scope, small_world.acme.id, name="=1+1 Acme")
        set_account(
            small_world.rhea.scope,
            buyer_id=small_world.acme.id,
            mode="postpaid",
            credit_limit_minor=50_000,
            warn_percents=[80],
        )
    return small_world


def test_balances_are_taken_along_as_they_are_searched(owing: World, signed_in: Callable[[str], Client]) -> None:
    header, acme = _rows(signed_in("rhea"), "/balances/file?search=acme&format=csv")
    assert header[:4] == ["Company id", "Company", "Buys now", "Balance"]
    assert acme == [
        *(str(owing.acme.id), "'=1+1 Acme", "yes", "-119.00", "0", "0"),
        *("119.00", "119.00", "postpaid", "500.00", "381", "EUR"),
    ]


def test_an_unknown_form_leads_back_to_the_list(owing: World, signed_in: Callable[[str], Client]) -> None:
    assert signed_in("rhea").get("/balances/file?show=owing&format=pdf")["Location"] == "/balances?show=owing"


def test_the_workbook_holds_numbers_and_no_formula(owing: World, signed_in: Callable[[str], Client]) -> None:
    content = signed_in("rhea").get("/balances/file?format=xlsx").getvalue()
    sheet = openpyxl.load_workbook(BytesIO(content))["Balances"]
    [acme] = [row for row in sheet.iter_rows(min_row=2) if row[0].value == owing.acme.id]
    assert [cell.data_type for cell in acme[:4]] == ["n", "s", "s", "n"]
    assert (acme[1].value, acme[3].value) == ("=1+1 Acme", -119)


def test_companies_are_taken_along_with_balance_and_limit(owing: World, signed_in: Callable[[str], Client]) -> None:
    header, *rows = _rows(signed_in("rhea"), "/companies/file?format=csv")
    assert header[-3:] == ["balance", "credit_limit", "currency"]
    assert {row[0]: row[-3:] for row in rows}[str(owing.acme.id)] == ["-119.00", "500.00", "EUR"]


def test_of_companies_that_others_sell_to_no_balance_is_known(owing: World, signed_in: Callable[[str], Client]) -> None:
    _, *rows = _rows(signed_in("twin"), "/companies/file?format=csv")
    assert {row[0]: row[-3:] for row in rows}[str(owing.acme.id)] == ["", "", ""]
