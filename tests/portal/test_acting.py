"""Signing in as administrator of a company: begun with a reason, told everywhere, ended by all that ends it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from tests.companies.employing import mails
from tests.companies.factories import move
from tests.portal.people import PASSWORD, People, employ, employ_people
from tests.world import World, build_world
from twin.companies import actions
from twin.companies.access import platform_scope
from twin.companies.models import Acting as ActingRow
from twin.companies.models import Information
from twin.kernel import clock
from twin.kernel.models import SecurityEvent
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> World:
    cache.clear()
    return build_world()


@pytest.fixture
def people(world: World, quick_passwords: None) -> People:
    return employ_people(world)


def signed_in(people: People, name: str, **options: Any) -> Client:
    """With the password given just now."""
    client = Client(**options)
    assert client.post("/login", {"login": people.of(name).email, "password": PASSWORD}).status_code == 302
    return client


def acts(client: Client, company_id: int, way: str = "look", reason: str = "Ticket 7") -> Any:
    return client.post(f"/companies/{company_id}/act", {"reason": reason, "way": way})


@pytest.fixture
def rhea(people: People, world: World) -> Client:
    """Rhea's administrator, who looks at Acme."""
    client = signed_in(people, "rhea")
    assert acts(client, world.acme.id).status_code == 302
    return client


def events(*names: str) -> list[Any]:
    found = SecurityEvent.objects.using("owner").order_by("pk")
    return list(found.filter(event__in=names) if names else found)


def is_acting(client: Client) -> bool:
    return 'class="acting"' in client.get("/", follow=True).text


def later(monkeypatch: pytest.MonkeyPatch, **by: int) -> None:
    moment = clock.now() + timedelta(**by)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_every_page_says_who_acts_for_whom_why_and_until_when(rhea: Client) -> None:
    for path in ("/", "/users", "/reports/usage", "/nowhere-at-all", "/legal/terms", "/security"):
        page = rhea.get(path, follow=True).text
        strip = page[page.index('class="acting"') : page.index("</section>", page.index('class="acting"'))]
        for told in ("Acme", "Ruth Reed", "Rhea", "Ticket 7", "only looking", "/acting/end"):
            assert told in strip, (path, told)


def test_strangers_see_nothing_of_it(rhea: Client) -> None:
    assert "acting" not in Client().get("/").text


def test_the_pages_are_those_of_the_company(rhea: Client, world: World) -> None:
    page = rhea.get("/users").text
    assert "acme@example.com" in page
    assert "rhea@example.com" not in page
    assert rhea.get("/companies").status_code == 404
    assert rhea.get("/prices").status_code == 404


def test_a_reason_is_required(people: People, world: World) -> None:
    client = signed_in(people, "rhea")
    for reason in ("", "  ", "x" * 501):
        assert acts(client, world.acme.id, reason=reason).status_code == 422
    assert not is_acting(client)
    assert acts(client, world.acme.id, way="everything").status_code == 422
    assert ActingRow.objects.using("owner").count() == 0


def test_the_password_is_asked_for_after_ten_minutes(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(people, "rhea")
    later(monkeypatch, minutes=11)
    for answer in (client.get(f"/companies/{world.acme.id}/act"), acts(client, world.acme.id)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/security/confirm")
    assert ActingRow.objects.using("owner").count() == 0


def test_others_find_no_way_in(people: People, world: World) -> None:
    finance = employ(world.rhea.id, "fiona@rhea.example", "Fiona Nance", "finance")
    stranger = signed_in(people, "strand")
    for company in (world.acme, world.rhea, world.twin, world.echo):
        assert acts(stranger, company.id).status_code == 404
    client = Client()
    client.post("/login", {"login": finance.email, "password": PASSWORD})
    assert acts(client, world.acme.id).status_code == 404
    assert acts(Client(), world.acme.id)["Location"].startswith("/login?next=")
    ruth = signed_in(people, "rhea")
    assert acts(ruth, world.rhea.id).status_code == 404
    assert acts(ruth, world.twin.id).status_code == 404
    assert acts(ruth, world.sola.id).status_code == 403
    assert acts(ruth, world.cedar.id).status_code == 403
    assert ActingRow.objects.using("owner").count() == 0


def test_the_way_in_is_shown_where_it_is_open(people: People, world: World) -> None:
    ruth = signed_in(people, "rhea")
    assert f'/companies/{world.acme.id}/act"' in ruth.get(f"/companies/{world.acme.id}").text
    assert f'/companies/{world.sola.id}/act"' not in ruth.get(f"/companies/{world.sola.id}").text
    actions.update_company(platform_scope(), world.acme.id, state="blocked", reason="x")
    assert f'/companies/{world.acme.id}/act"' not in ruth.get(f"/companies/{world.acme.id}").text


def test_only_looking_changes_nothing(rhea: Client, world: World) -> None:
    answer = rhea.post("/users/invite", {"name": "E", "email": "e@example.org", "role": "finance"})
    assert answer.status_code == 403
    assert "You are only looking" in answer.text
    as_json = rhea.post("/company/draft", {"name": "x"}, headers={"Accept": "application/json"})
    assert (as_json.status_code, as_json.json()["status"]) == (403, 403)
    assert mails()[-1][0] == "acme@example.com"


def test_changes_are_made_in_both_names(people: People, world: World) -> None:
    client = signed_in(people, "rhea", REMOTE_ADDR="203.0.113.7")
    acts(client, world.acme.id, "change")
    sent = {"name": "Eve", "email": "eve@example.org", "role": "finance", "company": world.acme.id}
    assert client.post("/users/invite", sent).status_code == 302
    [event] = events("invitation.sent")
    assert (event.user_id, event.company_id) == (people.of("rhea").pk, world.acme.id)
    assert event.fields["acting_from"] == "Rhea"
    assert event.fields["acting_id"] == ActingRow.objects.using("owner").get().pk
    [change] = events("acting.changed")
    assert (change.fields["path"], change.fields["method"]) == ("/users/invite", "POST")
    assert (change.user_id, change.company_id, change.address) == (
        people.of("rhea").pk,
        world.acme.id,
        "203.0.113.7",
    )


def test_administrators_stay_with_the_company(people: People, world: World) -> None:
    client = signed_in(people, "rhea")
    acts(client, world.acme.id, "change")
    sent = {"name": "Eve", "email": "eve@example.org", "role": "administrator", "company": world.acme.id}
    answer = client.post("/users/invite", sent)
    assert answer.status_code in (302, 422)
    assert events("invitation.sent") == []
    ann = people.of("acme").pk
    client.post(f"/users/{world.acme.id}/{ann}/block", {"reason": "x"})
    assert events("employee.blocked") == []


def test_what_was_looked_at_is_on_record_once_each(rhea: Client, people: People, world: World) -> None:
    for path in ("/users", "/users", "/reports/usage", "/users?search=x"):
        rhea.get(path, follow=True)
    assert sorted(one.fields["path"] for one in events("acting.looked")) == ["/reports/usage", "/users"]
    refused = rhea.get("/security")
    assert refused.status_code == 403
    [event] = events("access_refused")
    assert (event.user_id, event.company_id, event.fields["acting_from"]) == (
        people.of("rhea").pk,
        world.acme.id,
        "Rhea",
    )


def test_the_company_reads_it_in_its_audit(rhea: Client, people: People, world: World) -> None:
    rhea.get("/users")
    rhea.post("/acting/end")
    for who in ("acme", "rhea"):
        page = signed_in(people, who).get("/audit").text
        assert "Ticket 7" in page
        assert "Ruth Reed (Rhea)" in page
    assert "Ticket 7" not in signed_in(people, "strand").get("/audit").text


def test_ending_it_leads_back_to_oneself(rhea: Client, world: World, people: People) -> None:
    answer = rhea.post("/acting/end")
    assert answer["Location"] == f"/companies/{world.acme.id}"
    assert not is_acting(rhea)
    assert "sola@example.com" in rhea.get("/users").text
    [event] = events("acting.ended")
    assert (event.user_id, event.company_id, event.fields["ended_by"]) == (
        people.of("rhea").pk,
        world.acme.id,
        "person",
    )
    assert rhea.post("/acting/end")["Location"] == "/personal-account"


def test_it_is_never_ended_by_a_link(rhea: Client) -> None:
    assert rhea.get("/acting/end").status_code == 405
    assert is_acting(rhea)


def test_after_an_hour_the_request_is_carried_out_in_nobody_s_name(
    people: People, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(people, "rhea")
    acts(client, world.acme.id, "change")
    later(monkeypatch, minutes=60)
    answer = client.post("/users/invite", {"name": "E", "email": "e@example.org", "role": "finance"})
    assert answer["Location"] == "/personal-account"
    assert events("invitation.sent") == []
    page = client.get("/users")
    assert "You no longer act for Acme" in page.text
    [event] = events("acting.ended")
    assert event.fields["ended_by"] == "time"


def test_signing_out_ends_it(rhea: Client) -> None:
    rhea.post("/logout")
    [event] = events("acting.ended")
    assert event.fields["ended_by"] == "leaving"
    assert ActingRow.objects.using("owner").get().ended_at is not None


def test_signing_in_again_begins_as_oneself(rhea: Client, people: People) -> None:
    rhea.post("/logout")
    rhea.post("/login", {"login": people.of("rhea").email, "password": PASSWORD})
    assert not is_acting(rhea)


def losses(world: World, people: People) -> dict[str, Any]:
    ruth = {"company_id": world.rhea.id, "person_id": people.of("rhea").pk}
    twin = platform_scope()

    def move_away() -> None:
        with tenant_transaction(world.twin.id):
            move(twin, world.acme.id, world.strand.id, clock.now())

    return {
        "the company is moved away": move_away,
        "the company is blocked": lambda: actions.update_company(twin, world.acme.id, state="blocked", reason="x"),
        "the own organisation is blocked": lambda: actions.update_company(
            twin, world.rhea.id, state="blocked", reason="x"
        ),
        "the person is blocked": lambda: actions.block_employee(twin, reason="x", **ruth),
        "the person is removed": lambda: actions.remove_employee(twin, **ruth),
        "the role is taken away": lambda: actions.change_role(twin, role="finance", **ruth),
    }


@pytest.mark.parametrize(
    "loss",
    [
        "the company is moved away",
        "the company is blocked",
        "the own organisation is blocked",
        "the person is blocked",
        "the person is removed",
        "the role is taken away",
    ],
)
def test_whatever_takes_the_right_away_ends_it_at_the_next_request(people: People, world: World, loss: str) -> None:
    employ(world.rhea.id, "rolf@rhea.example", "Rolf Rain")
    client = signed_in(people, "rhea")
    acts(client, world.acme.id, "change")
    losses(world, people)[loss]()
    answer = client.post("/users/invite", {"name": "E", "email": "e@example.org", "role": "finance"})
    assert answer.status_code == 302
    assert events("invitation.sent") == []
    assert not is_acting(client)


def test_a_session_copied_before_is_worth_nothing_after(rhea: Client, world: World) -> None:
    """The key of the session changes when acting begins and ends."""
    copy = Client()
    copy.cookies[settings.SESSION_COOKIE_NAME] = rhea.cookies[settings.SESSION_COOKIE_NAME].value
    assert is_acting(copy)
    rhea.post("/acting/end")
    assert copy.get("/users")["Location"].startswith("/login")


def test_a_form_opened_in_one_s_own_name_is_not_sent_in_the_company_s(people: People, world: World) -> None:
    client = signed_in(people, "rhea")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    before = token_of(strict.get("/company").text)
    page = token_of(strict.get(f"/companies/{world.acme.id}/act").text)
    begun = {"reason": "Ticket 7", "way": "change", "csrfmiddlewaretoken": page}
    assert strict.post(f"/companies/{world.acme.id}/act", begun).status_code == 302
    invited = {"name": "E", "email": "e@example.org", "role": "finance"}
    assert strict.post("/users/invite", {**invited, "csrfmiddlewaretoken": before}).status_code == 403
    inside = token_of(strict.get("/users/invite").text)
    assert strict.post("/acting/end", {"csrfmiddlewaretoken": inside}).status_code == 302
    assert strict.post("/users/invite", {**invited, "csrfmiddlewaretoken": inside}).status_code == 403
    assert events("invitation.sent") == []


def token_of(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_the_own_duty_of_a_second_factor_is_not_forgotten(people: People, world: World) -> None:
    """Acting for a company that demands none does not begin the days of grace anew."""
    client = signed_in(people, "rhea")
    client.get("/personal-account")
    ruth = people.of("rhea")
    ruth.refresh_from_db()
    since = ruth.second_factor_since
    assert since is not None
    acts(client, world.acme.id)
    client.get("/users")
    ruth.refresh_from_db()
    assert ruth.second_factor_since == since


def test_a_second_factor_that_is_overdue_ends_it(people: People, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(people, "rhea")
    acts(client, world.acme.id)
    ruth = people.of("rhea")
    ruth.second_factor_since = clock.now() - timedelta(days=30)
    ruth.save(update_fields=["second_factor_since"])
    assert client.get("/users")["Location"] == "/personal-account"
    assert client.get("/users")["Location"] == "/security/second-factor"


def test_an_incomplete_window_holds_nobody_who_acts(people: People, world: World) -> None:
    with tenant_transaction(world.acme.id):
        Information.objects.filter(company_id=world.acme.id).update(is_complete=False)
    client = signed_in(people, "rhea")
    acts(client, world.acme.id)
    assert client.get("/users").status_code == 200


def test_languages_and_themes_are_one_s_own(rhea: Client, people: People) -> None:
    rhea.post("/preferences/language", {"language": "ru"})
    people.of("rhea").refresh_from_db()
    assert people.of("rhea").language == "ru"
    assert "только просмотр" in rhea.get("/users").text


def test_hostile_reasons_are_text(people: People, world: World) -> None:
    client = signed_in(people, "rhea")
    acts(client, world.acme.id, reason="<script>alert(1)</script> %(x)s {{ 7 }}")
    page = client.get("/users").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; %(x)s {{ 7 }}" in page


def test_a_key_of_the_api_is_nobody_s_acting(rhea: Client, world: World) -> None:
    """The session says nothing to the API."""
    assert rhea.get("/api/v1/companies").status_code == 401
