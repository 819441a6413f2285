from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from django.test import Client

from tests.companies.factories import Tree, a_tree, scope_of
from tests.informing import inform
from tests.outbox import last_mail
from tests.portal.people import PASSWORD, employ
from twin.companies import queries
from twin.companies.access import platform_scope
from twin.kernel.clock import now
from twin.kernel.models import SecurityEvent
from twin.pricing import actions as pricing
from twin.pricing.queries import cards_of_buyers

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def ruth(world: Tree) -> Client:
    """The administrator of the reseller Rhea, who has just given her password."""
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    return entered("ruth@example.com")


@pytest.fixture
def tilda(world: Tree) -> Client:
    employ(world.twin.organisation_id, "tilda@example.com", "Tilda North")
    return entered("tilda@example.com")


def entered(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def names_in(page: Any) -> list[str]:
    return [row.company.name for row in page.context["page"].rows]


NEW = {
    "name": "Fjord",
    "kind": "company",
    "time_zone": "Oslo",
    "external_id": "F-1",
    "admin_name": "Frida Fjell",
    "admin_email": "frida@example.org",
}


def test_a_reseller_sees_what_lies_beneath_it_and_nothing_else(ruth: Client, world: Tree) -> None:
    page = ruth.get("/companies")
    assert page.status_code == 200
    assert names_in(page) == ["Acme", "Birch", "Cedar", "Sola"]
    assert '<a class="menu-place" href="/companies" aria-current="page">' in page.text
    assert names_in(ruth.get("/companies?sort=-name")) == ["Sola", "Cedar", "Birch", "Acme"]
    for sort in ("id", "seller", "kind", "state", "-state"):
        assert len(names_in(ruth.get(f"/companies?sort={sort}"))) == 4


def test_companies_are_found_by_name_id_external_id_and_tax_number(ruth: Client, world: Tree) -> None:
    inform(world.birch.id, vat_number="DE136695976")
    ruth.post(f"/companies/{world.acme.id}/details", {"name": "Acme", "external_id": "A 77", "time_zone": "UTC"})
    assert names_in(ruth.get("/companies?search=ACM")) == ["Acme"]
    assert names_in(ruth.get(f"/companies?search={world.acme.id}")) == ["Acme"]
    assert names_in(ruth.get("/companies?search=A 77")) == ["Acme"]
    assert names_in(ruth.get("/companies?search=de 136 695")) == ["Birch"]
    assert names_in(ruth.get("/companies?search=136695976")) == ["Birch"]
    for nothing in ("zzz", "de1", "%", "a_me", "\ud800".encode("utf-8", "surrogatepass").hex()):
        assert "No company fits this search" in ruth.get("/companies", {"search": nothing}).text


def test_a_page_beyond_the_last_leads_to_the_last(ruth: Client) -> None:
    assert ruth.get("/companies?page=9")["Location"] == "/companies"


def test_states_are_counted_and_shown_apart(ruth: Client, world: Tree) -> None:
    ruth.post(f"/companies/{world.birch.id}/block", {"reason": "Unpaid"})
    assert names_in(ruth.get("/companies?show=blocked")) == ["Birch"]
    assert names_in(ruth.get("/companies?show=incomplete")) == ["Acme", "Birch", "Cedar", "Sola"]
    inform(world.acme.id)
    page = ruth.get("/companies?show=incomplete")
    assert [(one.count, one.is_current) for one in page.context["page"].segments] == [
        ("4", False), ("1", False), ("0", False), ("3", True)
    ]  # fmt: skip


def test_a_new_company_begins_with_its_card_and_its_administrators_invitation(ruth: Client, world: Tree) -> None:
    scope = scope_of(world.rhea)
    card = pricing.create_rate_card(scope, name="Standard", default=True)
    answer = ruth.post("/companies/create", {**NEW, "parent_id": str(world.rhea.id)})
    (fjord,) = queries.list_companies(scope, search="Fjord").items
    assert answer["Location"] == f"/companies/{fjord.id}"
    assert (fjord.time_zone, fjord.external_id, fjord.parent_id) == ("Europe/Oslo", "F-1", world.rhea.id)
    assert cards_of_buyers(scope, now()) == {fjord.id: card}
    assert "Fjord" in last_mail("frida@example.org").text
    assert "Standard" in ruth.get(f"/companies/{fjord.id}").text
    assert SecurityEvent.objects.using("owner").filter(event="company.created", company_id=fjord.id).count() == 1


def test_nothing_is_created_when_the_invitation_cannot_be_sent(ruth: Client, world: Tree) -> None:
    refused = ruth.post("/companies/create", {**NEW, "admin_email": "nobody", "parent_id": str(world.rhea.id)})
    assert refused.status_code == 422
    assert "This is not an email address" in refused.text
    assert not queries.list_companies(platform_scope(), search="Fjord").items


def test_refusals_stand_by_their_fields(ruth: Client, world: Tree) -> None:
    assert ruth.post("/companies/create", {**NEW, "parent_id": str(world.rhea.id)}).status_code == 302
    taken = ruth.post("/companies/create", {**NEW, "name": "Gale", "parent_id": str(world.rhea.id)})
    assert "Another company under the same seller has this external id" in taken.text
    foreign = ruth.post("/companies/create", {**NEW, "parent_id": str(world.strand.id)})
    assert "There is no such company." in foreign.text
    leaf = ruth.post("/companies/create", {**NEW, "external_id": "", "parent_id": str(world.acme.id)})
    assert "Nothing can be put under this company" in leaf.text
    assert not queries.list_companies(platform_scope(), search="Gale").items


def test_creating_asks_for_the_password_again(world: Tree) -> None:
    user = employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/companies/create", {**NEW, "parent_id": str(world.rhea.id)})
    assert answer["Location"].startswith("/security/confirm")


def test_details_are_changed_and_recorded(ruth: Client, world: Tree) -> None:
    given = {"name": "Acme & Sons", "external_id": "7", "time_zone": "Europe/Berlin"}
    assert ruth.post(f"/companies/{world.acme.id}/details", given).status_code == 302
    acme = queries.get_company(platform_scope(), world.acme.id)
    assert (acme.name, acme.external_id, acme.time_zone) == ("Acme & Sons", "7", "Europe/Berlin")
    event = SecurityEvent.objects.using("owner").get(event="company.changed", company_id=world.acme.id)
    assert event.fields["changed"] == "external_id name time_zone"
    assert ruth.post(f"/companies/{world.acme.id}/details", {**given, "name": ""}).status_code == 422


def test_a_company_is_blocked_with_a_reason_its_people_read(ruth: Client, world: Tree) -> None:
    employ(world.acme.id, "ann@example.com", "Ann Acre")
    ann = entered("ann@example.com")
    assert ruth.post(f"/companies/{world.acme.id}/block", {"reason": " "}).status_code == 422
    assert ruth.post(f"/companies/{world.acme.id}/block", {"reason": "Three invoices open"}).status_code == 302
    assert "Three invoices open" in ann.get("/personal-account").text
    assert "Blocked: Three invoices open" in ruth.get(f"/companies/{world.acme.id}").text
    assert ruth.post(f"/companies/{world.acme.id}/activate").status_code == 302
    assert queries.get_company(platform_scope(), world.acme.id).state == "active"


def test_a_company_is_closed_and_reopened(ruth: Client, world: Tree) -> None:
    ruth.post(f"/companies/{world.acme.id}/close", {"reason": "Moved away"})
    page = ruth.get(f"/companies/{world.acme.id}").text
    assert "Closed since" in page
    assert "Reopen" in page
    assert names_in(ruth.get("/companies?show=closed")) == ["Acme"]


def test_a_company_becomes_a_reseller_once(ruth: Client, world: Tree) -> None:
    assert ruth.post(f"/companies/{world.acme.id}/reseller").status_code == 302
    assert queries.get_company(platform_scope(), world.acme.id).kind == "reseller"
    assert f"/companies/{world.acme.id}/reseller" not in ruth.get(f"/companies/{world.acme.id}").text


def test_the_platform_moves_a_company(tilda: Client, world: Tree) -> None:
    form = {"parent_id": str(world.strand.id), "effective_from": ""}
    assert tilda.post(f"/companies/{world.acme.id}/move", form).status_code == 302
    assert queries.get_company(platform_scope(), world.acme.id).parent_id == world.strand.id
    early = tilda.post(f"/companies/{world.acme.id}/move", {**form, "effective_from": "2025-01-01T00:00"})
    assert early.status_code == 422
    assert "The earliest possible time is" in early.text
    same = tilda.post(f"/companies/{world.acme.id}/move", form)
    assert "Nothing can be put under this company" in same.text
    odd = tilda.post(f"/companies/{world.acme.id}/move", {**form, "effective_from": "tomorrow"})
    assert "This date and time cannot be read" in odd.text


def test_a_reseller_moves_nothing_and_finds_no_others(ruth: Client, world: Tree) -> None:
    assert ruth.post(f"/companies/{world.acme.id}/move", {"parent_id": str(world.sola.id)}).status_code == 404
    for foreign in (world.dune.id, world.strand.id, world.rhea.id, world.twin.organisation_id, 2**31):
        assert ruth.get(f"/companies/{foreign}").status_code == 404
        assert ruth.post(f"/companies/{foreign}/block", {"reason": "x"}).status_code == 404


def test_the_pages_are_russian_for_russians(ruth: Client, world: Tree) -> None:
    ruth.post("/preferences/language", {"language": "ru"})
    assert "Компании" in ruth.get("/companies").text
    assert "Создать компанию" in ruth.get("/companies/create").text
    assert "Доступ" in ruth.get(f"/companies/{world.acme.id}").text


def test_the_list_is_taken_along_as_it_is_searched(ruth: Client, world: Tree) -> None:
    ruth.post(
        f"/companies/{world.acme.id}/details", {"name": "=cmd|' /C calc'!A1", "external_id": "@1", "time_zone": "UTC"}
    )
    page = ruth.get("/companies?search=irc&sort=-name").context["page"]
    assert page.csv_href == "/companies/file?search=irc&sort=-name&format=csv"
    file = ruth.get(page.csv_href)
    assert file["Content-Disposition"] == f'attachment; filename="companies-{world.rhea.id}.csv"'
    head, line = file.text.splitlines()
    assert head.startswith("\ufeffid,name,external_id,tax_number,kind")
    assert line.startswith(f"{world.birch.id},Birch,")
    rows = list(csv.reader(ruth.get("/companies/file").text.splitlines()))
    assert [row[1] for row in rows[1:]] == ["'=cmd|' /C calc'!A1", "Birch", "Cedar", "Sola"]
    assert rows[1][2] == "'@1"
    assert ruth.get("/companies/file?show=blocked").text.count("\n") == 1
    exported = SecurityEvent.objects.using("owner").filter(event="company.list_exported", company_id=world.rhea.id)
    assert [event.fields["number"] for event in exported.order_by("id")] == [1, 4, 0]


def test_the_workbook_of_companies_holds_no_formula(ruth: Client, world: Tree) -> None:
    ruth.post(f"/companies/{world.acme.id}/details", {"name": "=1+1", "external_id": "7", "time_zone": "UTC"})
    content = ruth.get("/companies/file?format=xlsx&sort=id").content
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Companies"]
    cells = {cell.value: cell.data_type for cell in sheet["B"]}
    assert cells["=1+1"] == "s"
    assert world.acme.id in [cell.value for cell in sheet["A"]]
