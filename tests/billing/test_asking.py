"""What waits for somebody at the seller is told by mail, once for each reason, whoever runs the job how often."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.billing.factories import bill_with
from tests.billing.ledgers import owner
from tests.billing.months import at, close, statements_between, use
from tests.billing.test_payments import at_once
from tests.informing import inform
from tests.outbox import Received, all_messages
from tests.portal.people import employ, employ_people
from tests.world import World, build_world, rates_for_all
from twin.billing.actions.asking import tell_what_waits
from twin.billing.actions.deciding import sign_off
from twin.metering import actions as metering
from twin.pricing import actions as pricing

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    """Acme has no prices in January; Birch has not told its details; of Sola came nothing."""
    world = build_world()
    employ_people(world)
    bare = pricing.create_rate_card(world.rhea.scope, name="Bare", default=False).id
    metering.assign_rate_card(
        world.rhea.scope, buyer_id=world.acme.id, card_id=bare, effective_from=datetime(2026, 1, 2, tzinfo=UTC)
    )
    use(world.acme.id, "2026-01-10T12:00")
    use(world.birch.id, "2026-01-10T12:00")
    for month in ("02", "03"):
        close(world.rhea, f"2026-{month}-03T00:00")
    return world


def told() -> list[Received]:
    return all_messages(purpose="waiting")


def test_those_who_deal_with_money_are_told_once_and_where_to_go(world: World) -> None:
    fedor = employ(world.rhea.id, "fedor@example.com", "Fedor", role="finance")
    fedor.language = "ru"
    fedor.save()
    assert tell_what_waits(world.rhea.scope) == 2
    english, russian = sorted(told(), key=lambda mail: mail.to, reverse=True)
    assert (english.to, english.subject) == ("rhea@example.com", "2 statements wait for you")
    assert "record one or sign off: Acme (January 2026)." in english.text
    assert "details of a company: Birch (January 2026)." in english.text
    assert english.link.endswith("/statements?side=issued&show=waiting")
    assert english.text.endswith("/invoices?side=issued&show=waiting")
    assert russian.subject == "2 расчёта ждут вас"
    assert "Acme (январь 2026)" in russian.text
    assert tell_what_waits(world.rhea.scope) == 0
    assert len(told()) == 2


def test_what_waits_later_is_told_then(world: World) -> None:
    tell_what_waits(world.rhea.scope)
    bill_with(world.rhea.scope, late_threshold_minor=1)
    held = statements_between(world.rhea, world.acme.id)[0]
    sign_off(world.rhea.scope, held.id or 0, reason="agreed", now=at("2026-03-03T00:00"))
    bare = owner("select id from pricing_ratecard where name = 'Bare'")[0][0]
    metering.publish_rates(world.rhea.scope, card_id=bare, rates=rates_for_all(Decimal("0.02")))
    close(world.rhea, "2026-04-03T00:00")
    assert tell_what_waits(world.rhea.scope) == 1
    assert told()[-1].subject == "1 statement waits for you"
    assert "say what becomes of it: Acme (March 2026)." in told()[-1].text


def test_many_jobs_at_once_tell_once(world: World) -> None:
    at_once(*[lambda: tell_what_waits(world.rhea.scope)] * 6)
    assert len(told()) == 1


def test_where_nobody_can_be_told_nothing_is_noted(world: World) -> None:
    use(world.cedar.id, "2026-01-10T12:00")
    close(world.sola, "2026-02-03T00:00")
    owner("update companies_employment set removed_at = now() where company_id = %s returning 1", world.sola.id)
    assert tell_what_waits(world.sola.scope) == 0
    employ(world.sola.id, "new@example.com", "New")
    assert tell_what_waits(world.sola.scope) == 1


def test_what_is_about_to_be_issued_is_not_told(world: World) -> None:
    inform(world.birch.id)
    assert tell_what_waits(world.rhea.scope) == 1
    assert "Birch" not in told()[0].text
