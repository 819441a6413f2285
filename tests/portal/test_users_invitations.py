"""Taking invitations up in a browser without a screen."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tests.companies.employing import a_person, an_invitation, scope_as
from tests.companies.factories import Tree, a_company, a_tree
from tests.portal.people import PASSWORD, employ
from twin.accounts.consents import consents_of
from twin.companies import access, actions, queries
from twin.companies.actions import INVITATION_PATH
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.models import Dispatch
from twin.kernel.sealing import unseal

pytestmark = pytest.mark.database

DETAILS = {
    "name": "Nina Nova",
    "password": "copper violin meadow 71",
    "phone_country": "DE",
    "phone": "0151 23456789",
    "time_zone": "Europe/Berlin",
    "terms": "on",
    "personal_data": "on",
}
GONE = "This invitation cannot be used"


@pytest.fixture
def world() -> Tree:
    return a_tree()


@pytest.fixture
def own(world: Tree) -> Scope:
    return scope_as(employ(world.acme.id, "ann@example.com", "Ann Acre"))


def opened(token: str, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.get(f"/invitation/{token}", follow=True)


def sms_code() -> str:
    row = Dispatch.objects.filter(channel="sms").order_by("-id")[0]
    found = re.search(r"\b(\d{3})[ -]?(\d{3})\b", unseal(row.sealed_body))
    assert found is not None
    return found[1] + found[2]


def test_the_link_in_the_mail_is_an_address_of_ours() -> None:
    assert reverse("portal:invitation_link", args=["x"]) == f"{INVITATION_PATH}x"


def test_a_newcomer_chooses_a_password_confirms_the_phone_and_works_there(own: Scope) -> None:
    _, token = an_invitation(own, role="finance")
    client, page = opened(token)
    assert page.redirect_chain == [("/invitation", 302)]
    assert "Ann Acre invites you to work for Acme in Twin. Your role: finance." in page.text
    assert 'value="nina@example.org"' in page.text
    assert token not in page.text
    assert client.post("/invitation", DETAILS)["Location"] == "/registration/phone"
    assert not get_user_model().objects.filter(email="nina@example.org").exists()
    finished = client.post("/registration/phone", {"code": sms_code()}, follow=True)
    assert finished.redirect_chain[-1][0] == "/login"
    assert "You are registered." in finished.text
    nina = get_user_model().objects.get(email="nina@example.org")
    assert (nina.name, nina.phone, nina.time_zone) == ("Nina Nova", "+4915123456789", "Europe/Berlin")
    assert {one.kind for one in consents_of(nina.pk)} == {"terms", "personal_data"}
    employment = access.employment_of(nina)
    assert employment is not None
    assert (employment.company_name, employment.role) == ("Acme", "finance")
    assert GONE in opened(token)[1].text
    entered = client.post("/login", {"login": "nina@example.org", "password": DETAILS["password"]})
    assert entered.status_code == 302


def test_a_newcomer_needs_everything_that_registration_needs(own: Scope) -> None:
    _, token = an_invitation(own)
    client, _ = opened(token)
    for field in ("name", "password", "phone", "time_zone", "terms", "personal_data"):
        assert client.post("/invitation", {**DETAILS, field: ""}).status_code == 422, field
    for weak in ("short-1", "passwordpassword", "nina@example.org"):
        assert client.post("/invitation", {**DETAILS, "password": weak}).status_code == 422
    assert Dispatch.objects.filter(channel="sms").count() == 0


def test_a_form_cannot_name_address_role_or_company(own: Scope, world: Tree) -> None:
    _, token = an_invitation(own, role="chat_operator")
    client, _ = opened(token)
    forged = {
        "email": "eve@example.org",
        "role": "administrator",
        "company": world.dune.id,
        "company_id": world.dune.id,
    }
    client.post("/invitation", {**DETAILS, **forged})
    client.post("/registration/phone", {"code": sms_code(), **forged})
    assert not get_user_model().objects.filter(email="eve@example.org").exists()
    employment = access.employment_of(get_user_model().objects.get(email="nina@example.org"))
    assert employment is not None
    assert (employment.company_id, employment.role) == (world.acme.id, "chat_operator")


def test_an_invitation_that_died_before_the_code_gives_a_company_of_their_own(own: Scope) -> None:
    invitation, token = an_invitation(own)
    client, _ = opened(token)
    client.post("/invitation", DETAILS)
    actions.withdraw_invitation(own, company_id=own.organisation_id, invitation_id=invitation.id)
    finished = client.post("/registration/phone", {"code": sms_code()}, follow=True)
    assert "Your invitation can no longer be used." in finished.text
    nina = get_user_model().objects.get(email="nina@example.org")
    employment = access.employment_of(nina)
    assert employment is not None
    assert employment.company_id != own.organisation_id
    # Invited again, the person leaves the empty company behind.
    _, token = an_invitation(own)
    client, _ = opened(token)
    assert client.post("/invitation", {"password": DETAILS["password"]})["Location"] == "/login"
    moved = access.employment_of(nina)
    assert moved is not None
    assert moved.company_id == own.organisation_id


@pytest.mark.parametrize("how", ["unknown", "not whole", "used", "expired", "withdrawn", "inviter gone"])
def test_every_dead_link_gets_the_same_page(own: Scope, how: str) -> None:
    invitation, token = an_invitation(own)
    later = clock.now()
    if how == "unknown":
        token = "A" * 43
    elif how == "not whole":
        token = token[:-1]
    elif how == "used":
        nina = a_person("nina@example.org")
        actions.accept_invitation(token=token, user_id=nina.pk)
    elif how == "expired":
        later += timedelta(days=8)
    elif how == "withdrawn":
        actions.withdraw_invitation(own, company_id=own.organisation_id, invitation_id=invitation.id)
    else:
        get_user_model().objects.filter(email="ann@example.com").update(is_active=False)
    with time_machine.travel(later):
        _, page = opened(token)
    assert page.status_code == 404
    assert GONE in page.text
    assert "Acme" not in page.text


def test_without_a_link_there_is_no_invitation() -> None:
    assert Client().get("/invitation").status_code == 404
    assert Client().post("/invitation", DETAILS).status_code == 404


def test_opening_the_link_uses_nothing_up(own: Scope) -> None:
    _, token = an_invitation(own)
    for _ in range(3):
        opened(token)
    assert Client().post(f"/invitation/{token}").status_code == 405
    assert access.offer_behind(token) is not None


def free_nina(world: Tree) -> Any:
    """She has an account and worked for Birch once."""
    nina = employ(world.birch.id, "nina@example.org", "Nina", "finance")
    actions.remove_employee(world.twin, company_id=world.birch.id, person_id=nina.pk)
    return nina


def test_an_existing_person_joins_with_their_password_and_is_not_signed_in_by_it(own: Scope, world: Tree) -> None:
    nina = free_nina(world)
    _, token = an_invitation(own)
    client, page = opened(token)
    assert "Enter its password to join" in page.text
    wrong = client.post("/invitation", {"password": "not-the-right-one-1"})
    assert wrong.status_code == 422
    assert "This is not the password of that account." in wrong.text
    assert access.employment_of(nina) is None
    assert client.post("/invitation", {"password": PASSWORD})["Location"] == "/login"
    assert "_auth_user_id" not in client.session
    assert access.employment_of(nina) is not None


def test_guessing_the_password_there_is_limited_as_at_the_sign_in(own: Scope, world: Tree) -> None:
    free_nina(world)
    _, token = an_invitation(own)
    client, _ = opened(token)
    answers = [client.post("/invitation", {"password": f"guess-number-{n}"}).status_code for n in range(12)]
    assert 429 in answers
    assert client.post("/invitation", {"password": PASSWORD}).status_code == 429
    assert access.offer_behind(token) is not None


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_who_just_registered_joins_with_a_click(own: Scope, world: Tree) -> None:
    nina = get_user_model().objects.create_user("nina@example.org", PASSWORD, name="Nina")
    shell = a_company(world.twin, "Nina")
    actions.add_employee(world.twin, user=nina, company_id=shell.id, role="administrator")
    _, token = an_invitation(own)
    client, page = opened(token, signed_in(nina))
    assert "Join Acme" in page.text
    assert 'type="password"' not in page.text
    assert client.post("/invitation")["Location"] == "/personal-account"
    employment = access.employment_of(nina)
    assert employment is not None
    assert employment.company_id == world.acme.id
    assert queries.get_company(world.twin, shell.id).state == "closed"


def test_who_works_elsewhere_is_told_so_and_stays(own: Scope, world: Tree) -> None:
    nina = employ(world.dune.id, "nina@example.org", "Nina")
    _, token = an_invitation(own)
    client, page = opened(token, signed_in(nina))
    assert "You work for Dune in Twin." in page.text
    assert "You work for Dune in Twin." in client.post("/invitation").text
    stranger, _ = opened(token)
    refused = stranger.post("/invitation", {"password": PASSWORD})
    assert refused.status_code == 422
    assert "You work for another company in Twin already." in refused.text
    employment = access.employment_of(nina)
    assert employment is not None
    assert employment.company_id == world.dune.id


def test_somebody_else_who_is_signed_in_cannot_take_it(own: Scope, world: Tree) -> None:
    eve = employ(world.echo.id, "eve@example.org", "Eve")
    _, token = an_invitation(own)
    client, page = opened(token, signed_in(eve))
    assert "This invitation is for nina@example.org" in page.text
    assert "This invitation is for nina@example.org" in client.post("/invitation").text
    assert access.offer_behind(token) is not None


def test_another_registration_in_the_same_browser_takes_no_invitation(own: Scope) -> None:
    _, token = an_invitation(own)
    client, _ = opened(token)
    client.post("/registration", {**DETAILS, "email": "eve@example.org"})
    mail = Dispatch.objects.filter(channel="mail", recipient="eve@example.org").order_by("-id")[0]
    found = re.search(r"\b(\d{3})[ -]?(\d{3})\b", unseal(mail.sealed_body))
    assert found is not None
    client.post("/registration/email", {"code": found[1] + found[2]})
    client.post("/registration/phone", {"code": sms_code()})
    employment = access.employment_of(get_user_model().objects.get(email="eve@example.org"))
    assert employment is not None
    assert employment.company_id != own.organisation_id
    assert access.offer_behind(token) is not None
