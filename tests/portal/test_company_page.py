"""The company information window: who is held by it, what it keeps, what two people at once are told."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.informing import ELBTAL, inform
from tests.world import World, key_of
from twin.companies.access import platform_scope, scope_for_person
from twin.companies.actions import add_employee, save_information, update_company
from twin.companies.queries import company_information, open_invitations, own_information_draft
from twin.companies.types import Company, CompanyInformation, Role, Scope
from twin.pricing.actions import create_company

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
FORM = {**ELBTAL, "name": "Elbtal Energie GmbH", "version": "0"}
PASSWORD = "harbour-lantern-quiet-41"


@cache
def password_hash() -> str:
    """Hashed once: people of these tests share it."""
    return make_password(PASSWORD)


@dataclass(frozen=True)
class Person:
    """Somebody at a company, and their browser."""

    client: Client
    scope: Scope
    email: str

    @property
    def saved(self) -> CompanyInformation:
        return company_information(self.scope, self.scope.organisation_id)

    def sign_in(self) -> None:
        self.client.logout()
        answer = self.client.post("/login", {"login": self.email, "password": PASSWORD})
        assert answer.status_code == 302


@pytest.fixture
def company(small_world: World) -> Company:
    """A company beneath Rhea that has told nothing yet."""
    return create_company(small_world.rhea.scope, name="Newcomer", kind="company", time_zone="Europe/Berlin")


def person_at(company_id: int, role: Role = "administrator", name: str = "Ann Acre") -> Person:
    """A new person of the company, signed in."""
    email = f"{name.partition(' ')[0].lower()}.{role}@c{company_id}.example"
    user = get_user_model().objects.create(email=email, password=password_hash(), name=name)
    add_employee(platform_scope(), user=user, company_id=company_id, role=role)
    client = Client()
    client.force_login(user, backend=BACKEND)
    scope = scope_for_person(user)
    assert scope is not None
    return Person(client, scope, email)


@pytest.fixture
def ann(company: Company) -> Person:
    return person_at(company.id)


@pytest.fixture
def bob(company: Company) -> Person:
    return person_at(company.id, name="Bob Bell")


# The gate --------------------------------------------------------------------------------------------------------

PLACES = ("/", "/personal-account", "/reports/reseller-companies", "/users", "/security", "/companies", "/nowhere")


@pytest.mark.parametrize("kind", ["company", "reseller"])
def test_no_other_page_is_reached_before_the_window_is_complete(small_world: World, kind: str) -> None:
    company = create_company(small_world.rhea.scope, name="Newcomer", kind=kind, time_zone="UTC")
    ann = person_at(company.id)
    for place in PLACES:
        assert ann.client.get(place)["Location"] == "/company", place
        assert ann.client.post(place, {})["Location"] == "/company", place
    inform(company.id)
    for place in PLACES:
        assert ann.client.get(place).get("Location") != "/company", place


def test_the_window_opens_after_every_sign_in_until_then(ann: Person) -> None:
    for _turn in range(2):
        assert ann.client.get("/personal-account", follow=True).redirect_chain == [("/company", 302)]
        ann.client.post("/logout")
        ann.sign_in()


def test_leaving_and_the_looks_of_pages_stay_open(ann: Person) -> None:
    client = ann.client
    assert client.post("/preferences/language", {"language": "ru", "next": "/company"})["Location"] == "/company"
    assert client.post("/preferences/theme", {"theme": "dark", "next": "/company"})["Location"] == "/company"
    assert client.get("/legal/terms").status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.post("/logout")["Location"] == "/login"


def test_keys_of_the_company_go_on_working_also_beside_a_session(ann: Person) -> None:
    bearer = {"authorization": f"Bearer {key_of(ann.scope.organisation_id)}"}
    for client in (Client(), ann.client):
        assert client.get("/api/v1/companies", headers=bearer).status_code == 200


def test_platform_staff_are_not_held_and_have_the_window(small_world: World) -> None:
    staff = person_at(small_world.twin.id)
    assert staff.client.get("/reports/reseller-companies").get("Location") != "/company"
    assert "Company information" in staff.client.get("/company").text


def test_people_of_a_blocked_company_are_told_that_instead(ann: Person) -> None:
    update_company(platform_scope(), ann.scope.organisation_id, state="blocked", reason="unpaid")
    assert ann.client.get("/personal-account").status_code == 200
    assert ann.client.get("/company")["Location"] == "/personal-account"


@pytest.mark.parametrize("role", ["finance", "chat_operator"])
def test_who_may_not_edit_is_told_who_must(ann: Person, role: Role) -> None:
    employee = person_at(ann.scope.organisation_id, role, "Eve Even")
    assert employee.client.get("/personal-account")["Location"] == "/company"
    page = employee.client.get("/company")
    assert ann.email in page.text
    assert "Save company" not in page.text
    for address in WRITES:
        assert employee.client.post(address, FORM).status_code == 404
    assert ann.saved.version == 0
    inform(ann.scope.organisation_id)
    assert employee.client.get("/company").status_code == 404


WRITES = ("/company", "/company/draft", "/company/draft/discard", "/company/employees")


def test_strangers_are_sent_to_the_sign_in(small_world: World) -> None:
    for address in WRITES:
        assert Client().post(address, FORM)["Location"] == f"/login?next={address}"


def test_a_complete_company_costs_one_look_up_at_the_gate(ann: Person) -> None:
    inform(ann.scope.organisation_id)
    ann.client.get("/personal-account")
    with CaptureQueriesContext(connections["default"]) as asked:
        ann.client.get("/personal-account")
    about = [query["sql"] for query in asked if "companies_" in query["sql"]]
    assert len([sql for sql in about if "companies_employments_of" in sql]) == 1
    assert not [sql for sql in about if "companies_information" in sql]


# Filling it ------------------------------------------------------------------------------------------------------


def test_the_whole_form_is_saved_and_twin_opens(ann: Person) -> None:
    answer = ann.client.post("/company", FORM)
    assert answer["Location"] == "/personal-account"
    assert ann.client.get("/personal-account").get("Location") != "/company"
    saved = ann.saved
    assert (saved.is_complete, saved.values["name"]) == (True, "Elbtal Energie GmbH")
    page = ann.client.get("/company").text
    assert "DE89 3704 0044 0532 0130 00" in page
    assert "+49 351 5550120" in page


def test_a_wrong_form_names_each_field_and_keeps_what_was_typed(ann: Person) -> None:
    answer = ann.client.post("/company", {**FORM, "iban": "DE89 3704 0044 0532 0130 01", "legal_postal_code": "1067"})
    assert answer.status_code == 422
    assert "The check digit does not match" in answer.text
    assert "Enter 5 digits." in answer.text
    assert 'aria-describedby="iban-problem"' in answer.text
    assert ann.saved.version == 0
    # Also after signing out and in again.
    ann.sign_in()
    page = ann.client.get("/company").text
    assert "Elbtal Energie GmbH" in page
    assert "Discard draft" in page


def test_the_name_given_at_registration_is_not_offered_as_the_companys(ann: Person, company: Company) -> None:
    update_company(platform_scope(), company.id, name="Ann Acre")
    with connections["owner"].cursor() as cursor:
        cursor.execute("delete from companies_informationchange")
        cursor.execute("delete from companies_information")
    page = ann.client.get("/company").text
    assert 'name="name" id="id_name" value=""' in page
    assert f'value="{ann.email}"' in page
    assert ann.saved.values["name"] == "Ann Acre"


@pytest.mark.parametrize(
    ("country", "shown", "hidden"),
    [
        ("RU", {"inn", "kpp", "ogrn", "bik", "correspondent_account"}, {"vat_number", "ein", "iban"}),
        ("DE", {"vat_number", "iban", "bic"}, {"inn", "utr", "aba"}),
        ("GB", {"vat_number", "iban", "bic", "utr"}, {"inn", "ein"}),
        ("US", {"ein", "aba", "duns"}, {"iban", "inn", "utr"}),
        ("KZ", {"registration_number", "bank", "account"}, {"inn", "iban", "vat_number", "ein"}),
    ],
)
def test_the_country_decides_which_details_are_asked_for(
    ann: Person, country: str, shown: set[str], hidden: set[str]
) -> None:
    ann.client.post("/company/draft", {"version": "0", "country": country, "inn": "7707083893", "iban": "DE00"})
    fields = ann.client.get("/company").context["page"].f
    assert {name for name in shown | hidden if not fields[name].is_hidden} == shown
    # What was typed for another country stays.
    assert (fields["inn"].value, fields["iban"].value) == ("7707083893", "DE00")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '" onfocus="x', "a\0b", "\u202egnp", "я" * 9999])
def test_hostile_values_are_shown_as_text_or_refused_never_an_error(ann: Person, hostile: str) -> None:
    sent = {**FORM, "name": hostile, "version": "1e9"}
    answer = ann.client.post("/company", sent)
    assert answer.status_code in (302, 422)
    page = ann.client.get("/company").text
    assert "<script>alert" not in page
    assert 'value="" onfocus' not in page


def test_unknown_fields_change_nothing(ann: Person) -> None:
    ann.client.post("/company", {**FORM, "company_id": "1", "state": "closed", "kind": "platform", "is_complete": "no"})
    assert ann.saved.is_complete
    assert scope_for_person(get_user_model().objects.get(pk=ann.scope.person_id or 0)) == ann.scope


# Drafts ----------------------------------------------------------------------------------------------------------


def test_a_script_keeps_what_is_typed(ann: Person) -> None:
    typed = {"version": "0", "name": "Half", "country": "DE"}
    answer = ann.client.post("/company/draft", typed, headers={"accept": "application/json"})
    assert (answer.status_code, answer.content) == (204, b"")
    draft = own_information_draft(ann.scope)
    assert draft is not None
    assert draft.typed["name"] == "Half"


def test_without_script_the_button_of_the_country_keeps_and_shows(ann: Person) -> None:
    answer = ann.client.post("/company/draft", {"version": "0", "name": "Half", "country": "RU"})
    assert answer["Location"] == "/company#details"
    assert ann.client.get("/company/draft")["Location"] == "/company"


def test_a_form_that_says_what_is_saved_is_no_draft(ann: Person) -> None:
    ann.client.post("/company", FORM)
    ann.client.post("/company/draft", {**FORM, "version": "1"})
    assert own_information_draft(ann.scope) is None


def test_a_discarded_draft_is_gone(ann: Person) -> None:
    ann.client.post("/company/draft", {"version": "0", "name": "Half"})
    assert ann.client.post("/company/draft/discard")["Location"] == "/company"
    assert own_information_draft(ann.scope) is None


def test_one_persons_draft_is_not_shown_to_another(ann: Person, bob: Person) -> None:
    ann.client.post("/company/draft", {"version": "0", "name": "Secret half"})
    assert "Secret half" not in bob.client.get("/company").text


# Two at once -----------------------------------------------------------------------------------------------------


def test_the_second_save_is_told_who_changed_what_and_sees_both_values(ann: Person, bob: Person) -> None:
    ann.client.post("/company", FORM)
    save_information(
        bob.scope, bob.scope.organisation_id, version=1, values={**FORM, "bank": "Bank of Bob", "phone": "+4930123456"}
    )
    mine = {**FORM, "version": "1", "bank": "Bank of Ann", "legal_street": "Neue Straße 1"}
    answer = ann.client.post("/company", mine)
    assert answer.status_code == 409
    page = answer.context["page"]
    assert "Bob Bell" in answer.text
    assert (page.f["bank"].value, page.f["bank"].meanwhile) == ("Bank of Ann", "Bank of Bob")
    # What only one of them touched is that one's.
    assert page.f["phone"].value == "+49 30 123456"
    assert page.f["legal_street"].value == "Neue Straße 1"
    assert page.version == 2
    assert ann.saved.values["bank"] == "Bank of Bob"
    assert ann.client.post("/company", {**page.values, "version": "2"}).status_code == 302
    assert ann.saved.values["bank"] == "Bank of Ann"
    assert ann.saved.values["phone"] == "+4930123456"


def test_the_other_ones_value_can_be_taken(ann: Person) -> None:
    ann.client.post("/company", FORM)
    ann.client.post("/company", {**FORM, "version": "1", "bank": "Bank of Ann", "theirs_bank": "yes"})
    assert ann.saved.values["bank"] == "Sparkasse Elbtal"


def test_a_draft_meets_what_was_saved_since(ann: Person, bob: Person) -> None:
    ann.client.post("/company", FORM)
    ann.client.post("/company/draft", {**FORM, "version": "1", "bank": "Bank of Ann"})
    save_information(bob.scope, bob.scope.organisation_id, version=1, values={**FORM, "bank": "Bank of Bob"})
    page = ann.client.get("/company").context["page"]
    assert (page.f["bank"].value, page.f["bank"].meanwhile, page.version) == ("Bank of Ann", "Bank of Bob", 2)


# New users -------------------------------------------------------------------------------------------------------


def test_a_new_user_is_invited_as_administrator_and_the_rest_is_kept(ann: Person) -> None:
    ann.sign_in()
    sent = {**FORM, "bank": "Half typed", "new_name": "Mira Schulz", "new_email": "mira@elbtal.example"}
    assert ann.client.post("/company/employees", sent)["Location"] == "/company#employees"
    [invitation] = open_invitations(ann.scope)
    assert (invitation.email, invitation.role) == ("mira@elbtal.example", "administrator")
    page = ann.client.get("/company").text
    assert "mira@elbtal.example" in page
    assert "Half typed" in page


@pytest.mark.parametrize(("name", "email"), [("", "mira@elbtal.example"), ("Mira", "no address"), ("Mira", "")])
def test_an_invitation_that_cannot_be_sent_says_why(ann: Person, name: str, email: str) -> None:
    ann.sign_in()
    answer = ann.client.post("/company/employees", {**FORM, "new_name": name, "new_email": email})
    assert answer.status_code == 422
    assert 'id="new-problem"' in answer.text
    assert open_invitations(ann.scope) == []


def test_inviting_asks_again_who_one_is_and_keeps_no_bank_details_with_the_session(ann: Person) -> None:
    ann.sign_in()
    session = ann.client.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1_000_000_000}]
    session.save()
    sent = {**FORM, "new_name": "Mira", "new_email": "mira@elbtal.example"}
    answer = ann.client.post("/company/employees", sent)
    assert answer["Location"].startswith("/security/confirm")
    assert "DE89" not in str(dict(ann.client.session))
    assert open_invitations(ann.scope) == []
    draft = own_information_draft(ann.scope)
    assert draft is not None
    assert draft.typed["iban"] == FORM["iban"]
    ann.client.post(answer["Location"], {"password": PASSWORD}, follow=True)
    assert [one.email for one in open_invitations(ann.scope)] == ["mira@elbtal.example"]


def test_the_window_is_spoken_in_russian(ann: Person) -> None:
    get_user_model().objects.filter(email=ann.email).update(language="ru")
    page = ann.client.post("/company", {**FORM, "country": "RU", "inn": "770708389", "vat_number": ""})
    assert "В ИНН организации 10 цифр, предпринимателя – 12; здесь знаков: 9." in page.text
    assert ">Россия<" in page.text


def test_half_a_letter_is_refused_not_an_error(ann: Person) -> None:
    body = urlencode(FORM).replace("Elbtal+Energie+GmbH", "%ED%A0%80", 1)
    answer = ann.client.post("/company", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (302, 400, 422)
