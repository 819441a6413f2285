"""Thresholds: told by mail once for each crossing, to those who deal with money."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.billing.months import use
from tests.billing.test_payments import at_once
from tests.outbox import all_messages
from tests.portal.people import employ_people
from tests.world import World, build_world
from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment
from twin.billing.actions.warning import warn_buyers
from twin.billing.rules.warnings import reached, spent_percent
from twin.billing.types import Account, Balance

PAID_AT = datetime(2026, 3, 5, tzinfo=UTC)
EURO = 10**9


@pytest.mark.parametrize(
    ("mode", "limit", "booked", "available", "percent"),
    [
        ("postpaid", 10_000, 0, 100 * EURO, 0),
        ("postpaid", 10_000, -5_000, 20 * EURO, 80),
        ("postpaid", 10_000, -10_000, 0, 100),
        ("postpaid", 10_000, -10_000, -50 * EURO, 150),
        ("prepaid", None, 0, 0, 100),
        ("prepaid", None, -100, -EURO, 100),
        ("prepaid", None, 10_000, 20 * EURO + 1, 79),
        ("prepaid", 10_000, 10_000, 20 * EURO, 90),
        ("postpaid", 0, 0, 0, 100),
    ],
)
def test_how_much_is_spent(mode: Any, limit: int | None, booked: int, available: int, percent: int) -> None:
    account = Account(1, 2, mode, limit)
    assert spent_percent(Balance(account, "EUR", booked, 0, 0, 0, available)) == percent


def test_the_highest_threshold_counts() -> None:
    assert [reached((50, 80, 100), spent) for spent in (0, 49, 50, 99, 100, 300)] == [0, 0, 50, 80, 100, 100]
    assert reached((), 500) == 0


@pytest.fixture
def world(db_clean: object) -> World:
    made = build_world()
    employ_people(made)
    return made


def told() -> list[tuple[str, str]]:
    return sorted((mail.to, mail.subject) for mail in all_messages(purpose="balance"))


@pytest.mark.database
def test_each_crossing_is_told_once(world: World) -> None:
    set_account(world.rhea.scope, buyer_id=world.acme.id, mode="postpaid", credit_limit_minor=1_000)
    assert warn_buyers(world.rhea.scope) == 0
    use(world.acme.id, "2026-01-10T12:00", quantity=400)
    assert [warn_buyers(world.rhea.scope) for _ in range(3)] == [1, 0, 0]
    use(world.acme.id, "2026-01-10T13:00", quantity=100)
    assert [warn_buyers(world.rhea.scope) for _ in range(2)] == [1, 0]
    record_payment(world.rhea.scope, buyer_id=world.acme.id, amount_minor=900, at=PAID_AT)
    assert warn_buyers(world.rhea.scope) == 0
    use(world.acme.id, "2026-01-10T14:00", quantity=900)
    assert warn_buyers(world.rhea.scope) == 1
    subjects = [subject for _, subject in told()]
    assert any("80 %" in subject for subject in subjects)
    assert any("exhausted" in subject for subject in subjects)


@pytest.mark.database
def test_two_jobs_at_once_tell_once(world: World) -> None:
    set_account(world.rhea.scope, buyer_id=world.acme.id, mode="prepaid", credit_limit_minor=None)
    assert sorted(at_once(*[lambda: warn_buyers(world.rhea.scope) for _ in range(4)])) == [0, 0, 0, 1]  # type: ignore[type-var]  # numbers


@pytest.mark.database
def test_without_a_limit_nobody_is_told(world: World) -> None:
    use(world.acme.id, "2026-01-10T12:00", quantity=100_000)
    assert warn_buyers(world.rhea.scope) == 0
    assert told() == []
