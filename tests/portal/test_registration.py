"""Registration over HTTP: three steps, in this order only, ending at the sign-in page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.portal.newcomer import (
    DETAILS,
    EMAIL,
    PASSWORD,
    PHONE,
    Newcomer,
    code_to,
    found_platform,
    messages_to,
    other_than,
)
from tests.world import build_world
from twin.accounts.models import Consent, Registration, User
from twin.companies.access import employment_of
from twin.companies.models import Company
from twin.kernel.models import Dispatch
from twin.pricing.models import AssignmentRow, RateCardRow

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are beside the point here, and good hashes take their time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def newcomer(db_clean: object) -> Newcomer:
    found_platform()
    return Newcomer()


def test_the_whole_story_ends_at_the_sign_in_page_with_a_person_and_a_company(newcomer: Newcomer) -> None:
    assert newcomer.give_details().url == "/registration/email"
    assert newcomer.type_email_code().url == "/registration/phone"
    answer = newcomer.type_phone_code()

    assert answer.url == "/login"
    assert "You are registered. Sign in with your email and password." in newcomer.client.get("/login").text
    person = User.objects.get(email=EMAIL)
    assert (person.name, person.phone, person.time_zone) == ("Jonas Weber", PHONE, "Europe/Berlin")
    assert person.phone_verified_at is not None
    work = employment_of(person)
    assert work is not None
    assert (work.company_kind, work.company_name, work.role) == ("company", "Jonas Weber", "administrator")


def test_the_company_depends_on_the_platform_and_pays_by_its_default_card(db_clean: object) -> None:
    world = build_world()
    Newcomer().register()

    work = employment_of(User.objects.get(email=EMAIL))
    assert work is not None
    [row] = AssignmentRow.objects.using("owner").filter(buyer_id=work.company_id)
    card = RateCardRow.objects.using("owner").get(pk=row.card_id)
    assert (row.seller_id, card.is_default) == (world.twin.id, True)


def test_registering_signs_nobody_in(newcomer: Newcomer) -> None:
    newcomer.register()

    assert newcomer.client.get("/personal-account").status_code == 302
    assert newcomer.sign_in().status_code == 302
    assert newcomer.client.get("/personal-account").headers.get("Location", "") != "/login?next=/personal-account"


def test_both_consents_are_kept_with_version_moment_and_address(newcomer: Newcomer) -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False):
        newcomer.register()

    kept = Consent.objects.filter(user__email=EMAIL).order_by("kind")
    assert [(each.kind, each.version, each.given_at.isoformat(), each.address) for each in kept] == [
        ("personal_data", "2026-11-22", "2026-11-20T10:00:00+00:00", "127.0.0.1"),
        ("terms", "2026-11-22", "2026-11-20T10:00:00+00:00", "127.0.0.1"),
    ]


@pytest.mark.parametrize("missing", ["terms", "personal_data"])
def test_without_a_consent_nothing_begins(newcomer: Newcomer, missing: str) -> None:
    del newcomer.details[missing]

    answer = newcomer.give_details()

    assert "Needed to create an account" in answer.text
    assert Registration.objects.count() == Dispatch.objects.count() == 0


def test_consents_are_unticked_and_link_to_their_texts(newcomer: Newcomer) -> None:
    page = newcomer.client.get("/registration").text

    assert " checked" not in page
    assert "/legal/terms" in page
    assert "/legal/personal-data" in page


def test_no_sms_goes_out_before_the_email_is_proven(newcomer: Newcomer) -> None:
    newcomer.give_details()
    newcomer.client.post("/registration/phone/again")
    newcomer.client.post("/registration/phone/number", {"phone": "1512 3454418", "phone_country": "DE"})

    assert not Dispatch.objects.filter(channel="sms").exists()


@pytest.mark.parametrize("path", ["/registration/email", "/registration/phone", "/registration/phone/number"])
def test_steps_cannot_be_opened_without_the_ones_before(newcomer: Newcomer, path: str) -> None:
    assert Client().get(path).headers["Location"] == "/registration"
    assert Client().post(path, {"code": "123456"}).headers["Location"] == "/registration"


def test_the_phone_step_sends_back_to_the_email_step(newcomer: Newcomer) -> None:
    newcomer.give_details()

    assert newcomer.client.get("/registration/phone").headers["Location"] == "/registration/email"
    assert newcomer.type_phone_code("123456").url == "/registration/email"


def test_another_browser_cannot_type_the_code_in(newcomer: Newcomer) -> None:
    newcomer.give_details()

    assert Client().post("/registration/email", {"code": code_to(EMAIL)}).headers["Location"] == "/registration"
    assert newcomer.type_email_code().url == "/registration/phone"


def test_wrong_codes_say_how_many_tries_are_left(newcomer: Newcomer) -> None:
    newcomer.give_details()
    wrong = other_than(code_to(EMAIL))

    assert "Two tries left" in newcomer.type_email_code(wrong).text
    assert "One try left" in newcomer.type_email_code(wrong).text
    assert "of no use any more" in newcomer.type_email_code(wrong).text
    assert "of no use any more" in newcomer.type_email_code().text


def test_a_new_code_can_be_had_after_30_seconds(newcomer: Newcomer) -> None:
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as traveller:
        newcomer.give_details()
        early = newcomer.client.post("/registration/email/again")
        traveller.shift(timedelta(seconds=31))
        later = newcomer.client.post("/registration/email/again")

        assert (early.status_code, later.headers["Location"]) == (429, "/registration/email")
        assert "Another can be sent in 30 seconds" in early.text
        assert len(messages_to(EMAIL)) == 2
        assert newcomer.type_email_code().url == "/registration/phone"


def test_the_number_can_be_changed_before_it_is_confirmed(newcomer: Newcomer) -> None:
    newcomer.give_details()
    newcomer.type_email_code()
    changed = newcomer.client.post("/registration/phone/number", {"phone": "1512 3454418", "phone_country": "DE"})

    assert changed.headers["Location"] == "/registration/phone"
    assert newcomer.type_phone_code(phone="+4915123454418").url == "/login"
    assert User.objects.get(email=EMAIL).phone == "+4915123454418"


def test_the_code_of_the_old_number_does_not_confirm_the_new_one(newcomer: Newcomer) -> None:
    newcomer.give_details()
    newcomer.type_email_code()
    old = code_to(PHONE)
    newcomer.client.post("/registration/phone/number", {"phone": "1512 3454418", "phone_country": "DE"})
    if old != code_to("+4915123454418"):
        assert newcomer.type_phone_code(old).status_code == 200
    assert not User.objects.filter(email=EMAIL).exists()


def test_the_number_is_changed_three_times_at_most(newcomer: Newcomer) -> None:
    newcomer.give_details()
    newcomer.type_email_code()
    answers = [
        newcomer.client.post("/registration/phone/number", {"phone": f"1512 345442{last}", "phone_country": "DE"})
        for last in range(4)
    ]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 200]
    assert "changed three times already" in answers[-1].text


def test_closing_the_tab_and_coming_back_leads_to_the_unfinished_step(newcomer: Newcomer) -> None:
    newcomer.give_details()
    assert newcomer.client.get("/registration").headers["Location"] == "/registration/email"
    newcomer.type_email_code()
    assert newcomer.client.get("/registration").headers["Location"] == "/registration/phone"
    assert newcomer.client.get("/registration?anew").status_code == 200


@pytest.mark.parametrize("confirmed", [False, True])
def test_signing_in_from_another_browser_leads_to_the_unfinished_step(newcomer: Newcomer, confirmed: bool) -> None:
    newcomer.give_details()
    if confirmed:
        newcomer.type_email_code()
    elsewhere = Newcomer()

    answer = elsewhere.sign_in()

    assert answer.headers["Location"] == ("/registration/phone" if confirmed else "/registration/email")
    if not confirmed:
        elsewhere.type_email_code()
    assert elsewhere.type_phone_code().url == "/login"


def test_a_stranger_does_not_get_into_an_unfinished_registration(newcomer: Newcomer) -> None:
    newcomer.give_details()
    stranger = Newcomer(details=DETAILS | {"password": "another-password-here-1"})

    assert "The email or the password is not right." in stranger.sign_in().text


def test_registering_twice_at_once_makes_one_person(newcomer: Newcomer) -> None:
    other = Newcomer(details=DETAILS | {"phone": "1512 3454418"})
    newcomer.give_details()
    newcomer.type_email_code()
    with time_machine.travel(timedelta(minutes=1)):
        other.give_details()
        other.type_email_code()
        newcomer.type_phone_code()
        answer = other.type_phone_code(phone="+4915123454418")

    assert answer.headers["Location"] == "/login"
    assert "Somebody registered with this email in between" in other.client.get("/login").text
    assert User.objects.filter(email=EMAIL).count() == 1
    assert Company.objects.using("owner").filter(name="Jonas Weber").count() == 1


def test_the_password_is_not_kept_after_the_registration(newcomer: Newcomer) -> None:
    newcomer.register()

    assert Registration.objects.get(email=EMAIL).password == ""
    assert User.objects.get(email=EMAIL).check_password(PASSWORD)
    assert PASSWORD not in str(Registration.objects.values())


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("name", "Jo\x07nas", "The name holds characters that cannot be used."),
        ("email", "no address", "This is not an email address"),
        ("password", "short", "The password needs at least 12 characters."),
        ("password", "jonas.weber@elbtal", "This password is easy to guess."),
        ("password", "123451234512345", "This password is easy to guess."),
        ("password", "jonasweber123454417", "This password is easy to guess."),
        ("password", "x" * 129, "The password may have at most 128 characters."),
        ("phone", "12", "This is not a phone number."),
        ("phone", "+8613912345678", "We cannot send SMS to numbers of this country."),
        ("phone", "+4930901820", "Codes go to mobile numbers only"),
        ("phone", "+4990012345678", "This is not a phone number."),
        ("phone_country", "../etc", "This is not a phone number."),
        ("time_zone", "Europe/Atlantis", "There is no such time zone."),
        ("time_zone", "../../etc/passwd", "There is no such time zone."),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(newcomer: Newcomer, field: str, value: str, sentence: str) -> None:
    answer = newcomer.give_details(**{field: value})

    assert answer.status_code == 200
    assert sentence in answer.text
    assert PASSWORD not in answer.text
    assert Registration.objects.count() == 0


def test_the_city_is_enough_for_the_time_zone(newcomer: Newcomer) -> None:
    newcomer.give_details(time_zone="new york")

    assert Registration.objects.get(email=EMAIL).time_zone == "America/New_York"


@pytest.mark.parametrize(
    "password", ["пароль из четырёх разных слов", "🦀🌊🏔️🎻🧭🪁🛶🎈🪵🔭🧩🎲", "  spaces are kept, both ends  "]
)
def test_any_characters_make_a_password_and_none_is_changed(newcomer: Newcomer, password: str) -> None:
    newcomer.details["password"] = password
    newcomer.register()

    assert User.objects.get(email=EMAIL).check_password(password)


def test_signed_in_people_are_not_asked_to_register(newcomer: Newcomer) -> None:
    newcomer.register()
    newcomer.sign_in()

    assert newcomer.client.get("/registration").status_code == 302


def test_codes_and_addresses_leave_no_trace_in_the_answer_to_a_get(newcomer: Newcomer, caplog: Any) -> None:
    newcomer.register()

    assert code_to(PHONE) not in caplog.text
    assert PASSWORD not in caplog.text
    assert EMAIL not in caplog.text
