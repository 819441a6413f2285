"""What keys do over HTTP, and what they are refused, stands in the audit of the company it concerns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from tests.api.client import Api
from tests.portal.people import PASSWORD, employ
from tests.world import World, key_of
from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key, update_company
from twin.portal import guards

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _fresh() -> None:
    guards.forget_refusals()
    cache.clear()


def recorded(name: str) -> list[tuple[int, str, dict[str, Any]]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select company_id, host(address), fields::text from kernel_securityevent where event = %s order by id",
            [name],
        )
        return [(company, address, json.loads(fields)) for company, address, fields in cursor.fetchall()]


def test_a_company_made_over_http_names_key_and_address(api: Api, world: World) -> None:
    made = api.post("/companies", world.rhea, {"name": "Fjord", "kind": "company", "time_zone": "UTC"}).json
    [found] = [row for row in recorded("company.created") if row[0] == made["id"]]
    assert (found[1], found[2]["by_key"], found[2]["parent_id"]) == ("127.0.0.1", "tests", world.rhea.id)


def test_blocking_and_moving_over_http_are_recorded(api: Api, world: World) -> None:
    api.patch(f"/companies/{world.acme.id}", world.rhea, {"state": "blocked", "reason": "Unpaid"})
    body = {"parent_id": world.strand.id, "effective_from": "2031-01-01T00:00:00Z"}
    assert api.post(f"/companies/{world.birch.id}/move", world.twin, body).status == 200
    assert [row[2]["reason"] for row in recorded("company.blocked")] == ["Unpaid"]
    assert [(row[0], row[2]["effective_from"]) for row in recorded("company.moved")] == [
        (world.birch.id, "2031-01-01T00:00:00Z")
    ]


def test_what_a_key_was_refused_names_it(api: Api, world: World) -> None:
    reader, secret = create_api_key(platform_scope(), world.rhea.id, ("reports:read",), name="Reader")
    assert api.get("/rate-cards", secret).status == 403
    about = {"method": "GET", "path": "/api/v1/rate-cards", "by_key_id": reader.id, "by_key": "Reader"}
    assert recorded("access_refused") == [(world.rhea.id, "127.0.0.1", about)]


def test_the_key_of_a_blocked_company_is_refused_on_record(api: Api, world: World) -> None:
    secret = key_of(world.acme.id)
    update_company(world.rhea.scope, world.acme.id, state="blocked", reason="Unpaid")
    assert api.get("/companies", secret).status == 403
    [(company, _, fields)] = recorded("access_refused")
    assert (company, fields["by_key"]) == (world.acme.id, "tests")


def test_a_key_that_hammers_does_not_fill_the_record(api: Api, world: World) -> None:
    secret = key_of(world.rhea.id, ("reports:read",))
    assert {api.get("/rate-cards", secret).status for _ in range(guards.REFUSALS_A_MINUTE + 5)} == {403}
    assert len(recorded("access_refused")) == guards.REFUSALS_A_MINUTE
    assert api.get("/rate-cards", key_of(world.acme.id, ("reports:read",))).status == 403
    assert len(recorded("access_refused")) == guards.REFUSALS_A_MINUTE + 1


def test_who_reads_the_audit_is_told_the_key_by_its_name(api: Api, world: World) -> None:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    made = api.post("/companies", world.rhea, {"name": "Fjord", "kind": "company", "time_zone": "UTC"}).json
    reading = Client()
    assert reading.post("/login", {"login": "ruth@example.com", "password": PASSWORD}).status_code == 302
    rows = reading.get("/audit?group=company").context["page"].rows
    [row] = [row for row in rows if row.event.company_id == made["id"]]
    assert row.by.startswith("API key “tests” (")
    assert not [name for name, _ in row.details if name in ("by_key", "by_key_id", "by")]
    keys = reading.get("/audit?group=access&search=acme").context["page"].rows
    assert {row.by for row in keys if row.event.event == "api_key.created"} == {"the operator at the console"}


def test_a_key_is_found_in_the_audit_by_its_name(api: Api, world: World) -> None:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    _, secret = create_api_key(platform_scope(), world.rhea.id, ("companies:write",), name="Warehouse robot")
    made = api.post("/companies", secret, {"name": "Fjord", "kind": "company", "time_zone": "UTC"}).json
    reading = Client()
    reading.post("/login", {"login": "ruth@example.com", "password": PASSWORD})
    found = reading.get("/audit?search=warehouse").context["page"].rows
    assert {(row.event.event, row.event.company_id) for row in found} >= {("company.created", made["id"])}
