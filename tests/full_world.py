"""A world in which every table with a tenant has rows of every tenant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections

from tests.informing import inform
from tests.world import BEGINNING, World, build_world
from twin.accounts.models import User
from twin.billing.actions.closing import close_due
from twin.billing.actions.payments import record_payment
from twin.billing.actions.repeating import done_once
from twin.billing.actions.settings import save_settings
from twin.billing.types import Settings
from twin.companies import actions as companies
from twin.companies.access import platform_scope, scope_for_person
from twin.companies.types import Scope
from twin.kernel import security_log
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering
from twin.pricing import actions as pricing
from twin.reports import actions as reports


def _an_event(company_id: int, number: int, quantity: int = 1) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": str(number),
        "subject": str(company_id),
        "time": f"2026-02-01T0{number}:00:00Z",
        "data": {"meter": "sms.sent", "quantity": quantity, "attributes": {"n": str(number)}},
    }


def a_full_world() -> World:
    """The small world with people at work and usage of everybody: folded and not, priced and not, in conflict."""
    world = build_world()
    companies_beneath = {"twin": "echo", "rhea": "acme", "sola": "cedar", "strand": "dune"}
    for name, party in world.parties.items():
        user = User.objects.create_user(f"{name}@example.org", None, name=name)
        companies.add_employee(platform_scope(), user=user, company_id=party.id, role="administrator")
        companies.invite_person(
            platform_scope(), company_id=party.id, name="Nina", email=f"nina@{name}.example", role="finance"
        )
        security_log.record("signed_in", user_id=user.pk, company_id=party.id)
        inform(party.id)
        own = scope_for_person(user)
        assert own is not None
        companies.keep_information_draft(own, version=1, typed={"name": name})
        if own.kind != "company":
            beneath = companies_beneath[name]
            companies.begin_acting(own, company_id=world.parties[beneath].id, reason="r")
        if own.kind == "reseller":
            companies.invite_company(own, email=f"x@{name}.example")
        reports.ask_for_export(
            own, person_id=user.pk, report="r", form="csv", question={}, language="en", name="n", rows_total=1
        )
    unpriced: dict[str, Any] = {"kind": "company", "time_zone": "UTC", "effective_from": BEGINNING}
    seller = pricing.create_company(world.twin.scope, name="Moor", **{**unpriced, "kind": "reseller"})
    buyer = pricing.create_company(world.twin.scope, name="Newt", parent_id=seller.id, **unpriced)
    ids = [*(party.id for party in world.parties.values()), buyer.id]
    for number, quantity in ((0, 1), (0, 2), (1, 1)):
        events = [_an_event(company_id, number, quantity) for company_id in ids]
        metering.take_events(world.twin.scope, json.dumps(events).encode(), batch=True)
        if number == 0:
            metering.fold()
    _correct_charges(world)
    _close_two_months(world)
    return world


def _correct_charges(world: World) -> None:
    """Corrections asked for, one being done, and events taken back in each family."""
    for party in (world.rhea, world.strand):
        metering.ask_rerating(party.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1)))
        # Of nothing that was used: it holds up no month.
        much_later = Period(BEGINNING + timedelta(days=3650), BEGINNING + timedelta(days=3651))
        run = metering.ask_rerating(party.scope, period=much_later)
        metering.count_preview(run.id)
        metering.decide_rerating(party.scope, rerating_id=run.id, reason="a test")
    for company_id in (world.acme.id, world.dune.id, world.cedar.id):
        metering.withdraw_event(world.twin.scope, company_id=company_id, source="smsc-1", event_id="1", reason="a test")


def _close_two_months(world: World) -> None:
    """Statements, invoices and what they leave in the ledger, of every seller."""
    for party in (world.twin, world.rhea, world.sola, world.strand):
        save_settings(party.scope, settings=Settings(footer=party.company.name))
        with tenant_transaction(party.id), connections["default"].cursor() as cursor:
            cursor.execute("insert into billing_logo values (%s, '\\x00', 'image/png', '\\x00')", [party.id])
        close_due(party.scope, now=datetime(2026, 3, 5, tzinfo=UTC), tell=False)
        _say_that_it_waits(party.scope)
    for seller, buyer in ((world.rhea, world.acme), (world.strand, world.dune)):
        _pay_once(seller.scope, buyer.id)


def _say_that_it_waits(seller: Scope) -> None:
    with tenant_transaction(seller.organisation_id), connections["default"].cursor() as cursor:
        cursor.execute(
            "insert into billing_told select id, 'details', seller_id, closed_at from billing_statement"
            " where seller_id = %s and state = 'closed'",
            [seller.organisation_id],
        )


def _pay_once(scope: Scope, buyer_id: int) -> None:
    at = datetime(2026, 3, 6, tzinfo=UTC)

    def pay() -> int:
        return record_payment(scope, buyer_id=buyer_id, amount_minor=1, at=at)

    done_once(scope, key="one", asked=b"1", act=pay)
