"""The pages of statements: what is read there, what is said there, and what strangers find."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.billing.months import close, statements_between, use
from tests.billing.pictures import a_png
from tests.portal.people import employ
from tests.world import World, build_world
from twin.billing.actions.settings import save_settings
from twin.billing.queries.settings import settings_of
from twin.billing.types import Settings
from twin.companies.types import Role

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    """January closed with usage of Acme, February running."""
    built = build_world()
    use(built.acme.id, "2026-01-10T12:00", quantity=3)
    close(built.rhea, "2026-02-02T00:00", tell=False)
    use(built.acme.id, "2026-02-10T12:00", quantity=5)
    return built


def client_of(company_id: int, role: Role = "administrator") -> Client:
    client = Client()
    client.force_login(
        employ(company_id, f"{role}{company_id}@example.com", "Ada Min", role),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    return client


def test_both_parties_read_the_statement_and_its_charges(world: World) -> None:
    number = statements_between(world.rhea, world.acme.id)[0].id
    for company in (world.rhea.id, world.acme.id):
        client = client_of(company)
        page = client.get(f"/statements/{number}").content.decode()
        assert "January 2026" in page
        assert "0.06" in page
        assert "0.03" not in page
        charges = client.get(f"/statements/{number}/lines/1").content.decode()
        assert charges.count("<time ") == 1


def test_finance_reads_and_does_not_decide(world: World) -> None:
    number = statements_between(world.rhea, world.acme.id)[0].id
    client = client_of(world.rhea.id, "finance")
    assert client.get(f"/statements/{number}").status_code == 200
    assert client.post(f"/statements/{number}/sign-off", {"reason": "x"}).status_code == 404
    assert client.get("/billing/settings").status_code == 404


def test_late_usage_is_decided_on_the_page(world: World) -> None:
    save_settings(world.rhea.scope, settings=Settings(late_threshold_minor=0))
    use(world.acme.id, "2026-01-20T12:00")
    close(world.rhea, "2026-03-02T00:00", tell=False)
    held = statements_between(world.rhea, world.acme.id)[1]
    client = client_of(world.rhea.id)
    assert "Late usage waits for a decision" in client.get(f"/statements/{held.id}").content.decode()
    assert client.post(f"/statements/{held.id}/late", {"policy": "all"}).status_code == 422
    assert client.post(f"/statements/{held.id}/late", {"policy": "next_invoice"}).status_code == 302
    assert statements_between(world.rhea, world.acme.id)[1].state == "closed"
    # What is decided is decided.
    assert client.post(f"/statements/{held.id}/late", {"policy": "write_off"}).status_code == 422


def test_the_list_names_the_running_months(world: World) -> None:
    page = client_of(world.rhea.id).get("/statements").content.decode()
    assert "Acme" in page
    assert f"/statements/open/{world.rhea.id}/{world.acme.id}" in page
    received = client_of(world.acme.id).get("/statements").content.decode()
    assert "Rhea" in received


def test_a_list_without_a_search_does_not_follow_one(world: World) -> None:
    issued, received = (client_of(one.id).get("/statements").content.decode() for one in (world.rhea, world.acme))
    assert "data-live-search" in issued
    assert 'type="search"' not in received
    assert "data-live-search" not in received


@pytest.mark.parametrize(
    "query",
    ["?page=999999", "?show=x&sort=-x", "?search=%00", "?search=%F0%9F%92%A3", "?side=x", "?sort=-amount&show=closed"],
)
def test_hostile_addresses_are_answered(world: World, query: str) -> None:
    assert client_of(world.rhea.id).get(f"/statements{query}").status_code in (200, 302)


@pytest.mark.parametrize(
    "after", ["x", "a~b~c~d", "2026-01-01T00:00:00Z~1~zz~1", "9" * 500, "2026-01-01T00:00:00Z~9e9~0~1"]
)
def test_hostile_places_begin_anew(world: World, after: str) -> None:
    number = statements_between(world.rhea, world.acme.id)[0].id
    answer = client_of(world.rhea.id).get(f"/statements/{number}/lines/1", {"after": after})
    assert answer.content.decode().count("<time ") == 1


def test_a_month_asked_for_that_is_none_shows_the_running_one(world: World) -> None:
    client = client_of(world.rhea.id)
    for month in ("2026-13", "x", "0000-01", "1999-01"):
        assert client.get(f"/statements/open/{world.rhea.id}/{world.acme.id}", {"month": month}).status_code == 200


def test_settings_are_saved_or_say_what_is_wrong(world: World) -> None:
    client = client_of(world.rhea.id)
    given = {
        "series": "R", "credit_series": "RC", "top_up_series": "RT", "grace": "48", "payment_days": "30",
        "tax_kind": "rate", "tax_percent": "19", "late_policy": "credit_note", "late_threshold": "99,50",
        "language": "ru",
    }  # fmt: skip
    assert client.post("/billing/settings", {**given, "credit_series": "R"}).status_code == 422
    assert client.post("/billing/settings", {**given, "series": "r r"}).status_code == 422
    assert settings_of(world.rhea.scope) == Settings()
    assert client.post("/billing/settings", given).status_code == 302
    saved = settings_of(world.rhea.scope)
    assert (saved.series, saved.late_threshold_minor, saved.closes_automatically) == ("R", 9950, False)
    assert 'value="99.50"' in client.get("/billing/settings").content.decode()


def test_a_logo_goes_up_and_down(world: World) -> None:
    client = client_of(world.rhea.id)
    broken = SimpleUploadedFile("logo.png", b"\x89PNG\r\n\x1a\nno", "image/png")
    assert client.post("/billing/settings/logo", {"logo": broken}).status_code == 422
    assert client.post("/billing/settings/logo", {"logo": SimpleUploadedFile("l.png", a_png())}).status_code == 302
    answer = client.get("/billing/logo")
    assert (answer.content, answer["Content-Type"]) == (a_png(), "image/png")
    client.post("/billing/settings/logo", {"remove": "1"})
    assert client.get("/billing/logo").status_code == 404
