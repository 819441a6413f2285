from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, transaction
from django.test import Client

from tests.companies.factories import Tree, a_tree
from tests.portal.people import PASSWORD, employ
from tests.portal.security_clients import events
from twin.billing.actions.accounts import set_account
from twin.companies import actions, queries
from twin.companies.access import platform_scope, scope_for_person
from twin.kernel import clock, security_log
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.metering.actions import assign_rate_card, move_company
from twin.pricing.actions import create_rate_card

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def ann(world: Tree) -> Any:
    return employ(world.acme.id, "ann@example.com", "Ann Acre")


@pytest.fixture
def ruth(world: Tree) -> Any:
    return employ(world.rhea.id, "ruth@example.com", "Ruth Reed")


def entered(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def seen(client: Client, query: str = "") -> list[tuple[str, str]]:
    """Event and company of each row."""
    page = client.get(f"/audit{query}")
    assert page.status_code == 200
    return [(row.event.event, row.event.company) for row in page.context["page"].rows]


def test_signing_in_stands_at_the_company_of_who_did(ann: Any, world: Tree) -> None:
    client = entered("ann@example.com")
    assert seen(client)[0] == ("signed_in", "Acme")
    [event] = events("signed_in")
    assert event.company_id == world.acme.id
    page = client.get("/audit").text
    assert "Signed in" in page
    assert "Ann Acre" in page
    assert "127.0.0.1" in page


def test_a_wrong_password_stands_at_the_company_of_who_was_tried(ann: Any, world: Tree) -> None:
    Client().post("/login", {"login": "ANN@example.com", "password": "not this one at all"})
    Client().post("/login", {"login": "nobody@example.com", "password": "not this one at all"})
    assert [event.company_id for event in events("sign_in_failed")] == [world.acme.id, None]
    assert ("sign_in_failed", "Acme") in seen(entered("ann@example.com"), "?group=refusals")


def test_a_company_does_not_read_of_its_sellers_and_neighbours(ann: Any, ruth: Any, world: Tree) -> None:
    employ(world.birch.id, "ben@example.com", "Ben Birch")
    for email in ("ruth@example.com", "ben@example.com"):
        entered(email)
    assert {company for _, company in seen(entered("ann@example.com"))} == {"Acme"}


def test_a_seller_reads_of_what_lies_beneath_it(ann: Any, ruth: Any, world: Tree) -> None:
    entered("ann@example.com")
    employ(world.dune.id, "dan@example.com", "Dan Dune")
    entered("dan@example.com")
    found = seen(entered("ruth@example.com"))
    assert ("signed_in", "Acme") in found
    assert ("signed_in", "Rhea") in found
    assert not [company for _, company in found if company == "Dune"]


def test_whoever_gets_a_company_does_not_read_of_its_time_before(ann: Any, ruth: Any, world: Tree) -> None:
    entered("ann@example.com")
    stan = employ(world.strand.id, "stan@example.com", "Stan Shore")
    moment = clock.now() + timedelta(hours=1)
    move_company(platform_scope(), company_id=world.acme.id, parent_id=world.strand.id, effective_from=moment)
    with time_machine.travel(moment + timedelta(hours=1)):
        entered("ann@example.com")
        period = Period(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1))
        new, former = scope_for_person(stan), scope_for_person(ruth)
        assert new is not None
        assert former is not None
        now_read = [one for one in queries.recorded_events(new, period=period).items if one.company == "Acme"]
        then_read = [
            one for one in queries.recorded_events(former, period=period).items if one.company_id == world.acme.id
        ]
    assert [one.event for one in now_read] == ["signed_in"]
    assert now_read[0].at > moment
    assert then_read
    assert all(one.at < moment for one in then_read)


def test_the_record_only_grows(ann: Any, world: Tree) -> None:
    entered("ann@example.com")
    for statement in (
        "update kernel_securityevent set event = 'x'",
        "delete from kernel_securityevent",
        "truncate kernel_securityevent",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            tenant_transaction(world.acme.id),
            connections["default"].cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_group_a_search_and_days_narrow_it(ann: Any, world: Tree) -> None:
    client = entered("ann@example.com")
    actions.create_api_key(platform_scope(), world.acme.id, ["reports:read"], name="=cmd()", address="203.0.113.9")
    assert [event for event, _ in seen(client, "?group=access")] == ["api_key.created", "employee.added"]
    assert "signed_in" in [event for event, _ in seen(client, "?group=signing_in")]
    assert [event for event, _ in seen(client, "?search=203.0.113")] == ["api_key.created"]
    assert {event for event, _ in seen(client, "?search=ANN")} == {"signed_in"}
    assert seen(client, "?search=%25") == []
    assert seen(client, "?from=2020-01-01&to=2020-01-31") == []
    nothing = client.get("/audit?from=2020-01-01&to=2020-01-31&group=access").text
    assert "Nothing was recorded" in nothing
    assert "Show everything of these days" in nothing


def test_what_cannot_be_in_an_address_is_taken_as_not_given(ann: Any) -> None:
    client = entered("ann@example.com")
    usual = seen(client)
    for query in (
        "?from=x&to=9999-99-99",
        "?group=x",
        "?before=now",
        "?before=2026-01-01T00:00:00Z+x",
        "?from=0001-01-01",
    ):
        assert seen(client, query) == usual, query
    assert seen(client, "?search=%00") == []


def test_older_events_are_a_page_away(ann: Any, world: Tree) -> None:
    client = entered("ann@example.com")
    for number in range(60):
        security_log.record("limit_reached", company_id=world.acme.id, path=f"/{number}")
    first = client.get("/audit?group=refusals")
    newest = [row.event.fields["path"] for row in first.context["page"].rows]
    older = client.get(first.context["page"].older_href)
    rest = [row.event.fields["path"] for row in older.context["page"].rows]
    assert newest + rest == [f"/{number}" for number in reversed(range(60))]
    assert older.context["page"].newest_href == "/audit?group=refusals"


def test_the_file_holds_the_same_and_no_formula(ann: Any, world: Tree) -> None:
    client = entered("ann@example.com")
    security_log.record("api_key.created", company_id=world.acme.id, address="203.0.113.9", name="one")
    security_log.record(cast(Any, "=cmd()"), user_id=ann.pk)
    answer = client.get("/audit/file")
    assert answer["Content-Disposition"].startswith(f'attachment; filename="audit-{world.acme.id}-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["event"] for row in rows][:2] == ["'=cmd()", "api_key.created"]
    assert rows[1]["address"] == "203.0.113.9"
    assert rows[1]["details"] == "Name: one"
    assert rows[1]["time"].endswith("Z")
    [taken] = events("record.exported")
    assert (taken.user_id, taken.company_id, taken.fields["number"]) == (ann.pk, world.acme.id, len(rows))


def test_prices_are_recorded_at_their_seller_alone(ann: Any, ruth: Any, world: Tree) -> None:
    scope = scope_for_person(ruth)
    assert scope is not None
    card = create_rate_card(scope, name="Spring")
    assign_rate_card(scope, buyer_id=world.acme.id, card_id=card.id, effective_from=clock.now())
    found = [event for event, _ in seen(entered("ruth@example.com"), "?group=money")]
    assert found == ["rate_card.assigned", "rate_card.created"]
    assert seen(entered("ann@example.com"), "?group=money") == []


def test_who_it_was_done_to_is_named(ann: Any, world: Tree) -> None:
    bob = employ(world.acme.id, "bob@example.com", "Bob Brook", "chat_operator")
    client = entered("ann@example.com")
    client.post(f"/users/{world.acme.id}/{bob.pk}/block", {"reason": "Lost phone"})
    [row] = [row for row in client.get("/audit").context["page"].rows if row.event.event == "employee.blocked"]
    assert (row.by, row.about) == ("Ann Acre", "Bob Brook")


def test_it_is_for_administrators(world: Tree) -> None:
    for role in ("finance", "chat_operator"):
        employ(world.acme.id, f"{role}@example.com", "Fiona", role)
        client = entered(f"{role}@example.com")
        assert client.get("/audit").status_code == 404
        assert client.get("/audit/file").status_code == 404


def test_the_page_is_russian_for_russians(ann: Any) -> None:
    client = entered("ann@example.com")
    client.post("/preferences/language", {"language": "ru"})
    page = client.get("/audit").text
    assert "Журнал событий" in page
    assert "Вход выполнен" in page


def newest_details(email: str) -> dict[str, dict[str, str]]:
    """What the page says beside the newest of each event."""
    rows = entered(email).get("/audit").context["page"].rows
    return {row.event.event: dict(row.details) for row in reversed(rows)}


def test_companies_times_and_fields_are_said_in_words(ann: Any, ruth: Any, world: Tree) -> None:
    scope = scope_for_person(ruth)
    assert scope is not None
    card = create_rate_card(scope, name="Spring")
    moment = datetime(2031, 1, 1, 12, tzinfo=UTC)
    assign_rate_card(scope, buyer_id=world.acme.id, card_id=card.id, effective_from=moment)
    actions.update_company(scope, world.acme.id, name="Acme Two", external_id="A-2")
    move_company(platform_scope(), company_id=world.acme.id, parent_id=world.strand.id, effective_from=moment)
    rows = newest_details("ruth@example.com")
    assert rows["rate_card.assigned"]["Company"] == f"Acme Two {world.acme.id}"
    assert rows["rate_card.assigned"]["From"] == "1 Jan 2031, 12:00:00"
    assert rows["company.changed"] == {"Changed": "External id, Name"}
    # What a reader does not see keeps its number alone.
    assert (rows["company.moved"]["Before"], rows["company.moved"]["Seller"]) == (
        f"Rhea {world.rhea.id}",
        str(world.strand.id),
    )
    own = newest_details("ann@example.com")
    assert own["company.moved"]["Seller"] == str(world.strand.id)


def test_terms_of_payment_are_said_as_their_reader_writes_them(ruth: Any, world: Tree) -> None:
    scope = scope_for_person(ruth)
    assert scope is not None
    set_account(scope, buyer_id=world.acme.id, mode="postpaid", credit_limit_minor=300000)
    assert newest_details("ruth@example.com")["account.changed"] == {
        "Mode": "afterwards, by invoice",
        "Credit limit": "3,000.00 EUR",
        "Warnings": "80, 100",
    }
    get_user_model().objects.filter(pk=ruth.pk).update(language="ru")
    assert newest_details("ruth@example.com")["account.changed"] == {
        "Порядок оплаты": "по счёту, после оказания услуг",
        "Кредитный лимит": "3\xa0000,00 EUR",
        "Предупреждения": "80, 100",
    }
