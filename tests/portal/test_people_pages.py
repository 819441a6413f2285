from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.portal.people import PASSWORD, People, employ
from tests.world import World
from twin.companies.actions import update_company

SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _people_exist(people: People) -> None:
    """Every test here may sign in."""


def enter(client: Client, email: str, password: str, **fields: str) -> Any:
    return client.post("/login", {"login": email, "password": password, **fields})


def test_home_leads_to_the_personal_account(client: Client) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'href="/personal-account"' in page.text
    assert client.get("/personal-account")["Location"] == "/login?next=/personal-account"


def test_a_reseller_who_signs_in_reaches_the_report(client: Client) -> None:
    answer = enter(client, "rhea@example.com", PASSWORD)
    assert answer["Location"] == "/personal-account"
    assert client.get("/personal-account")["Location"] == "/reports/reseller-companies"


def test_the_letter_case_of_the_email_does_not_matter(client: Client) -> None:
    assert enter(client, "Rhea@Example.COM", PASSWORD).status_code == 302


def test_a_wrong_password_and_an_unknown_email_are_answered_alike(client: Client) -> None:
    wrong = enter(client, "rhea@example.com", "something-else-entirely-1")
    unknown = enter(client, "nobody@example.com", "something-else-entirely-1")
    assert wrong.status_code == unknown.status_code == 200
    sentence = "The email or the password is not right."
    assert sentence in wrong.text
    assert sentence in unknown.text
    assert "_auth_user_id" not in client.session


def test_without_remember_me_the_session_ends_with_the_browser(client: Client) -> None:
    enter(client, "rhea@example.com", PASSWORD)
    assert client.session.get_expire_at_browser_close()


def test_remember_me_keeps_a_person_for_30_days(client: Client) -> None:
    enter(client, "rhea@example.com", PASSWORD, remember="on")
    assert not client.session.get_expire_at_browser_close()
    assert client.session.get_expiry_age() == 30 * 24 * 3600


def test_sign_out_asks_by_get_and_acts_by_post(signed_in: SignIn) -> None:
    client = signed_in("rhea")
    assert "_auth_user_id" in client.session
    assert client.get("/logout").status_code == 200
    assert "_auth_user_id" in client.session
    assert client.post("/logout")["Location"] == "/login"
    assert "_auth_user_id" not in client.session


def test_the_sign_in_page_leads_to_registration_and_recovery(client: Client) -> None:
    page = client.get("/login").text
    assert '<a href="/registration">Registration</a>' in page
    assert '<a href="/recovery">Forget password</a>' in page


def test_sign_ins_of_the_demonstration_are_shown_where_it_is_loaded(client: Client, settings: Any) -> None:
    assert "Demonstration sign-ins" not in client.get("/login").text
    settings.DEMONSTRATION_SIGN_INS = "tests.portal.test_people_pages.made_up_sign_ins"
    page = client.get("/login").text
    assert "Demonstration sign-ins" in page
    assert "<code>demo@example.com</code>" in page


def test_roles_of_the_demonstration_are_said_in_the_language_of_the_page(client: Client, settings: Any) -> None:
    settings.DEMONSTRATION_SIGN_INS = f"{__name__}.one_sign_in"
    assert "Администратор реселлера" in client.get("/login", headers={"accept-language": "ru"}).text


def one_sign_in() -> list[dict[str, str]]:
    return [{"role": "Reseller administrator", "email": "a@b.example", "password": "p", "company": "C"}]


def made_up_sign_ins() -> list[dict[str, str]]:
    return [{"role": "Reseller", "email": "demo@example.com", "password": "shown-here", "company": "Rhea"}]


def test_an_administrator_of_a_company_is_led_to_what_it_used(signed_in: SignIn) -> None:
    answer = signed_in("acme").get("/personal-account")
    assert (answer.status_code, answer.headers["location"]) == (302, "/reports/usage")


def test_a_chat_operator_is_told_why_there_is_nothing(small_world: World) -> None:
    user = employ(small_world.acme.id, "operator@example.com", "Olga Operator", role="chat_operator")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = client.get("/personal-account")
    assert page.status_code == 200
    assert "Nothing here yet for Acme" in page.text
    assert "What you set for yourself is under Security." in page.text
    assert "/reports/" not in page.text


def test_people_of_a_blocked_reseller_see_that_it_is_blocked(small_world: World) -> None:
    user = employ(small_world.strand.id, "blocked@example.com", "Bea Blocked")
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    update_company(small_world.twin.scope, small_world.strand.id, state="blocked", reason="unpaid")
    try:
        assert "Strand is blocked" in client.get("/personal-account").text
        assert client.get("/reports/reseller-companies")["Location"] == "/personal-account"
    finally:
        update_company(small_world.twin.scope, small_world.strand.id, state="active")


def test_language_and_theme_of_strangers_are_kept_in_cookies(client: Client) -> None:
    answer = client.post("/preferences/language", {"language": "ru", "next": "/login"})
    assert answer["Location"] == "/login"
    client.post("/preferences/theme", {"theme": "dark", "next": "/login"})
    page = client.get("/login").text
    assert '<html lang="ru" data-bs-theme="dark">' in page
    assert "Войти" in page


def test_language_and_theme_of_people_are_kept_in_the_account(signed_in: SignIn, people: People) -> None:
    signed_in("sola").post("/preferences/language", {"language": "ru"})
    signed_in("sola").post("/preferences/theme", {"theme": "dark"})
    # Another browser of the same person, with no cookies of these.
    page = signed_in("sola").get("/personal-account", follow=True).text
    assert '<html lang="ru" data-bs-theme="dark">' in page
    assert "Реселлер и компании" in page


def test_a_choice_never_leads_to_another_site(client: Client) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert client.post("/preferences/theme", {"theme": "dark", "next": elsewhere})["Location"] == "/"


def test_unknown_choices_are_refused_and_change_nothing(client: Client) -> None:
    assert client.post("/preferences/theme", {"theme": "pink"}).status_code == 400
    assert client.post("/preferences/language", {"language": "xx"}).status_code == 400
    assert client.get("/preferences/theme").status_code == 405
    assert client.cookies == {}


@pytest.mark.parametrize(("language", "title"), [("en", "There is no such page"), ("ru", "Такой страницы нет")])
def test_a_missing_page_is_said_in_the_language_of_the_browser(client: Client, language: str, title: str) -> None:
    page = client.get("/nowhere", headers={"accept-language": language})
    assert page.status_code == 404
    assert title in page.text


def test_a_missing_api_address_is_answered_to_machines(client: Client) -> None:
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_a_form_without_its_token_is_refused_with_words(people: People) -> None:
    answer = Client(enforce_csrf_checks=True).post("/login", {"login": "rhea@example.com", "password": PASSWORD})
    assert answer.status_code == 403
    assert "This form has expired" in answer.text


def test_too_many_tries_are_answered_with_words(client: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    assert enter(client, "nobody@example.com", "x").status_code == 200
    answer = enter(client, "nobody@example.com", "x")
    assert answer.status_code == 429
    assert "Too many tries" in answer.text


def test_a_failure_of_ours_asks_neither_database_nor_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr("twin.portal.views.people.render", fail)
    client = Client(raise_request_exception=False)
    page = client.get("/", headers={"accept-language": "ru"})
    assert page.status_code == 500
    assert "Что-то сломалось у нас" in page.text


def test_a_foreign_host_name_is_refused_with_words() -> None:
    page = Client().get("/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert "This request cannot be read" in page.text


def test_pages_allow_nothing_from_elsewhere(client: Client) -> None:
    policy = client.get("/login")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
