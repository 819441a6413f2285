"""Administrators of the platform and of resellers need a second factor; seven days they may put it off."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.test import Client

from tests.portal.people import PASSWORD, employ
from tests.portal.security_clients import events, set_up_app
from tests.world import World
from twin.companies.access import platform_scope
from twin.companies.actions import add_employee
from twin.companies.types import Role

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
BEGIN = "2026-11-22T10:00:00Z"
DAY = 24 * 3600
BANNER = "You need a second factor"


_NUMBERS = count(1)


@pytest.fixture
def world(small_world: World, quick_passwords: None) -> World:
    """Nobody changes it but by hiring, each test its own people."""
    return small_world


def someone(world: World, company: str, role: Role = "administrator", **fields: Any) -> str:
    email = f"person{next(_NUMBERS)}@example.net"
    user = employ(world.parties[company].id, email, "Una Used", role)
    get_user_model().objects.filter(pk=user.pk).update(**fields)
    return email


def enter(email: str) -> Client:
    client = Client()
    client.post("/login", {"login": email, "password": PASSWORD})
    return client


@pytest.mark.parametrize("company", ["twin", "rhea"])
def test_a_banner_names_the_day_and_after_it_only_the_set_up_is_open(world: World, company: str) -> None:
    email = someone(world, company)
    with time_machine.travel(BEGIN, tick=False) as clock:
        assert f"{BANNER}. From 29 Nov 2026 on" in enter(email).get("/security").text
        clock.shift(7 * DAY - 1)
        client = enter(email)
        assert client.get("/reports/reseller-companies", follow=True).status_code == 200
        clock.shift(1)
        for address in ("/reports/reseller-companies", "/personal-account", "/security", "/company", "/users", "/"):
            assert client.get(address)["Location"] == "/security/second-factor", address
        assert client.post("/security/profile", {"name": "X"})["Location"] == "/security/second-factor"
        page = client.get("/security/second-factor")
        assert page.status_code == 200
        assert "Nothing else can be opened" in page.text
        client = enter(email)
        set_up_app(client)
        assert client.get("/security/recovery-codes").status_code == 200
        assert client.get("/security").status_code == 200
        assert BANNER not in client.get("/security").text


def test_everybody_can_still_sign_out_and_choose_a_language(world: World) -> None:
    email = someone(world, "rhea")
    with time_machine.travel(BEGIN, tick=False) as clock:
        enter(email).get("/security")
        clock.shift(8 * DAY)
        client = enter(email)
        client.post("/preferences/language", {"language": "ru", "next": "/security/second-factor"})
        assert "второй фактор" in client.get("/security/second-factor").text
        assert client.post("/logout")["Location"] == "/login"


@pytest.mark.parametrize(
    ("company", "role"),
    [("acme", "administrator"), ("rhea", "finance"), ("rhea", "chat_operator"), ("twin", "finance")],
)
def test_others_may_choose(world: World, company: str, role: Role) -> None:
    email = someone(world, company, role)
    with time_machine.travel(BEGIN, tick=False) as clock:
        assert BANNER not in enter(email).get("/security").text
        clock.shift(100 * DAY)
        client = enter(email)
        assert client.get("/security").status_code == 200
        assert "/security/authenticator" in client.get("/security").text
    assert get_user_model().objects.get(email=email).second_factor_since is None


def test_the_days_begin_anew_for_whoever_comes_to_the_role_again(world: World) -> None:
    email = someone(world, "rhea")
    someone(world, "rhea")
    people = get_user_model().objects
    with time_machine.travel(BEGIN, tick=False) as clock:
        enter(email).get("/security")
        employ_again(world, email, "finance")
        clock.shift(30 * DAY)
        enter(email).get("/security")
        assert people.get(email=email).second_factor_since is None
        employ_again(world, email, "administrator")
        assert f"{BANNER}. From 29 Dec 2026 on" in enter(email).get("/security").text


def employ_again(world: World, email: str, role: Role) -> None:
    user = get_user_model().objects.get(email=email)
    add_employee(platform_scope(), user=user, company_id=world.parties["rhea"].id, role=role)


def test_the_last_factor_of_whoever_needs_one_stays_after_the_days_of_grace(world: World) -> None:
    email = someone(world, "rhea")
    with time_machine.travel(BEGIN, tick=False) as clock:
        client = enter(email)
        client.get("/security")
        clock.shift(8 * DAY)
        client = enter(email)
        set_up_app(client)
        [app] = app_ids(email)
        assert "Add another one first" in client.get(f"/security/second-factor/{app}/remove").text
        assert (
            "add another one before you remove"
            in client.post(f"/security/second-factor/{app}/remove", follow=True).text
        )
        assert app_ids(email) == [app]


def app_ids(email: str) -> list[int]:
    return list(Authenticator.objects.filter(type="totp", user__email=email).values_list("pk", flat=True))


def test_people_of_the_demonstration_are_never_asked(world: World) -> None:
    email = someone(world, "rhea", second_factor_exempt=True)
    with time_machine.travel(BEGIN, tick=False) as clock:
        assert BANNER not in enter(email).get("/security").text
        clock.shift(100 * DAY)
        assert enter(email).get("/security").status_code == 200


def test_a_company_can_demand_one_of_everybody(world: World) -> None:
    boss, operator = someone(world, "strand"), someone(world, "strand", "chat_operator")
    elsewhere = someone(world, "acme", "chat_operator")
    with time_machine.travel(BEGIN, tick=False) as clock:
        assert "/security/second-factor/everybody" not in enter(operator).get("/security").text
        assert enter(operator).post("/security/second-factor/everybody", {"demanded": "yes"}).status_code == 404
        client = enter(boss)
        page = client.post("/security/second-factor/everybody", {"demanded": "yes"}, follow=True).text
        assert "Everybody at Strand needs a second factor now, and has 7 days to set it up." in page
        assert f"{BANNER}. From 29 Nov 2026 on" in enter(operator).get("/security").text
        assert BANNER not in enter(elsewhere).get("/security").text
        clock.shift(7 * DAY)
        assert enter(operator).get("/security")["Location"] == "/security/second-factor"
        assert enter(elsewhere).get("/security").status_code == 200
        client = enter(boss)
        set_up_app(client)
        client.post("/security/second-factor/everybody", {"demanded": "no"})
        assert BANNER not in enter(operator).get("/security").text
        assert client.post("/security/second-factor/everybody", {"demanded": "perhaps"}).status_code == 404
    assert [event.event for event in demands()] == ["second_factor_demanded", "second_factor_left_open"]


def demands() -> list[Any]:
    return [*events("second_factor_demanded"), *events("second_factor_left_open")]


def test_the_days_of_grace_are_a_setting(world: World, settings: Any) -> None:
    settings.SECOND_FACTOR_GRACE_DAYS = 0
    client = enter(someone(world, "rhea"))
    assert client.get("/personal-account")["Location"] == "/security/second-factor"


def test_keys_go_on_working_meanwhile(world: World) -> None:
    email = someone(world, "rhea")
    with time_machine.travel(BEGIN, tick=False) as clock:
        client = enter(email)
        client.get("/security")
        clock.shift(8 * DAY)
        client = enter(email)
        assert client.get("/api/v1/companies", headers=world.rhea.bearer).status_code == 200
