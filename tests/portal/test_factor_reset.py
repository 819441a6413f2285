"""App, passkeys and codes lost: staff start the way back, only the person can finish it."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.test import Client

from tests.portal.people import PASSWORD, employ
from tests.portal.security_clients import app_code, code_sent, is_signed_in, mails, set_up_app, sign_in, text_of
from tests.world import World
from twin.companies.types import Role
from twin.kernel import clock

_NUMBERS = count(1)


@pytest.fixture
def world(small_world: World, quick_passwords: None) -> World:
    return small_world


def someone(world: World, company: str, role: Role = "administrator") -> Any:
    return employ(world.parties[company].id, f"reset{next(_NUMBERS)}@example.net", "Lou Lost", role)


@pytest.fixture
def lost(world: World) -> Any:
    """An operator of Acme with an app on a phone that is gone, and a confirmed number."""
    user = someone(world, "acme", "chat_operator")
    number = f"+491512345{user.pk % 10_000:04d}"
    get_user_model().objects.filter(pk=user.pk).update(phone=number, phone_verified_at=clock.now())
    set_up_app(sign_in(user.email))
    user.refresh_from_db()
    return user


def ask_for(lost: Any, world: World, by: Client) -> Any:
    return by.post(f"/users/{world.parties['acme'].id}/{lost.pk}/second-factor")


def link_sent(lost: Any) -> str:
    [mail] = mails(lost.email, "factor_recovery")
    found = re.search(r"http://localhost:8000(/second-factor-reset/\S+)", text_of(mail))
    assert found is not None
    return found[1]


def factors(user: Any) -> list[str]:
    return sorted(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))


def test_with_link_password_and_phone_the_person_removes_the_factor(lost: Any, world: World) -> None:
    elsewhere = sign_in(lost.email)
    assert ask_for(lost, world, sign_in(someone(world, "acme").email)).status_code == 302
    assert factors(lost) == ["recovery_codes", "totp"]
    client = Client()
    link = link_sent(lost)
    assert client.get(link)["Location"] == "/second-factor-reset"
    assert client.post("/second-factor-reset", {"password": "something-else-entirely-1"}).status_code == 422
    assert client.post("/second-factor-reset", {"password": PASSWORD})["Location"] == "/second-factor-reset/code"
    assert client.post("/second-factor-reset/code", {"code": "000000"}).status_code == 422
    assert factors(lost) == ["recovery_codes", "totp"]
    code = code_sent_by_sms(lost)
    answer = client.post("/second-factor-reset/code", {"code": code})
    assert answer["Location"] == "/login"
    assert factors(lost) == []
    assert not is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(sign_in(lost.email))
    assert "Your second factor was removed" in [mail.subject for mail in mails(lost.email)]
    assert Client().get(link, follow=True).status_code == 404


def code_sent_by_sms(lost: Any) -> str:
    return code_sent(lost.phone)


def test_staff_can_start_it_but_see_no_link_and_remove_nothing(lost: Any, world: World) -> None:
    for company in ("acme", "twin"):
        staff = sign_in(someone(world, company).email)
        shown = f"/users/{world.parties['acme'].id}/{lost.pk}"
        assert f'action="{shown}/second-factor"' in staff.get(shown).text
        assert ask_for(lost, world, staff)["Location"] == shown
        assert "second-factor-reset" not in staff.get("/security").text
    assert factors(lost) == ["recovery_codes", "totp"]


def test_nobody_else_can_start_it(lost: Any, world: World) -> None:
    for user in (someone(world, "rhea"), someone(world, "strand"), someone(world, "acme", "finance"), lost):
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        asked = ask_for(lost, world, client)
        assert asked["Location"].startswith("/security/confirm")
        answer = client.post(asked["Location"], {"password": PASSWORD, "next": asked.wsgi_request.path})
        assert answer.status_code == 404, user.email
    assert ask_for(lost, world, Client())["Location"].startswith("/login?")
    assert mails(lost.email, "factor_recovery") == []


def test_the_link_dies_after_an_hour_and_when_the_factor_is_used_after_all(lost: Any, world: World) -> None:
    staff = someone(world, "acme").email
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        secret = set_up_anew(lost)
        traveller.shift(60)
        ask_for(lost, world, sign_in(staff))
        link = link_sent(lost)
        assert Client().get(link, follow=True).status_code == 200
        back = sign_in(lost.email)
        back.post("/login/second-factor", {"code": app_code(secret)})
        assert is_signed_in(back)
        assert Client().get(link, follow=True).status_code == 404


def test_an_old_link_is_dead(lost: Any, world: World) -> None:
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False) as traveller:
        ask_for(lost, world, sign_in(someone(world, "acme").email))
        link = link_sent(lost)
        traveller.shift(3601)
        assert Client().get(link, follow=True).status_code == 404


def set_up_anew(lost: Any) -> str:
    """The same person with an app whose secret is known here."""
    Authenticator.objects.filter(user_id=lost.pk).delete()
    return set_up_app(sign_in(lost.email))


@pytest.mark.parametrize("key", ["x", "1-abc-def", "zzzzzzzzzzzzzz-1", "-", "1-", "%00", "0-0-0"])
def test_made_up_links_lead_nowhere(world: World, key: str) -> None:
    assert Client().get(f"/second-factor-reset/{key}", follow=True).status_code == 404
    assert Client().get("/second-factor-reset").status_code == 404
    assert Client().get("/second-factor-reset/code").status_code == 404


def test_guessing_the_password_is_stopped_after_five(lost: Any, world: World) -> None:
    ask_for(lost, world, sign_in(someone(world, "acme").email))
    client = Client()
    client.get(link_sent(lost))
    statuses = [client.post("/second-factor-reset", {"password": f"guess {n}"}).status_code for n in range(6)]
    assert statuses == [422] * 5 + [429]


def test_without_a_confirmed_phone_link_and_password_are_enough(lost: Any, world: World) -> None:
    get_user_model().objects.filter(pk=lost.pk).update(phone="", phone_verified_at=None)
    ask_for(lost, world, sign_in(someone(world, "acme").email))
    client = Client()
    client.get(link_sent(lost))
    assert client.post("/second-factor-reset", {"password": PASSWORD})["Location"] == "/login"
    assert factors(lost) == []
