"""Whoever's company is blocked or closed reads why, wherever they were; what concerns the person alone stays open."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.companies.factories import Tree, a_tree
from tests.portal.people import PASSWORD, employ
from twin.companies.access import platform_scope
from twin.companies.actions import update_company

pytestmark = pytest.mark.database

PAGES = (
    "/users",
    "/company",
    "/audit",
    "/api-keys",
    "/reports/usage",
    "/companies",
    "/invoices",
    "/reports/usage?from=x",
)


@pytest.fixture
def world() -> Tree:
    return a_tree()


def entered(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


@pytest.mark.parametrize("state", ["blocked", "closed"])
def test_every_page_of_a_shut_company_leads_to_the_reason(world: Tree, state: str) -> None:
    employ(world.acme.id, "ann@example.com", "Ann Acre")
    ann = entered("ann@example.com")
    update_company(platform_scope(), world.acme.id, state=state, reason="Three invoices open")
    for page in PAGES:
        answer = ann.get(page, follow=True)
        assert answer.redirect_chain == [("/personal-account", 302)], page
        assert "Three invoices open" in answer.text
    assert ann.post("/users/invite", {"name": "x"}).status_code == 302


def test_what_concerns_the_person_stays_open(world: Tree) -> None:
    employ(world.acme.id, "ann@example.com", "Ann Acre")
    ann = entered("ann@example.com")
    update_company(platform_scope(), world.acme.id, state="blocked", reason="Three invoices open")
    assert ann.get("/").status_code == 200
    assert ann.get("/security").status_code == 200
    assert ann.get("/legal/terms").status_code == 200
    assert ann.post("/preferences/language", {"language": "ru"}).status_code == 302
    assert "Three invoices open" in ann.get("/personal-account").text
    assert ann.post("/logout").status_code == 302


def test_a_company_that_is_active_again_lets_its_people_on(world: Tree) -> None:
    employ(world.acme.id, "ann@example.com", "Ann Acre")
    ann = entered("ann@example.com")
    update_company(platform_scope(), world.acme.id, state="blocked", reason="Three invoices open")
    assert ann.get("/users").status_code == 302
    update_company(platform_scope(), world.acme.id, state="active", reason=None)
    assert ann.get("/users").status_code == 200
