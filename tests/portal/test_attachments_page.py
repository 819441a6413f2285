"""Attaching a company by invitation, through the pages: the reseller asks, the company's administrator decides."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.companies.employing import mails
from tests.portal.newcomer import EMAIL as NEWCOMER
from tests.portal.newcomer import Newcomer
from tests.portal.people import PASSWORD, People, employ, employ_people
from tests.world import World, build_world
from twin.companies import actions, queries
from twin.companies.access import platform_scope
from twin.companies.models import Attachment as AttachmentRow
from twin.kernel import clock
from twin.kernel.models import SecurityEvent

pytestmark = pytest.mark.database

EMAIL = "erin@echo.example"


@pytest.fixture
def world() -> World:
    cache.clear()
    return build_world()


@pytest.fixture
def people(world: World, quick_passwords: None) -> People:
    return employ_people(world)


@pytest.fixture
def erin(world: World, people: People) -> Any:
    return employ(world.echo.id, EMAIL, "Erin Echo")


def signed_in(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def rhea(people: People) -> Client:
    return signed_in("rhea@example.com")


def invited(rhea: Client, email: str = EMAIL) -> str:
    """The path of the link in the mail."""
    answer = rhea.post("/companies/attach", {"email": email})
    assert answer["Location"] == "/companies/attach"
    [to, _, text] = mails()[-1]
    assert to == email.lower()
    found = re.search(r"https?://[^/]+(/attachment/\S+)", text)
    assert found is not None
    return found[1]


def seller_of(company_id: int) -> int | None:
    return queries.get_company(platform_scope(), company_id).parent_id


def test_an_administrator_reads_what_it_means_and_accepts(world: World, rhea: Client, erin: Any) -> None:
    client = signed_in(EMAIL)
    page = client.get(invited(rhea), follow=True)
    for told in ("Ruth Reed", "Rhea", "Echo", "Its prices apply", "who works there"):
        assert told in page.text, told
    assert seller_of(world.echo.id) == world.twin.id
    answer = client.post("/attachment")
    assert answer["Location"] == "/personal-account"
    assert "Echo buys from Rhea from now on." in client.get("/personal-account", follow=True).text
    assert seller_of(world.echo.id) == world.rhea.id
    assert "Echo" in rhea.get("/companies").text
    assert EMAIL not in rhea.get("/companies/attach").text


def test_whoever_is_not_signed_in_is_led_through_the_sign_in(world: World, rhea: Client, erin: Any) -> None:
    client = Client()
    page = client.get(invited(rhea), follow=True)
    assert page.status_code == 200
    assert "/login?next=%2Fattachment" in page.text
    assert client.post("/attachment").status_code == 200
    answer = client.post("/login?next=%2Fattachment", {"login": EMAIL, "password": PASSWORD})
    assert answer["Location"] == "/attachment"
    assert "Accept: buy from Rhea" in client.get("/attachment").text


def test_a_link_uses_nothing_up_and_leaves_the_address(rhea: Client, erin: Any) -> None:
    path, client = invited(rhea), signed_in(EMAIL)
    for _ in range(3):
        assert client.get(path)["Location"] == "/attachment"
    assert path.split("/")[-1] not in client.get("/attachment").text
    assert path.split("/")[-1] not in str(dict(client.session))


def test_declining_changes_nothing_and_the_reseller_sees_it(world: World, rhea: Client, erin: Any) -> None:
    client = signed_in(EMAIL)
    client.get(invited(rhea))
    assert client.post("/attachment/decline")["Location"] == "/personal-account"
    assert seller_of(world.echo.id) == world.twin.id
    assert "Declined" in rhea.get("/companies/attach").text
    answer = rhea.post("/companies/attach", {"email": EMAIL})
    assert answer.status_code == 422
    assert "declined your invitation" in answer.text
    declined = SecurityEvent.objects.using("owner").get(event="attachment.declined")
    assert declined.company_id == world.echo.id


@pytest.mark.parametrize(
    ("become", "told"),
    [
        ("expired", "has expired"),
        ("withdrawn", "has withdrawn"),
        ("accepted", "accepted already"),
        ("declined", "was declined"),
        ("blocked", "cannot take companies in"),
    ],
)
def test_a_link_that_is_over_says_why(
    become: str, told: str, world: World, rhea: Client, erin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, client = invited(rhea), signed_in(EMAIL)
    client.get(path)
    if become == "expired":
        later = clock.now() + timedelta(days=7)
        monkeypatch.setattr(clock, "now", lambda: later)
        client = signed_in(EMAIL)
    elif become == "withdrawn":
        [row] = AttachmentRow.objects.using("owner").all()
        assert rhea.post(f"/companies/attach/{row.pk}/withdraw").status_code == 302
    elif become == "accepted":
        client.post("/attachment")
    elif become == "declined":
        client.post("/attachment/decline")
    else:
        actions.update_company(platform_scope(), world.rhea.id, state="blocked", reason="x")
    answer = client.get(path, follow=True)
    assert answer.status_code == 404
    assert told in answer.text
    assert client.post("/attachment").status_code == 404


def test_a_link_that_never_was_says_nothing(erin: Any) -> None:
    answer = signed_in(EMAIL).get("/attachment/" + "A" * 43)
    assert answer.status_code == 404
    assert "newer mail has replaced it" in answer.text


def test_who_cannot_decide_is_told_why(world: World, rhea: Client, people: People) -> None:
    employ(world.echo.id, "otto@echo.example", "Otto Per", "finance")
    employ(world.dune.id, "dana@dune.example", "Dana Dune")
    cases = {
        "otto@echo.example": "Only an administrator",
        "dana@dune.example": "buys from a reseller already",
        "strand@example.com": "the platform moves it",
        "acme@example.com": "buys from a reseller already",
    }
    for email, told in cases.items():
        client = signed_in(email)
        page = client.get(invited(rhea, email), follow=True)
        assert told in page.text, email
        assert told in client.post("/attachment").text, email
    assert [one.parent_id for one in queries.list_companies(platform_scope()).items] == parents(world)


def parents(world: World) -> list[int | None]:
    by_id = sorted((party.company for party in world.parties.values()), key=lambda one: one.id)
    return [one.parent_id for one in by_id]


def test_a_link_forwarded_to_another_is_for_another(world: World, rhea: Client, erin: Any) -> None:
    employ(world.echo.id, "emil@echo.example", "Emil Echo")
    client = signed_in("emil@echo.example")
    page = client.get(invited(rhea), follow=True)
    assert f"This invitation is for {EMAIL}" in page.text
    client.post("/attachment")
    client.post("/attachment/decline")
    assert seller_of(world.echo.id) == world.twin.id
    assert AttachmentRow.objects.using("owner").get().declined_at is None


def test_accepting_asks_for_the_password_after_ten_minutes(
    world: World, rhea: Client, erin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(EMAIL)
    client.get(invited(rhea))
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.post("/attachment")["Location"].startswith("/security/confirm")
    assert seller_of(world.echo.id) == world.twin.id


def test_a_newcomer_registers_and_then_accepts(world: World, rhea: Client) -> None:
    path = invited(rhea, NEWCOMER)
    newcomer = Newcomer(Client(REMOTE_ADDR="203.0.113.77"))
    newcomer.register()
    newcomer.sign_in()
    page = newcomer.client.get(path, follow=True)
    assert "Accept: buy from Rhea" in page.text, "also before the window is complete"
    newcomer.client.post("/attachment")
    [listed] = [
        one for one in queries.list_companies(platform_scope()).items if one.external_id is None and one.parent_id
    ]
    assert listed.parent_id == world.rhea.id


def test_the_answer_tells_nothing_of_the_address(world: World, rhea: Client, erin: Any) -> None:
    employ(world.dune.id, "dana@dune.example", "Dana Dune")
    answers = set()
    for email in (EMAIL, "dana@dune.example", "nobody@nowhere.example", "twin@example.com"):
        sent = rhea.post("/companies/attach", {"email": email})
        page = rhea.get("/companies/attach").text
        row = page[page.index(f">{email}<") : page.index("</tr>", page.index(f">{email}<"))]
        cleaned = re.sub(r'value="\w+"|/attach/\d+/|:\d\d:\d\d', "", row.replace(email, "X"))
        answers.add((sent.status_code, sent["Location"], cleaned))
    assert len(answers) == 1


def test_the_reseller_sends_again_and_withdraws(rhea: Client, erin: Any) -> None:
    first = invited(rhea)
    [row] = AttachmentRow.objects.using("owner").all()
    rhea.post(f"/companies/attach/{row.pk}/resend")
    assert "too often" in rhea.get("/companies/attach").text
    AttachmentRow.objects.using("owner").update(sent_at=clock.now() - timedelta(minutes=5))
    rhea.post(f"/companies/attach/{row.pk}/resend")
    assert "sent again" in rhea.get("/companies/attach").text
    assert signed_in(EMAIL).get(first).status_code == 404
    rhea.post(f"/companies/attach/{row.pk}/withdraw")
    assert EMAIL not in rhea.get("/companies/attach").text


def test_others_find_neither_the_page_nor_the_invitation(world: World, rhea: Client, people: People, erin: Any) -> None:
    invited(rhea)
    [row] = AttachmentRow.objects.using("owner").all()
    for email in (EMAIL, "twin@example.com"):
        client = signed_in(email)
        assert client.get("/companies/attach").status_code == 404
        assert client.post("/companies/attach", {"email": "x@example.org"}).status_code == 404
    for email in (EMAIL, "twin@example.com", "strand@example.com"):
        client = signed_in(email)
        for deed in ("resend", "withdraw"):
            assert client.post(f"/companies/attach/{row.pk}/{deed}").status_code == 404
    assert EMAIL not in signed_in("strand@example.com").get("/companies/attach").text


@pytest.mark.parametrize("email", ["", "x", "a b@example.org", "x@example.org\nBcc: y@example.org", "x" * 400])
def test_what_is_no_address_is_said_by_the_field(rhea: Client, email: str) -> None:
    answer = rhea.post("/companies/attach", {"email": email})
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert mails() == []


def test_the_mail_names_the_inviter_and_no_address_of_theirs(rhea: Client, erin: Any) -> None:
    invited(rhea)
    text = mails()[-1][2]
    assert "Ruth Reed" in text
    assert "rhea@example.com" not in text


def test_hostile_names_are_text(world: World, people: People, rhea: Client, erin: Any) -> None:
    hostile = "<script>alert(1)</script> %(x)s {{ 7 }} %"
    actions.update_company(platform_scope(), world.rhea.id, name=hostile)
    client = signed_in(EMAIL)
    page = client.get(invited(rhea), follow=True).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; %(x)s {{ 7 }} %" in page
    client.post("/attachment")
    shown = client.get("/personal-account", follow=True).text
    assert "<script>alert" not in shown
    assert mails()[-1][1] == f"Echo buys from {hostile} now"
