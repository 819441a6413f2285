from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.companies.factories import a_tree
from tests.portal.people import employ

pytestmark = pytest.mark.database

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def page() -> Any:
    person = employ(a_tree().acme.id, "otto@example.com", "Otto Per", "chat_operator")
    client = Client()
    client.force_login(person, backend=BACKEND)
    return client


def test_the_page_shows_every_address_with_its_fields(page: Client) -> None:
    text = page.get("/api-reference").text
    for expected in (
        "/api/v1/usage/events",
        "reseller-companies",
        "effective_from",
        "usage:write",
        "Administrators make keys.",
    ):
        assert expected in text, expected
    assert "import json" not in text
    assert "API=http://testserver/api/v1" in text


def test_the_examples_are_shown_in_the_language_chosen(page: Client) -> None:
    assert "import json, os" in page.get("/api-reference?show=python").text
    assert "import json, os" not in page.get("/api-reference?show=cobol").text


def test_russians_read_it_in_russian(page: Client) -> None:
    page.post("/preferences/language", {"language": "ru"})
    text = page.get("/api-reference").text
    assert "Быстрый старт" in text
    assert "Создать компанию под компанией ключа" in text
    assert "Create a company beneath" not in text
