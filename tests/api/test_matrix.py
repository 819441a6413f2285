"""Every route × every kind of asker has an expected answer; a route nobody thought of fails.

The target of each route is something of Rhea's: its company Acme (a fresh one where it is moved), its card, its report.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.client import BATCH, Api
from tests.world import BEGINNING, World, key_of
from twin.api.urls import api as routes
from twin.companies import actions as companies
from twin.companies.access import platform_scope
from twin.pricing import actions as pricing

ASKERS = (
    "twin",
    "rhea",
    "sola",
    "acme",
    "strand",
    "dune",
    "nobody",
    "false key",
    "without scope",
    "blocked",
)
PERMISSIONS = (
    "usage:write",
    "reports:read",
    "companies:read",
    "companies:write",
    "prices:read",
    "prices:write",
    "billing:read",
    "billing:write",
)
PERIOD = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
RATE = {"meter": "sms.sent", "unit_price": "1", "effective_from": "2030-01-01T00:00:00Z"}


@dataclass(frozen=True)
class Route:
    """How a route is tried, what opens it, and what the askers of ASKERS (the first six) get."""

    permissions: tuple[str, ...]
    path: str
    expected: tuple[int, int, int, int, int, int]
    body: Any = None
    content_type: str = "application/json"


# In the order of ASKERS: platform, Rhea itself, its sub-reseller, its company, a stranger, the stranger's company.
EXPECTED: dict[str, Route] = {
    "POST /companies": Route(
        ("companies:write",),
        "/companies",
        (201, 201, 404, 404, 404, 404),
        {"name": "New", "kind": "company", "time_zone": "UTC", "parent_id": "{rhea}"},
    ),
    "GET /companies": Route(("companies:read",), "/companies", (200, 200, 200, 200, 200, 200)),
    "GET /companies/{company_id}": Route(("companies:read",), "/companies/{acme}", (200, 200, 404, 200, 404, 404)),
    "PATCH /companies/{company_id}": Route(
        ("companies:write",), "/companies/{acme}", (200, 200, 404, 200, 404, 404), {"name": "Acme"}
    ),
    "POST /companies/{company_id}/move": Route(
        ("companies:write",),
        "/companies/{fresh}/move",
        (200, 200, 404, 404, 404, 404),
        {"parent_id": "{sola}", "effective_from": "2030-01-01T00:00:00Z"},
    ),
    "POST /rate-cards": Route(("prices:write",), "/rate-cards", (201, 201, 201, 422, 201, 422), {"name": "Another"}),
    "GET /rate-cards": Route(("prices:read",), "/rate-cards", (200, 200, 200, 200, 200, 200)),
    "GET /rate-cards/{card_id}/rates": Route(
        ("prices:read",), "/rate-cards/{rhea_card}/rates", (404, 200, 404, 404, 404, 404)
    ),
    "POST /rate-cards/{card_id}/rates": Route(
        ("prices:write",), "/rate-cards/{rhea_card}/rates", (404, 201, 404, 404, 404, 404), {"rates": [RATE]}
    ),
    "PUT /companies/{company_id}/rate-card": Route(
        ("prices:write",),
        "/companies/{acme}/rate-card",
        (422, 200, 404, 422, 404, 404),
        {"rate_card_id": "{rhea_card}", "effective_from": "2030-01-01T00:00:00Z"},
    ),
    "GET /companies/{company_id}/rate-card": Route(
        ("prices:read",), "/companies/{acme}/rate-card", (404, 200, 404, 404, 404, 404)
    ),
    "POST /usage/events": Route(
        ("usage:write",), "/usage/events", (200, 200, 200, 200, 200, 200), [], content_type=BATCH
    ),
    "GET /usage/conflicts": Route(("reports:read", "usage:write"), "/usage/conflicts", (200,) * 6),
    "GET /usage/unrated": Route(("reports:read", "usage:write"), "/usage/unrated", (200,) * 6),
    "GET /reports/reseller-companies": Route(
        ("reports:read",),
        f"/reports/reseller-companies?{PERIOD}&reseller={{rhea}}",
        (200, 200, 404, 404, 404, 404),
    ),
    "GET /statements": Route(("billing:read",), "/statements?side=issued", (200,) * 6),
    "GET /open-statements": Route(("billing:read",), "/open-statements?company={acme}", (200, 200, 404, 200, 404, 404)),
    "GET /statements/{statement_id}": Route(("billing:read",), "/statements/1000000", (404,) * 6),
    "GET /statements/{statement_id}/lines/{number}/charges": Route(
        ("billing:read",), "/statements/1000000/lines/1/charges", (404,) * 6
    ),
    "POST /statements/{statement_id}/sign-off": Route(
        ("billing:write",), "/statements/1000000/sign-off", (404,) * 6, {"reason": "Test traffic"}
    ),
    "POST /statements/{statement_id}/late": Route(
        ("billing:write",), "/statements/1000000/late", (404,) * 6, {"policy": "write_off"}
    ),
    "GET /billing-settings": Route(("billing:read",), "/billing-settings", (200,) * 6),
    "PUT /billing-settings": Route(("billing:write",), "/billing-settings", (200,) * 6, {"payment_days": 7}),
    "GET /companies/{company_id}/balance": Route(
        ("billing:read",), "/companies/{acme}/balance", (404, 200, 404, 200, 404, 404)
    ),
    "POST /companies/{company_id}/may-spend": Route(
        ("billing:read",), "/companies/{acme}/may-spend", (404, 200, 404, 200, 404, 404), {"amount": "0.01"}
    ),
    "PUT /companies/{company_id}/account": Route(
        ("billing:write",),
        "/companies/{acme}/account",
        (404, 200, 404, 404, 404, 404),
        {"mode": "prepaid", "credit_limit": None},
    ),
    "GET /transactions": Route(("billing:read",), "/transactions?side=sold&company={acme}", (200,) * 6),
    "POST /payments": Route(
        ("billing:write",),
        "/payments",
        (404, 201, 404, 404, 404, 404),
        {"company_id": "{acme}", "amount": "5.00", "at": "2026-03-05T00:00:00Z", "again": True},
    ),
    "POST /refunds": Route(
        ("billing:write",),
        "/refunds",
        (404, 409, 404, 404, 404, 404),
        {"company_id": "{acme}", "amount": "5000000", "at": "2026-03-05T00:00:00Z"},
    ),
    "POST /transactions/{transaction_id}/reverse": Route(
        ("billing:write",), "/transactions/1000000/reverse", (404,) * 6, {"reason": "bounced"}
    ),
    "GET /invoices": Route(("billing:read",), "/invoices?side=issued", (200,) * 6),
    "GET /invoices/waiting": Route(("billing:read",), "/invoices/waiting", (200,) * 6),
    "GET /invoices/{invoice_id}": Route(("billing:read",), "/invoices/1000000", (404,) * 6),
    "GET /invoices/{invoice_id}/pdf": Route(("billing:read",), "/invoices/1000000/pdf", (404,) * 6),
    "POST /invoices/{invoice_id}/credit-notes": Route(
        ("billing:write",), "/invoices/1000000/credit-notes", (404,) * 6, {"lines": [{"line": 1}], "reason": "r"}
    ),
    # Details for invoices are missing.
    "POST /top-ups": Route(("billing:write",), "/top-ups", (404, 409, 409, 409, 409, 409), {"amount": "5.00"}),
    "POST /invoices/{invoice_id}/credit-notes/preview": Route(
        ("billing:write",), "/invoices/1000000/credit-notes/preview", (404,) * 6, {"lines": [{"line": 1}]}
    ),
    "GET /transactions/{transaction_id}": Route(("billing:read",), "/transactions/1000000", (404,) * 6),
    "GET /balances": Route(("billing:read",), "/balances", (200,) * 6),
    "POST /bank-files/preview": Route(
        ("billing:write",), "/bank-files/preview", (200,) * 6, {"content": "date,amount\n"}
    ),
    "POST /bank-files": Route(("billing:write",), "/bank-files", (200,) * 6, {"content": "date,amount\n"}),
    "GET /billing-settings/logo": Route(("billing:read",), "/billing-settings/logo", (404,) * 6),
    # A picture is asked for; this is none.
    "PUT /billing-settings/logo": Route(
        ("billing:write",), "/billing-settings/logo", (422,) * 6, {}, content_type="image/png"
    ),
    "DELETE /billing-settings/logo": Route(("billing:write",), "/billing-settings/logo", (204,) * 6),
    # Of usage of Acme: of Rhea's buyer, of companies beneath the platform; a company sells nothing.
    "POST /corrections": Route(
        ("billing:write",),
        "/corrections",
        (201, 201, 404, 403, 404, 403),
        {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z", "company_id": "{acme}"},
    ),
    "GET /corrections": Route(("billing:read",), "/corrections", (200,) * 6),
    "GET /corrections/{correction_id}": Route(("billing:read",), "/corrections/1000000", (404,) * 6),
    "POST /corrections/{correction_id}/decide": Route(
        ("billing:write",), "/corrections/1000000/decide", (404,) * 6, {"reason": "Wrong price"}
    ),
    "POST /corrections/{correction_id}/recount": Route(("billing:write",), "/corrections/1000000/recount", (404,) * 6),
    "POST /corrections/{correction_id}/discard": Route(("billing:write",), "/corrections/1000000/discard", (404,) * 6),
    # Only the platform takes usage back; there is no such event.
    "POST /usage/withdrawals": Route(
        ("billing:write",),
        "/usage/withdrawals",
        (404, 403, 403, 403, 403, 403),
        {"company_id": "{acme}", "source": "smsc-1", "id": "none", "reason": "Counted twice"},
    ),
    "GET /reports/usage": Route(
        ("reports:read",), f"/reports/usage?{PERIOD}&company={{acme}}", (200, 200, 404, 200, 404, 404)
    ),
}


def all_routes() -> list[str]:
    """Every method and path the router knows."""
    found = []
    for bound in routes._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                found += [f"{method} {path.replace('{int:', '{')}" for method in operation.methods]
    return sorted(found)


def test_every_route_has_its_expected_answers() -> None:
    assert all_routes() == sorted(EXPECTED)


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("route", sorted(EXPECTED))
def test_route_answers_this_asker_as_expected(api: Api, shared_world: World, route: str, asker: str) -> None:
    tried = EXPECTED[route]
    method = route.partition(" ")[0]
    numbers = {name: party.id for name, party in shared_world.parties.items()}
    numbers["rhea_card"] = shared_world.rhea_card.id
    if "{fresh}" in tried.path:
        numbers["fresh"] = _fresh_company(shared_world)
    body = _filled(tried.body, numbers)
    key = _key(shared_world, asker, tried)
    answer = api.send(method, tried.path.format(**numbers), key, body, content_type=tried.content_type)
    assert answer.status == _expected(tried, asker), answer.content[:500]


def _expected(tried: Route, asker: str) -> int:
    if asker in ("nobody", "false key"):
        return 401
    if asker in ("without scope", "blocked"):
        return 403
    return tried.expected[ASKERS.index(asker)]


def _key(world: World, asker: str, tried: Route) -> str | None:
    if asker == "nobody":
        return None
    if asker == "false key":
        return "twin_00000000_" + "A" * 43
    if asker == "without scope":
        others = [permission for permission in PERMISSIONS if permission not in tried.permissions]
        return key_of(world.rhea.id, others)
    if asker == "blocked":
        return _blocked_key(world)
    return world.parties[asker].key


def _blocked_key(world: World) -> str:
    key = key_of(world.birch.id)
    companies.update_company(platform_scope(), world.birch.id, state="blocked", reason="unpaid")
    return key


def _fresh_company(world: World) -> int:
    """One more company of Rhea's, as a move can be made once only."""
    made = pricing.create_company(
        world.rhea.scope, name="Fresh", kind="company", time_zone="UTC", effective_from=BEGINNING
    )
    return made.id


def _filled(body: Any, numbers: dict[str, int]) -> Any:
    """The body with {names} replaced by numbers."""
    text = json.dumps(body)
    for name, number in numbers.items():
        text = text.replace(f'"{{{name}}}"', str(number))
    return None if body is None else json.loads(text)
