"""Pages are for people and the API for keys, and neither tells of its inside when something breaks."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from tests.companies.factories import a_key, a_tree
from tests.portal.people import PASSWORD, employ
from twin.portal.views import people

pytestmark = pytest.mark.database

PAGES = (
    "/users",
    "/audit",
    "/api-keys",
    "/companies",
    "/prices",
    "/reports/reseller-companies",
    "/security",
    "/audit/file",
)


@pytest.mark.parametrize("page", PAGES)
def test_a_key_opens_no_page(page: str) -> None:
    tree = a_tree()
    answer = Client().get(page, headers={"Authorization": f"Bearer {a_key(tree.rhea.id)}"})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login")


def test_a_session_opens_no_address_of_the_api() -> None:
    tree = a_tree()
    employ(tree.rhea.id, "ruth@example.com", "Ruth Reed")
    client = Client()
    client.post("/login", {"login": "ruth@example.com", "password": PASSWORD})
    for address in ("/api/v1/companies", "/api/v1/rate-cards", "/api/v1/usage/unrated"):
        assert client.get(address).status_code == 401, address
    assert client.post("/api/v1/companies", {}, content_type="application/json").status_code == 401


def test_a_page_that_breaks_tells_nothing_of_its_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("canary of the inside")

    monkeypatch.setattr(people, "render", broken)
    answer = Client(raise_request_exception=False).get("/")
    assert answer.status_code == 500
    assert not settings.DEBUG
    for inside in ("canary", "Traceback", "RuntimeError", "twin/portal", "django"):
        assert inside not in answer.text
