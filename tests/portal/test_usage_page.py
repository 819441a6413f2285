from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.portal.people import People, employ
from tests.portal.usage import OCTOBER, record_october
from tests.world import World

SignIn = Callable[[str], Client]
PATH = "/reports/usage"


@pytest.fixture(scope="module", autouse=True)
def _october(small_world: World, people: People) -> None:
    record_october(small_world)


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(page.decode())))


def total(page: bytes) -> str:
    found = re.search(r'id="total-sell" data-exact="([^"]+)"', page.decode())
    assert found is not None
    return found[1]


def test_a_company_sees_what_it_used_and_pays(signed_in: SignIn) -> None:
    page = signed_in("acme").get(f"{PATH}?{OCTOBER}")
    assert page.status_code == 200
    assert total(page.content) == "24692.56"
    assert "Delivered SMS 1 1,234,567 parts 24,691.34" in text(page.content)
    assert "Outgoing calls 1 61 seconds 1.22" in text(page.content)
    assert "Not used: Chat service, Telephony service (new), Bot service" in text(page.content)


def test_no_price_of_its_seller_is_in_the_page(signed_in: SignIn) -> None:
    page = signed_in("acme").get(f"{PATH}?{OCTOBER}").content.decode()
    for told in ("12345.67", "12346.28", "0.61", "argin", "To Twin", "buy"):
        assert told not in page.replace("twin.css", "")


def test_a_reseller_sees_its_own_and_that_of_its_direct_company(signed_in: SignIn, small_world: World) -> None:
    rhea = signed_in("rhea")
    assert total(rhea.get(f"{PATH}?{OCTOBER}").content) == "0"
    page = rhea.get(f"{PATH}?{OCTOBER}&company={small_world.acme.id}", follow=True)
    assert total(page.content) == "24692.56"
    assert "Usage of Acme" in text(page.content)


@pytest.mark.parametrize(
    ("name", "whose", "status"),
    [
        ("rhea", "cedar", 404),
        ("rhea", "dune", 404),
        ("strand", "acme", 404),
        ("acme", "birch", 404),
        ("acme", "rhea", 404),
        ("sola", "cedar", 200),
        ("twin", "cedar", 200),
        ("twin", "acme", 200),
    ],
)
def test_who_sees_whose_usage(signed_in: SignIn, small_world: World, name: str, whose: str, status: int) -> None:
    company = small_world.parties[whose]
    answer = signed_in(name).get(f"{PATH}?{OCTOBER}&company={company.id}", follow=True)
    assert answer.status_code == status


@pytest.mark.parametrize("wrong", ["x", "-1", "0x1", "99999999999999999999", "%00"])
def test_a_company_that_is_no_id_is_not_found(signed_in: SignIn, wrong: str) -> None:
    assert signed_in("rhea").get(f"{PATH}?company={wrong}").status_code == 404


def test_a_chat_operator_finds_no_usage_and_no_menu_entry(small_world: World) -> None:
    operator = employ(small_world.birch.id, "operator@example.com", "Oda Ott", role="chat_operator")
    client = Client()
    client.force_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(PATH).status_code == 404
    assert PATH not in client.get("/personal-account").content.decode()


def test_the_personal_account_leads_a_company_to_its_usage(signed_in: SignIn) -> None:
    assert signed_in("acme").get("/personal-account")["Location"] == PATH


def test_one_service_may_be_looked_at_over_time(signed_in: SignIn) -> None:
    page = signed_in("acme").get(f"{PATH}?{OCTOBER}&chart=telephony_legacy").content
    assert "15 Oct 1.22" in text(page)


def test_a_period_that_cannot_be_read_is_said_on_the_page(signed_in: SignIn) -> None:
    page = signed_in("acme").get(f"{PATH}?from=x&to=2026-11-01")
    assert page.status_code == 422
    assert "This date and time cannot be read." in page.content.decode()


def test_platform_staff_see_all_resellers_with_what_their_reports_say(signed_in: SignIn, small_world: World) -> None:
    page = signed_in("twin").get(f"/reports/resellers?{OCTOBER}").content.decode()
    rows = {
        int(company): re.findall(r'data-exact="([^"]+)"', row)
        for company, row in re.findall(r'<tr data-company="(\d+)">(.*?)</tr>', page, re.DOTALL)
    }
    assert list(rows) == [small_world.twin.id, small_world.rhea.id, small_world.sola.id, small_world.strand.id]
    assert rows[small_world.twin.id] == ["0", "12346.31", "12346.31"]
    assert rows[small_world.rhea.id] == ["12346.31", "24692.62", "12346.31"]
    assert rows[small_world.sola.id] == ["0.06", "0.09", "0.03"]
    assert rows[small_world.strand.id] == ["0", "0", "0"]


def test_resellers_are_sorted_by_any_column(signed_in: SignIn, small_world: World) -> None:
    page = signed_in("twin").get(f"/reports/resellers?{OCTOBER}&sort=-margin").content.decode()
    assert re.findall(r'<tr data-company="(\d+)">', page)[-1] == str(small_world.strand.id)
    assert 'aria-sort="descending"' in page


@pytest.mark.parametrize("name", ["rhea", "acme", "strand"])
def test_nobody_else_sees_all_resellers(signed_in: SignIn, name: str) -> None:
    assert signed_in(name).get(f"/reports/resellers?{OCTOBER}").status_code == 404
