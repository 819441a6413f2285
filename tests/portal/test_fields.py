"""What password managers and phones find at the fields of the pages outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from tests.portal.newcomer import Newcomer, found_platform
from twin.kernel.period import offered_zones, zone_called
from twin.portal.fields import region_of
from twin.portal.legal import TEXTS

pytestmark = pytest.mark.database


def tag_of(page: str, name: str) -> str:
    [tag] = re.findall(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', page)
    return str(tag)


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        ("/login", "login", ['type="email"', 'autocomplete="username"']),
        ("/login", "password", ['type="password"', 'autocomplete="current-password"']),
        ("/registration", "name", ['autocomplete="name"']),
        ("/registration", "email", ['type="email"', 'autocomplete="email"']),
        ("/registration", "password", ['type="password"', 'autocomplete="new-password"']),
        ("/registration", "phone", ['type="tel"', 'autocomplete="tel"']),
        ("/recovery", "email", ['type="email"', 'autocomplete="email"']),
    ],
)
def test_fields_say_what_they_are_for(path: str, name: str, words: list[str]) -> None:
    tag = tag_of(Client().get(path).text, name)

    for word in words:
        assert word in tag
    assert "onpaste" not in tag
    assert "maxlength" not in tag or name != "password"


def test_code_fields_take_the_code_the_phone_offers() -> None:
    found_platform()
    newcomer = Newcomer()
    newcomer.give_details()

    assert 'autocomplete="one-time-code"' in tag_of(newcomer.client.get("/registration/email").text, "code")


def test_problems_and_hints_are_tied_to_their_fields() -> None:
    page = Client().post("/registration", {}).text

    assert 'aria-invalid="true"' in tag_of(page, "email")
    assert 'aria-describedby="id_email_hint id_email_problem"' in tag_of(page, "email")
    assert 'id="id_email_hint"' in page
    assert 'id="id_email_problem"' in page


@pytest.mark.parametrize(
    ("accepted", "country"),
    [("de-AT,de;q=0.9", "AT"), ("en,ru-RU;q=0.5", "RU"), ("en-AU", ""), ("", ""), ("x" * 5000, ""), (";;,--", "")],
)
def test_the_country_is_guessed_from_the_browser(accepted: str, country: str) -> None:
    assert region_of(accepted, ["AT", "DE", "RU"]) == country


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("europe/berlin", "Europe/Berlin"),
        (" Berlin ", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        ("Louisville", "America/Louisville"),
        ("istanbul", "Europe/Istanbul"),
        ("Etc/GMT+3", "Etc/GMT+3"),
        # Three hours behind by that name, three ahead to whoever types it.
        ("GMT+3", None),
        ("", None),
        ("posixrules", None),
        ("../Berlin", None),
    ],
)
def test_a_zone_is_found_by_its_name_or_its_city(text: str, zone: str | None) -> None:
    assert zone_called(text) == zone


def test_a_city_under_two_regions_is_one_clock() -> None:
    years = [datetime(year, month, 1, tzinfo=UTC) for year in range(2020, 2031) for month in range(1, 13)]
    for name in offered_zones():
        meant = zone_called(name.rpartition("/")[2])
        assert meant is not None
        assert [ZoneInfo(meant).utcoffset(each) for each in years] == [ZoneInfo(name).utcoffset(each) for each in years]


@pytest.mark.parametrize("kind", sorted(TEXTS))
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_legal_texts_stand_in_both_languages_with_their_version(kind: str, language: str) -> None:
    page = Client(headers={"accept-language": language}).get(f"/legal/{kind}").text

    assert TEXTS[kind].version in page
    assert ("Changes" in page or "Cookies" in page) == (language == "en")


@pytest.mark.parametrize("path", ["/legal/other", "/legal/terms/1999-01-01", "/legal/terms/..%2f..%2fsecrets"])
def test_there_are_no_other_legal_texts(path: str) -> None:
    assert Client().get(path).status_code == 404


def test_home_leads_to_registration_and_the_personal_account() -> None:
    page = Client().get("/").text

    assert 'href="/personal-account"' in page
    assert 'href="/registration"' in page


def test_the_demonstration_says_where_mails_and_sms_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.kernel.demonstration.is_open", lambda: False)
    assert "/outbox" not in Client().get("/registration").text
    monkeypatch.setattr("twin.kernel.demonstration.is_open", lambda: True)
    assert '<a href="/outbox" target="_blank">outbox</a>' in Client().get("/registration").text
