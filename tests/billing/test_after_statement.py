"""The drill-down by event time says what a closed statement of that month has not seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from tests.api.client import Api
from tests.billing.months import close, statements_between, use
from tests.metering.test_rerating import corrected, price
from tests.portal.people import PASSWORD, employ_people
from tests.world import World, build_world
from twin.kernel.period import Period, parse_instant
from twin.metering import actions as metering
from twin.metering.types import NewPrices
from twin.reports.queries import reseller_companies
from twin.reports.types import AfterStatement, ReportQuery

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


def take_back(world: World, key: str) -> None:
    metering.withdraw_event(world.twin.scope, company_id=world.acme.id, source="smsc-1", event_id=key, reason="test")


def test_what_came_or_changed_after_the_statement_is_marked(world: World, quick_passwords: None) -> None:
    people = employ_people(world)
    use(world.acme.id, "2026-03-10T12:00", key="seen")
    use(world.acme.id, "2026-03-11T12:00", key="wrong")
    use(world.acme.id, "2026-03-12T12:00", key="dear", meter="viber.sent")
    close(world.rhea, "2026-04-03T00:00")
    use(world.acme.id, "2026-03-13T12:00", key="late")
    take_back(world, "wrong")
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


def test_rows_and_totals_tell_how_much_of_them_came_or_changed_after_the_statement(
    world: World, quick_passwords: None
) -> None:
    people = employ_people(world)
    use(world.acme.id, "2026-03-10T12:00", key="seen")
    use(world.acme.id, "2026-03-11T12:00", key="wrong", quantity=2)
    use(world.cedar.id, "2026-03-11T12:00", key="beneath")
    use(world.birch.id, "2026-03-11T12:00", key="quiet")
    march = parse_instant("2026-03-01T00:00:00Z"), parse_instant("2026-04-01T00:00:00Z")

    def told(*period: datetime) -> dict[str, AfterStatement | None]:
        asked = ReportQuery(period=Period(*(period or march)), after_statements=True)
        section = reseller_companies(world.rhea.scope, asked).sections["messaging"]
        return {row.company_name: row.after for row in section.rows} | {"": section.totals.after}

    nothing = {"Acme": None, "Birch": None, "Sola": None, "Cedar": None, "": None}
    assert told() == nothing
    close(world.rhea, "2026-04-03T00:00")
    use(world.acme.id, "2026-04-10T12:00", key="next")
    assert told() == nothing

    use(world.acme.id, "2026-03-13T12:00", key="late", quantity=3)
    use(world.cedar.id, "2026-03-14T12:00", key="late")
    take_back(world, "wrong")
    acme, cedar = AfterStatement(1, 1, 20_000_000), AfterStatement(1, 0, 20_000_000)
    expected = {**nothing, "Acme": acme, "Cedar": cedar, "": AfterStatement(2, 1, 40_000_000)}
    assert told() == expected
    # The statement of April has seen it; that of March has not, and never will.
    close(world.rhea, "2026-05-03T00:00")
    assert told() == expected
    use(world.birch.id, "2026-03-15T12:00", key="very late")
    birch = AfterStatement(1, 0, 20_000_000)
    expected = {**expected, "Birch": birch, "": AfterStatement(3, 1, 60_000_000)}
    assert told() == expected
    # Only what happened within the period counts, and what no statement holds yet is not late.
    day = parse_instant("2026-03-14T00:00:00Z"), parse_instant("2026-03-15T00:00:00Z")
    assert told(*day) == {**nothing, "Cedar": cedar, "": cedar}
    use(world.acme.id, "2026-05-02T12:00", key="open")
    assert told(parse_instant("2026-05-01T00:00:00Z"), parse_instant("2026-06-01T00:00:00Z")) == nothing

    rhea = Client()
    rhea.post("/login", {"login": people.of("rhea").email, "password": PASSWORD})
    text = rhea.get(f"/reports/reseller-companies?{MARCH}", follow=True).text
    assert "after statement </span>+0.02</span>" in text
    assert "3 events came, 1 charge changed; that changes the price to reseller by +0.0600" in text
    csv = rhea.get(f"/reports/reseller-companies?{MARCH}&format=csv", follow=True)
    header, *lines = b"".join(csv).decode().splitlines()
    assert header.endswith(
        "After statement: events,After statement: changed charges,After statement: price to reseller"
    )
    [first] = [line for line in lines if ",Acme," in line]
    assert first.endswith(",1,1,0.02")


def test_programs_are_told_when_they_ask(world: World) -> None:
    api, period = Api(Client()), "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z&section=messaging"
    close(world.rhea, "2026-04-03T00:00")
    use(world.acme.id, "2026-03-13T12:00", key="late")
    [plain] = [row for row in _rows(api, world, period) if row["company_name"] == "Acme"]
    assert "after_statement" not in plain
    rows = {row["company_name"]: row["after_statement"] for row in _rows(api, world, f"{period}&after_statements=true")}
    assert (rows["Acme"], rows["Birch"]) == ({"came": 1, "changed": 0, "sell": "0.02"}, None)
    header = {"accept": "text/csv"}
    path = f"/reports/reseller-companies?{period}"
    assert b"After statement" not in api.get(path, world.rhea, **header).content
    assert b"After statement: events" in api.get(f"{path}&after_statements=true", world.rhea, **header).content


def _rows(api: Api, world: World, query: str) -> Any:
    return api.get(f"/reports/reseller-companies?{query}", world.rhea).json["sections"]["messaging"]["rows"]
