"""Prices from a file: looked at line by line, recorded whole or not at all; other prices tried on last month."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.portal.people import People, employ_people
from tests.world import World, build_world
from twin.metering import actions as metering
from twin.pricing import actions as pricing
from twin.pricing import queries
from twin.pricing.meters import METERS
from twin.pricing.rules.rate_files import LARGEST_FILE
from twin.pricing.types import NewRate, RateCard

pytestmark = pytest.mark.database

HEAD = "meter,selector,unit_price,effective_from"
LATER = "2036-01-01T00:00:00Z"


@pytest.fixture
def world(db_clean: object) -> World:
    return build_world()


@pytest.fixture
def people(world: World) -> People:
    return employ_people(world)


@pytest.fixture
def ruth(people: People) -> Client:
    client = Client()
    client.force_login(people.of("rhea"), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def look(client: Client, card: RateCard, content: str | bytes) -> Any:
    data = content.encode() if isinstance(content, str) else content
    return client.post(f"/prices/{card.id}/import", {"file": SimpleUploadedFile("prices.csv", data)})


def confirm(client: Client, card: RateCard, content: str, **more: str) -> Any:
    return client.post(f"/prices/{card.id}/import", {"content": content, "confirm": "1", **more})


def kinds(answer: Any) -> list[tuple[int, str]]:
    return [(line.number, line.kind) for line in answer.context["page"].lines]


def recorded(world: World, card: RateCard) -> int:
    return len(queries.rates_of(world.rhea.scope, card.id))


def send(
    world: World, key: str, company: int, quantity: int, at: datetime, meter: str = "sms.sent", **named: str
) -> None:
    event = {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "tests",
        "id": key,
        "subject": str(company),
        "time": at.isoformat(),
        "data": {"meter": meter, "quantity": quantity, "attributes": named},
    }
    metering.take_events(world.twin.scope, json.dumps([event]).encode(), batch=True)


def last_month(day: int = 10) -> datetime:
    first = datetime.now(UTC).replace(day=1, hour=12, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=day)


def test_what_is_exported_is_imported_with_nothing_new(ruth: Client, world: World) -> None:
    card = world.rhea_card
    odd = {"network": "T Mobile; =1+1", "города": '"Ы"'}
    metering.publish_rates(
        world.rhea.scope,
        card_id=card.id,
        rates=[NewRate("sms.sent", odd, 5, 2, 3, 4, 6, datetime(2036, 1, 1, tzinfo=UTC))] * 2,
    )
    file = ruth.get(f"/prices/{card.id}/file").content
    answer = look(ruth, card, file)
    assert answer.status_code == 200
    assert {kind for _, kind in kinds(answer)} == {"same", "replaced"}
    assert "All of it is recorded already" in answer.text
    copy = pricing.create_rate_card(world.rhea.scope, name="Copy")
    done = confirm(ruth, copy, file.decode("utf-8-sig"), below_cost="on")
    assert done.status_code == 302
    rows = [list(csv.reader(io.StringIO(ruth.get(f"/prices/{one.id}/file").text))) for one in (card, copy)]
    # The same prices, but for the one that another of its instant had replaced at once.
    assert {tuple(row[:-1]) for row in rows[0]} == {tuple(row[:-1]) for row in rows[1]}


def test_a_dry_run_records_nothing_and_the_confirmation_all_of_it(ruth: Client, world: World) -> None:
    card, before = world.rhea_card, recorded(world, world.rhea_card)
    content = f"{HEAD}\nsms.sent,country=DE,0.5,{LATER}\nbot.message,,0.7,{LATER}\n"
    answer = look(ruth, card, content)
    assert kinds(answer) == [(2, "new"), (3, "new")]
    assert "2 new prices" in answer.text
    assert recorded(world, card) == before
    done = confirm(ruth, card, answer.context["page"].content)
    assert done["Location"] == f"/prices/{card.id}"
    assert recorded(world, card) == before + 2
    assert "2 prices are recorded." in ruth.get(done["Location"]).text


def test_errors_are_named_by_line_column_and_mend_and_stop_the_whole(ruth: Client, world: World) -> None:
    card, before = world.rhea_card, recorded(world, world.rhea_card)
    content = f"{HEAD}\nsms.sent,,0.5,{LATER}\nfax,<script>,=1+1,soon\n"
    answer = look(ruth, card, content)
    assert answer.status_code == 422
    assert kinds(answer) == [(3, "wrong"), (2, "new")]
    named = [(one.column, one.given) for one in answer.context["page"].lines[0].problems]
    assert named == [("meter", "fax"), ("selector", "<script>"), ("unit_price", "=1+1"), ("effective_from", "soon")]
    assert "<script>" not in answer.text.partition("<main")[2]
    assert "Record all of it" not in answer.text
    assert confirm(ruth, card, content).status_code == 422
    assert recorded(world, card) == before


def test_prices_under_cost_must_be_meant(ruth: Client, world: World) -> None:
    card, content = (
        world.rhea_card,
        f"{HEAD}\nbot.message,,0.005,{LATER}\nsms.sent,,0,{LATER}\nsms.delivered,,0.03,{LATER}\n",
    )
    answer = look(ruth, card, content)
    assert kinds(answer) == [(2, "loss"), (3, "new"), (4, "new")]
    assert "This earns 0.0050 where you pay 0.0100 yourself." in answer.text
    before = recorded(world, card)
    refused = confirm(ruth, card, content)
    assert refused.status_code == 422
    assert "Tick that the prices below the cost are meant." in refused.text
    assert recorded(world, card) == before
    assert confirm(ruth, card, content, below_cost="on").status_code == 302


def test_a_clash_explains_itself_and_stops_the_whole(ruth: Client, world: World) -> None:
    card, at = world.rhea_card, datetime(2026, 10, 15, 12, tzinfo=UTC)
    send(world, "a", world.acme.id, 3, at)
    content = f"{HEAD}\nsms.sent,,0.5,2026-10-01T00:00:00Z\nsms.sent,,0.6,2026-10-15T12:00:00.000001Z\n"
    answer = look(ruth, card, content)
    assert kinds(answer) == [(2, "clash"), (3, "new")]
    clash = answer.context["page"].lines[0].clash
    assert clash.free_instant == "2026-10-15T12:00:00.000001Z"
    assert clash.href.startswith(f"/reports/reseller-companies/{world.acme.id}?")
    assert ruth.get(clash.href, follow=True).status_code == 200
    assert "Record all of it" not in answer.text
    before = recorded(world, card)
    assert confirm(ruth, card, content).status_code == 422
    assert recorded(world, card) == before


def test_usage_that_came_after_the_look_stops_it_too(
    ruth: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(world, "a", world.acme.id, 3, datetime(2026, 10, 15, 12, tzinfo=UTC))
    monkeypatch.setattr("twin.portal.views.price_files.rate_clashes", lambda *_: [])
    before = recorded(world, world.rhea_card)
    assert confirm(ruth, world.rhea_card, f"{HEAD}\nsms.sent,,0.5,2026-10-01T00:00:00Z\n").status_code == 422
    assert recorded(world, world.rhea_card) == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file holds no prices."),
        (b"\x00" * 100, "The column meter is missing."),
        ("Цена".encode("cp1251"), "The file is not UTF-8."),
        (b"x" * (LARGEST_FILE + 1), "The file is larger than 1 MiB."),
        (b'meter,unit_price,effective_from\n"', "The table cannot be read from line 2 on"),
        (b"meter,unit_price,effective_from,<b>\n", "There is no column &lt;b&gt;."),
        (b"meter;unit_price\n", "The column effective_from is missing."),
    ],
)
def test_files_that_cannot_be_read_say_what_to_do(ruth: Client, world: World, content: bytes, words: str) -> None:
    answer = look(ruth, world.rhea_card, content)
    assert answer.status_code == 422
    assert words in answer.text


def test_five_thousand_lines_are_looked_at_and_recorded(ruth: Client, world: World) -> None:
    lines = "\n".join(f"sms.sent,network={number},0.5,{LATER}" for number in range(5_000))
    answer = look(ruth, world.rhea_card, f"{HEAD}\n{lines}")
    page = answer.context["page"]
    assert (len(page.lines), page.more) == (300, "and 4,700 more lines")
    assert confirm(ruth, world.rhea_card, page.content).status_code == 302
    assert "more than 5,000 lines" in look(ruth, world.rhea_card, f"{HEAD}\n{lines}\nsms.sent,,1,{LATER}").text


def test_strangers_find_no_card_to_import_into(people: People, world: World) -> None:
    client = Client()
    client.force_login(people.of("strand"), backend="allauth.account.auth_backends.AuthenticationBackend")
    before = recorded(world, world.rhea_card)
    assert confirm(client, world.rhea_card, f"{HEAD}\nbot.message,,0.7,{LATER}").status_code == 404
    assert client.post(f"/prices/{world.rhea_card.id}/trial", {"content": "x"}).status_code == 404
    assert recorded(world, world.rhea_card) == before


# Trials ----------------------------------------------------------------------


def test_last_month_is_tried_with_a_percentage(ruth: Client, world: World) -> None:
    send(world, "a", world.acme.id, 3, last_month())
    send(world, "b", world.birch.id, 5, last_month())
    path = f"/prices/{world.rhea_card.id}/trial"
    page = ruth.get(path).context["page"]
    assert not page.is_tried
    assert [(one.code, one.used, one.sell.exact) for one in page.offered] == [("sms.sent", "2", "0.16")]
    tried = ruth.get(path, {"percent": "50"}).context["page"]
    total = tried.total
    assert (total.now.exact, total.then.exact, total.difference.exact) == ("0.16", "0.24", "0.08")
    assert (total.margin.exact, total.margin_then.exact) == ("0.08", "0.16")
    assert [(row.title, row.difference.exact) for row in tried.by_company] == [("Birch", "0.05"), ("Acme", "0.03")]
    assert [row.title for row in tried.by_meter] == ["Sent SMS"]
    before = recorded(world, world.rhea_card)
    field = page.offered[0].field.html_name
    single = ruth.get(path, {"percent": "50", field: "0,001"}).context["page"]
    assert (single.total.then.exact, single.total.margin_then.loss) == ("0.008", True)
    assert recorded(world, world.rhea_card) == before


def test_any_period_may_be_tried_and_what_cannot_be_is_told(ruth: Client, world: World) -> None:
    send(world, "a", world.acme.id, 3, datetime(2026, 3, 1, tzinfo=UTC))
    path = f"/prices/{world.rhea_card.id}/trial"
    spring = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-01T00:00:01Z", "percent": "100"}
    assert ruth.get(path, spring).context["page"].total.then.exact == "0.12"
    for wrong in (
        {"from": "2026-03-01T00:00", "to": "2026-03-01T00:00"},
        {"from": "1990-01-01T00:00", "to": "2026-03-01T00:00"},
        {"from": "soon"},
        {"percent": "-101"},
        {"percent": "NaN"},
        {"percent": "1e99"},
    ):
        assert ruth.get(path, wrong).status_code == 422, wrong
    assert ruth.get(path, {"percent": "\x00", "price_1": "x"}).status_code in (200, 422)


def test_a_file_is_tried_before_it_is_recorded(ruth: Client, world: World) -> None:
    send(world, "a", world.acme.id, 3, last_month(), country="DE")
    send(world, "b", world.acme.id, 3, last_month(), country="FR")
    content = f"{HEAD}\nsms.sent,country=DE,0.5,{LATER}\n"
    answer = ruth.post(f"/prices/{world.rhea_card.id}/trial", {"content": content, "try": "1"})
    page = answer.context["page"]
    assert (page.total.now.exact, page.total.then.exact) == ("0.12", "1.56")
    assert page.offered == []
    assert "sms.sent,country=DE" in answer.text
    assert recorded(world, world.rhea_card) == len(METERS)
