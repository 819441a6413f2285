"""The drill-down by event time says what a closed statement of that month has not seen."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.billing.months import close, statements_between, use
from tests.metering.test_rerating import corrected, price
from tests.portal.people import PASSWORD, employ_people
from tests.world import World, build_world
from twin.metering import actions as metering
from twin.metering.types import NewPrices

pytestmark = pytest.mark.database

MARCH = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&time_zone=UTC&section=messaging"


@pytest.fixture
def world() -> World:
    return build_world()


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def marks(client: Client, company_id: int) -> dict[str, tuple[str, bool]]:
    page = client.get(f"/reports/reseller-companies/{company_id}?{MARCH}", follow=True)
    return {row.key: (row.after, row.withdrawn) for row in page.context["page"].event_rows}


def test_what_came_or_changed_after_the_statement_is_marked(world: World, quick_passwords: None) -> None:
    people = employ_people(world)
    use(world.acme.id, "2026-03-10T12:00", key="seen")
    use(world.acme.id, "2026-03-11T12:00", key="wrong")
    use(world.acme.id, "2026-03-12T12:00", key="dear", meter="viber.sent")
    close(world.rhea, "2026-04-03T00:00")
    use(world.acme.id, "2026-03-13T12:00", key="late")
    metering.withdraw_event(
        world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id="wrong", reason="test"
    )
    new = price("0.05", since="2026-03-01T00:00:00Z", meter="viber.sent")
    corrected(world.rhea.scope, prices=NewPrices(world.rhea_card.id, (new,)))
    rhea = Client()
    rhea.post("/login", {"login": people.of("rhea").email, "password": PASSWORD})

    assert marks(rhea, world.acme.id) == {
        "seen": ("", False),
        "wrong": ("changed after the statement of March 2026", True),
        "dear": ("changed after the statement of March 2026", False),
        "late": ("came after the statement of March 2026", False),
    }
    [*_, march] = statements_between(world.rhea, world.acme.id)
    text = rhea.get(f"/reports/reseller-companies/{world.acme.id}?{MARCH}", follow=True).text
    assert f'href="/statements/{march.id}"' in text
    close(world.rhea, "2026-05-03T00:00")
    assert marks(rhea, world.acme.id)["late"][0] == "came after the statement of March 2026"
