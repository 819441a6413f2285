"""Which numbers can be confirmed by SMS."""

from __future__ import annotations

import pytest

from twin.accounts.errors import PhoneUnusable
from twin.accounts.rules.phones import budget_key, checked_phone, phone_countries, shown_phone, split_phone

ALLOWED = ["DE", "GB", "RU", "KZ", "US", "FR"]


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("1512 3454417", "DE", "+4915123454417"),
        ("0151 2345 4417", "DE", "+4915123454417"),
        ("+49 (1512) 345-44-17", None, "+4915123454417"),
        ("8 916 123-45-67", "RU", "+79161234567"),
        ("+7 701 234 5678", "RU", "+77012345678"),
        ("07400 123456", "GB", "+447400123456"),
        ("(201) 555-0123", "US", "+12015550123"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, region: str | None, number: str) -> None:
    assert checked_phone(text, countries=ALLOWED, region=region) == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unreadable"),
        ("abc", "unreadable"),
        ("1" * 500, "unreadable"),
        ("+49 1", "unreadable"),
        ("+44 7700 900123", "unreadable"),
        ("+86 139 1234 5678", "country"),
        ("+44 9098790000", "not_mobile"),
        ("+44 8431234567", "not_mobile"),
        ("+44 5612345678", "not_mobile"),
        ("+44 7012345678", "not_mobile"),
        ("+44 7640123456", "not_mobile"),
        ("+49 9001234567", "not_mobile"),
        ("+49 30 123456", "not_mobile"),
        ("+7 809 123 4567", "not_mobile"),
        ("+33 891 23 45 67", "not_mobile"),
    ],
)
def test_premium_shared_cost_voip_and_foreign_numbers_are_refused(text: str, reason: str) -> None:
    with pytest.raises(PhoneUnusable) as caught:
        checked_phone(text, countries=ALLOWED)

    assert caught.value.reason == reason


def test_a_budget_is_counted_by_country_and_three_digits() -> None:
    assert budget_key("+4915123454417") == ("DE", "+49151")
    assert budget_key("+77012345678") == ("KZ", "+7701")


def test_the_phone_field_shows_what_is_kept() -> None:
    assert split_phone("+4915123454417") == ("DE", "1512 3454417")
    assert shown_phone("+4915123454417") == "+49 1512 3454417"
    assert split_phone("") == ("", "")


def test_countries_come_with_calling_code_and_example() -> None:
    [germany] = phone_countries(["DE"])

    assert (germany.code, germany.calling_code, germany.example) == ("DE", 49, "1512 3456789")
