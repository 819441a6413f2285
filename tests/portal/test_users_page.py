from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.companies.employing import an_employee
from tests.companies.factories import Tree, a_tree
from tests.portal.people import PASSWORD, employ
from twin.companies import access, actions, queries
from twin.companies.access import platform_scope

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

pytestmark = pytest.mark.database


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def ann(world: Tree) -> Any:
    return employ(world.acme.id, "ann@example.com", "Ann Acre")


@pytest.fixture
def bob(world: Tree, ann: Any) -> Any:
    return employ(world.acme.id, "bob@example.com", "Bob Brook", "chat_operator")


@pytest.fixture
def client(ann: Any) -> Client:
    """Ann's browser, in which she has just given her password."""
    return entered("ann@example.com")


def entered(email: str) -> Client:
    client = Client()
    assert client.post("/login", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def path_of(user: Any, world: Tree, deed: str = "") -> str:
    return f"/users/{world.acme.id}/{user.pk}" + (f"/{deed}" if deed else "")


def people_in(page: Any) -> list[str]:
    return [row.employee.name for row in page.context["page"].rows]


def test_the_page_lists_the_people_of_the_company(client: Client, bob: Any, world: Tree) -> None:
    page = client.get("/users")
    assert page.status_code == 200
    assert people_in(page) == ["Ann Acre", "Bob Brook"]
    assert f'href="{path_of(bob, world)}"' in page.text
    assert '<a class="menu-place" href="/users" aria-current="page">' in page.text
    assert 'class="l-company"' not in page.text


def test_a_reseller_sees_the_people_beneath_with_their_company(world: Tree, bob: Any) -> None:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    employ(world.dune.id, "dan@example.com", "Dan Dune")
    page = entered("ruth@example.com").get("/users")
    assert people_in(page) == ["Ann Acre", "Bob Brook", "Ruth Reed"]
    assert '<td class="l-company">Acme</td>' in page.text


def test_search_order_and_segment_stand_in_the_address(client: Client, bob: Any) -> None:
    assert people_in(client.get("/users?search=BROOK")) == ["Bob Brook"]
    assert people_in(client.get(f"/users?search={bob.pk}")) == ["Bob Brook"]
    assert people_in(client.get("/users?sort=-name")) == ["Bob Brook", "Ann Acre"]
    page = client.get("/users?show=blocked")
    assert people_in(page) == []
    assert "Nobody is blocked" in page.text
    assert "Nobody fits this search" in client.get("/users?search=zzz").text
    assert 'role="status" data-live="count">1 person<' in client.get("/users?search=brook").text


@pytest.mark.parametrize(
    "query", ["sort=password", "show=secret", "page=x", "page=0", "page=-1", "search=%00", "search=%ED%A0%80", "sort="]
)
def test_an_address_that_cannot_be_shows_the_usual_page(client: Client, query: str) -> None:
    assert client.get(f"/users?{query}").status_code == 200


def test_a_page_beyond_the_last_leads_to_the_last(client: Client) -> None:
    assert client.get("/users?page=9&sort=-id")["Location"] == "/users?sort=-id"


def test_fifty_people_are_a_page(client: Client, world: Tree) -> None:
    for number in range(60):
        an_employee(world.acme.id, f"p{number:02d}@example.com", "finance", name=f"Person {number:02d}")
    page = client.get("/users")
    assert len(people_in(page)) == 50
    assert "1–50 of 61 people" in page.text
    assert 'href="/users?page=2"' in page.text
    assert "51–61 of 61 people" in client.get("/users?page=2").text


@pytest.mark.parametrize("role", ["finance", "chat_operator"])
def test_for_finance_and_operators_the_pages_are_not_there(world: Tree, bob: Any, role: str) -> None:
    actions.change_role(platform_scope(), company_id=world.acme.id, person_id=bob.pk, role=role)
    theirs = entered("bob@example.com")
    for address in ("/users", "/users/invite", path_of(bob, world)):
        assert theirs.get(address).status_code == 404
    for deed in ("role", "dialogs", "block", "unblock", "remove", "sessions"):
        assert theirs.post(path_of(bob, world, deed), {"role": "administrator"}).status_code == 404
    assert theirs.post("/users/invite", {"name": "E", "email": "e@example.org", "role": "finance"}).status_code == 404
    employment = access.employment_of(bob)
    assert employment is not None
    assert employment.role == role


def test_strangers_are_asked_to_sign_in(world: Tree, bob: Any) -> None:
    for address in ("/users", "/users/invite", path_of(bob, world)):
        assert Client().get(address)["Location"].startswith("/login?next=")
    assert Client().post(path_of(bob, world, "remove"))["Location"].startswith("/login?next=")
    assert access.employment_of(bob) is not None


def test_an_operators_limit_is_changed_and_taken_back(client: Client, bob: Any, world: Tree) -> None:
    answer = client.post(path_of(bob, world, "dialogs"), {"max_dialogs": "12"})
    assert answer["Location"] == path_of(bob, world)
    page = client.get(path_of(bob, world))
    assert 'value="12"' in page.text
    assert "Left empty, the company's default counts: 300." in page.text
    refused = client.post(path_of(bob, world, "dialogs"), {"max_dialogs": "0"})
    assert refused.status_code == 422
    assert "Write a whole number from 1 to 10,000, or leave it empty." in refused.text
    client.post(path_of(bob, world, "dialogs"), {"max_dialogs": ""})
    assert queries.get_employee(platform_scope(), company_id=world.acme.id, person_id=bob.pk).max_dialogs is None


def test_a_role_is_changed(client: Client, bob: Any, world: Tree) -> None:
    client.post(path_of(bob, world, "role"), {"role": "finance", "company": "1", "person_id": "2"})
    employment = access.employment_of(bob)
    assert employment is not None
    assert employment.role == "finance"
    assert client.post(path_of(bob, world, "role"), {"role": "platform"}).status_code == 422


def test_making_an_administrator_asks_for_the_password_again(ann: Any, bob: Any, world: Tree) -> None:
    stale = Client()
    stale.force_login(ann, backend=BACKEND)
    for address, form in (
        (path_of(bob, world, "role"), {"role": "administrator"}),
        ("/users/invite", {"name": "Eve", "email": "eve@example.org", "role": "administrator"}),
    ):
        assert stale.post(address, form)["Location"].startswith("/security/confirm")
    employment = access.employment_of(bob)
    assert employment is not None
    assert employment.role == "chat_operator"
    assert queries.open_invitations(platform_scope()) == []
    # Lesser roles ask for nothing.
    answer = stale.post("/users/invite", {"name": "Eve", "email": "eve@example.org", "role": "finance"})
    assert answer["Location"] == "/users"


def test_a_blocked_person_is_out_at_the_next_request_and_told_why(client: Client, bob: Any, world: Tree) -> None:
    theirs = entered("bob@example.com")
    assert theirs.get("/personal-account").status_code == 200
    refused = client.post(path_of(bob, world, "block"), {"reason": " "})
    assert refused.status_code == 422
    assert "Give a reason of 1 to 500 characters." in refused.text
    client.post(path_of(bob, world, "block"), {"reason": "Lost phone"})
    assert theirs.get("/personal-account")["Location"] == "/login?next=/personal-account"
    assert "Blocked since" in client.get(path_of(bob, world)).text
    wrong = Client().post("/login", {"login": "bob@example.com", "password": "not-the-right-one-1"})
    assert "Lost phone" not in wrong.text
    right = Client().post("/login", {"login": "bob@example.com", "password": PASSWORD}, follow=True)
    assert "Your access to Acme is blocked: Lost phone. Ask an administrator of the company." in right.text
    client.post(path_of(bob, world, "unblock"))
    assert theirs.get("/personal-account")["Location"] == "/login?next=/personal-account"
    assert entered("bob@example.com").get("/personal-account").status_code == 200


def test_a_session_that_outlived_the_block_is_out_too(bob: Any, world: Tree) -> None:
    actions.block_employee(platform_scope(), company_id=world.acme.id, person_id=bob.pk, reason="Lost phone")
    theirs = Client()
    theirs.force_login(bob, backend=BACKEND)
    page = theirs.get("/personal-account", follow=True)
    assert page.redirect_chain[-1][0].startswith("/login")
    assert "Your access to Acme is blocked: Lost phone." in page.text
    assert "_auth_user_id" not in theirs.session


def test_a_removed_person_is_out_and_told_so(client: Client, bob: Any, world: Tree) -> None:
    theirs = entered("bob@example.com")
    answer = client.post(path_of(bob, world, "remove"))
    assert answer["Location"] == "/users"
    assert theirs.get("/personal-account")["Location"] == "/login?next=/personal-account"
    right = Client().post("/login", {"login": "bob@example.com", "password": PASSWORD}, follow=True)
    assert "You no longer work for Acme in Twin." in right.text
    assert client.get(path_of(bob, world)).status_code == 404


def test_sessions_of_a_person_are_ended(client: Client, bob: Any, world: Tree) -> None:
    theirs = entered("bob@example.com")
    theirs.get("/personal-account")
    answer = client.post(path_of(bob, world, "sessions"), follow=True)
    assert "1 session is ended." in answer.text
    assert theirs.get("/personal-account")["Location"] == "/login?next=/personal-account"


def test_the_last_administrator_is_told_why_it_cannot_be(client: Client, ann: Any, bob: Any, world: Tree) -> None:
    for deed, form in (("remove", {}), ("role", {"role": "finance"})):
        page = client.post(path_of(ann, world, deed), form, follow=True)
        assert "A company keeps at least one administrator." in page.text
    employment = access.employment_of(ann)
    assert employment is not None
    assert employment.role == "administrator"


def test_who_leaves_is_signed_out(client: Client, ann: Any, world: Tree) -> None:
    employ(world.acme.id, "ada@example.com", "Ada Acre")
    page = client.post(path_of(ann, world, "remove"), follow=True)
    assert page.redirect_chain[-1][0] == "/login"
    assert "You have left the company." in page.text
    assert access.employment_of(ann) is None


def test_nobody_blocks_themselves(client: Client, ann: Any, world: Tree) -> None:
    employ(world.acme.id, "ada@example.com", "Ada Acre")
    assert f'action="{path_of(ann, world, "block")}"' not in client.get(path_of(ann, world)).text
    page = client.post(path_of(ann, world, "block"), {"reason": "why not"}, follow=True)
    assert "Nobody blocks themselves" in page.text


def test_people_of_others_are_not_found(client: Client, world: Tree, ann: Any) -> None:
    dan = employ(world.dune.id, "dan@example.com", "Dan Dune")
    huge = 2**40
    for company_id, person_id in (
        (world.dune.id, dan.pk),
        (world.acme.id, dan.pk),
        (world.dune.id, ann.pk),
        (huge, huge),
        (world.acme.id, huge),
        (0, 0),
    ):
        address = f"/users/{company_id}/{person_id}"
        assert client.get(address).status_code == 404
        for deed, form in (
            ("role", {"role": "finance"}),
            ("dialogs", {"max_dialogs": "1"}),
            ("block", {"reason": "x"}),
            ("unblock", {}),
            ("remove", {}),
            ("sessions", {}),
        ):
            assert client.post(f"{address}/{deed}", form).status_code == 404, (address, deed)
    assert access.employment_of(dan) is not None


def test_a_reseller_reads_but_does_not_manage_the_people_beneath(world: Tree, bob: Any) -> None:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    ruth = entered("ruth@example.com")
    page = ruth.get(path_of(bob, world))
    assert page.status_code == 200
    assert "its own administrators manage them" in page.text
    assert f'action="{path_of(bob, world, "block")}"' not in page.text
    for deed, form in (("block", {"reason": "x"}), ("role", {"role": "finance"}), ("remove", {})):
        assert ruth.post(path_of(bob, world, deed), form).status_code == 403
    assert access.employment_of(bob) is not None


def test_deeds_are_never_done_by_get(client: Client, bob: Any, world: Tree) -> None:
    for deed in ("role", "dialogs", "block", "unblock", "remove", "sessions"):
        assert client.get(path_of(bob, world, deed)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(path_of(bob, world, "remove")).status_code == 403
    assert access.employment_of(bob) is not None


def test_a_person_is_invited_sent_again_and_withdrawn(client: Client, world: Tree) -> None:
    answer = client.post("/users/invite", {"name": "Nina", "email": "nina@example.org", "role": "finance"})
    assert answer["Location"] == "/users"
    page = client.get("/users?show=invited")
    assert "nina@example.org" in page.text
    [invitation] = queries.open_invitations(platform_scope())
    address = f"/users/{world.acme.id}/invitations/{invitation.id}"
    again = client.post(f"{address}/resend", follow=True)
    assert "Invitations were sent too often" in again.text
    assert "The invitation is withdrawn." in client.post(f"{address}/withdraw", follow=True).text
    assert client.post(f"{address}/withdraw").status_code == 404
    assert "No invitation is waiting" in client.get("/users?show=invited").text


def test_an_unusable_invitation_keeps_what_was_typed(client: Client, bob: Any) -> None:
    page = client.post("/users/invite", {"name": "Nina", "email": "nobody", "role": "finance"})
    assert page.status_code == 422
    assert "This is not an email address" in page.text
    assert 'value="Nina"' in page.text
    taken = client.post("/users/invite", {"name": "Bob", "email": "BOB@example.com", "role": "finance"})
    assert "Somebody with this address works here already." in taken.text


def test_a_form_cannot_name_another_company_or_a_person(client: Client, world: Tree) -> None:
    form = {"name": "Nina", "email": "nina@example.org", "role": "finance", "company": str(world.dune.id)}
    assert client.post("/users/invite", form)["Location"] == "/users"
    assert [one.company_id for one in queries.open_invitations(platform_scope())] == [world.acme.id]


def test_a_reseller_invites_a_companys_first_administrator_only(world: Tree, bob: Any) -> None:
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    ruth = entered("ruth@example.com")
    form = {"name": "Nina", "email": "nina@example.org", "role": "administrator"}
    refused = ruth.post("/users/invite", {**form, "company": str(world.acme.id)})
    assert "You invite the first administrator of a company" in refused.text
    assert ruth.post("/users/invite", {**form, "company": str(world.birch.id)})["Location"] == "/users"
    assert ruth.post("/users/invite", {**form, "company": str(world.dune.id)}).status_code == 422
    assert [one.company_id for one in queries.open_invitations(platform_scope())] == [world.birch.id]


def test_the_page_is_russian_for_russians(client: Client, ann: Any, bob: Any) -> None:
    client.post("/preferences/language", {"language": "ru"})
    page = client.get("/users").text
    assert "Пользователи" in page
    assert "Оператор чата" in page


def test_of_very_many_companies_one_is_named_by_its_id(world: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.portal.users_form.MOST_CHOICES", 2)
    monkeypatch.setattr("twin.portal.views.users.MOST_CHOICES", 2)
    employ(world.rhea.id, "ruth@example.com", "Ruth Reed")
    ruth = entered("ruth@example.com")
    assert "Id of the company" in ruth.get("/users/invite").text
    form = {"name": "Nina", "email": "nina@example.org", "role": "administrator"}
    for unknown in (world.dune.id, 2**40, "x"):
        refused = ruth.post("/users/invite", {**form, "company": str(unknown)})
        assert refused.status_code == 422
        assert "There is no such company." in refused.text
    assert ruth.post("/users/invite", {**form, "company": str(world.cedar.id)})["Location"] == "/users"
