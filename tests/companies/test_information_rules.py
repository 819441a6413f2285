"""Which information is necessary, what each country asks for, what a hostile form becomes."""

from __future__ import annotations

import pytest

from tests.informing import ELBTAL
from twin.accounts.actions import checked_email
from twin.companies.rules.countries import COUNTRIES, group_of, postal_code_in
from twin.companies.rules.information import (
    FIELDS,
    checked,
    checked_phone,
    differs,
    merged,
    missing,
    missing_for_invoices,
    necessary_count,
    readable,
    storable,
)
from twin.companies.rules.numbers import NumberWrong

WHOLE = {**ELBTAL, "name": "Elbtal Energie GmbH"}
RUSSIAN = {
    **WHOLE,
    "country": "RU",
    "phone": "8 812 123-45-67",
    "registration_number": "",
    "vat_number": "",
    "iban": "",
    "bic": "",
    "inn": "7707083893",
    "kpp": "773601001",
    "ogrn": "1027700132195",
    "bik": "044525225",
    "correspondent_account": "30101810400000000225",
    "account": "40702810400000000225",
    "legal_postal_code": "190000",
}


def problems_of(**changes: str) -> dict[str, str]:
    """What is wrong with a whole form after some changes, in words."""
    _, problems = checked({**WHOLE, **changes}, checked_email)
    return {problem.field: problem.sentence for problem in problems}


def kept_of(**changes: str) -> dict[str, str]:
    kept, problems = checked({**WHOLE, **changes}, checked_email)
    assert problems == []
    return kept


def test_a_whole_form_is_kept_in_its_usual_forms() -> None:
    kept = kept_of()
    assert kept["phone"] == "+493515550120"
    assert kept["iban"] == "DE89370400440532013000"
    assert set(kept) == set(FIELDS)
    assert missing(kept) == missing_for_invoices(kept) == ()


def test_nothing_given_misses_every_necessary_thing() -> None:
    assert missing({}) == (
        *("name", "email", "phone", "time_zone", "country", "registration_number"),
        *("legal_street", "legal_city", "legal_postal_code"),
    )
    assert len(missing({})) == necessary_count("")


@pytest.mark.parametrize("field", ["name", "email", "phone", "time_zone", "country", "legal_street", "legal_city"])
def test_a_necessary_field_left_out_is_named(field: str) -> None:
    assert field in missing({**WHOLE, field: ""})
    assert "necessary" in problems_of(**{field: ""})[field]


def test_a_postal_code_left_out_is_told_how_it_looks() -> None:
    assert problems_of(legal_postal_code="") == {"legal_postal_code": "Enter 5 digits."}
    assert "necessary" in problems_of(country="CL", vat_number="", legal_postal_code="")["legal_postal_code"]


def test_blanks_alone_are_nothing() -> None:
    assert "necessary" in problems_of(name=" \u00a0 ")["name"]


def test_one_of_registration_and_tax_number_is_enough() -> None:
    assert missing({**WHOLE, "registration_number": ""}) == ()
    assert missing({**WHOLE, "vat_number": ""}) == ()
    assert missing({**WHOLE, "vat_number": "", "registration_number": ""}) == ("registration_number",)
    assert "one of them" in problems_of(vat_number="", registration_number="")["registration_number"]


def test_a_number_of_another_country_does_not_count() -> None:
    assert missing({**WHOLE, "vat_number": "", "registration_number": "", "inn": "7707083893"}) == (
        "registration_number",
    )


def test_only_invoices_wait_for_receiver_bank_and_account() -> None:
    bare = {**WHOLE, "receiver_name": "", "bank": "", "iban": "", "account": ""}
    assert missing(bare) == ()
    assert missing_for_invoices(bare) == ("receiver_name", "bank", "iban")
    assert missing_for_invoices({**bare, "country": "KZ"}) == ("receiver_name", "bank", "account")
    assert missing_for_invoices({**bare, "receiver_name": "E", "bank": "B", "account": "12345"}) == ()


def test_where_the_post_has_no_codes_none_is_necessary() -> None:
    assert missing({**WHOLE, "country": "AE", "legal_postal_code": ""}) == ()
    assert necessary_count("AE") == necessary_count("DE") - 1


def test_russian_details_are_checked_together() -> None:
    kept, problems = checked(RUSSIAN, checked_email)
    assert problems == []
    assert kept["phone"] == "+78121234567"
    _, problems = checked({**RUSSIAN, "inn": "500100732259"}, checked_email)
    assert [problem.field for problem in problems] == ["kpp"]
    _, problems = checked({**RUSSIAN, "bik": "044525974"}, checked_email)
    assert [problem.field for problem in problems] == ["account", "correspondent_account"]


def test_details_of_other_countries_are_kept_and_not_complained_of() -> None:
    kept = kept_of(inn="not yet known", ein="x" * 200)
    assert kept["inn"] == "not yet known"
    assert len(kept["ein"]) == 64


def test_another_postal_address_is_whole_or_absent() -> None:
    assert problems_of(postal_same="") == {}
    assert set(problems_of(postal_same="", postal_street="Postfach 12")) == {"postal_city", "postal_postal_code"}
    elsewhere = {"postal_same": "", "postal_street": "1 Lime St", "postal_city": "London", "postal_country": "GB"}
    assert kept_of(**elsewhere, postal_postal_code="ec1a1bb")["postal_postal_code"] == "EC1A 1BB"
    assert "SW1A 1AA" in problems_of(**elsewhere, postal_postal_code="01067")["postal_postal_code"]
    assert problems_of(postal_same="yes", postal_street="Postfach 12", postal_country="??") == {}


@pytest.mark.parametrize(
    ("country", "given", "kept"),
    [
        ("DE", "01067", "01067"),
        ("DE", "1067", None),
        ("DE", "０１０６７", None),
        ("RU", "190000", "190000"),
        ("RU", "19000", None),
        ("US", "10001", "10001"),
        ("US", "10001-1234", "10001-1234"),
        ("US", "1000", None),
        ("GB", "sw1a 1aa", "SW1A 1AA"),
        ("GB", "SW1A1AA", "SW1A 1AA"),
        ("GB", "12345", None),
        ("PL", "00-950", "00-950"),
        ("PL", "00950", None),
        ("CZ", "11000", "110 00"),
        ("LV", "lv-1010", "LV-1010"),
        ("NL", "1012AB", "1012 AB"),
        ("IE", "D02AF30", "D02 AF30"),
        ("CL", "8320000", "8320000"),
        ("CL", "x", None),
    ],
)
def test_postal_codes_are_those_of_the_country(country: str, given: str, kept: str | None) -> None:
    assert postal_code_in(country, given) == kept


def test_a_wrong_postal_code_is_told_how_it_looks() -> None:
    assert problems_of(legal_postal_code="1067") == {"legal_postal_code": "Enter 5 digits."}
    assert problems_of(country="PL", vat_number="", legal_postal_code="01067") == {
        "legal_postal_code": "Write it like 12-345."
    }


def test_every_country_has_one_set_of_details() -> None:
    assert len(COUNTRIES) == 250
    assert {country: group_of(country) for country in ("RU", "GB", "US", "DE", "GR", "CH", "KZ", "")} == {
        "RU": "RU",
        "GB": "GB",
        "US": "US",
        "DE": "EU",
        "GR": "EU",
        "CH": "",
        "KZ": "",
        "": "",
    }


@pytest.mark.parametrize(
    ("given", "country", "kept"),
    [
        ("+49 351 5550120", "", "+493515550120"),
        ("0351 5550120", "DE", "+493515550120"),
        ("8 (812) 123-45-67", "RU", "+78121234567"),
        ("+44 20 7946 0018", "DE", "+442079460018"),
        ("(212) 736-5000", "US", "+12127365000"),
    ],
)
def test_phones_are_read_as_people_write_them(given: str, country: str, kept: str) -> None:
    assert checked_phone(given, country) == kept


@pytest.mark.parametrize("given", ["12", "0351 5550120", "+49 351 5550120 ext. 5", "call me", "+999 123456789", "++49"])
def test_what_is_no_phone_is_refused(given: str) -> None:
    with pytest.raises(NumberWrong):
        checked_phone(given, "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("Berlin", "Europe/Berlin")],
)
def test_a_zone_is_found_by_its_city_too(given: str, kept: str) -> None:
    assert kept_of(time_zone=given)["time_zone"] == kept


@pytest.mark.parametrize(
    "zone", ["Europe/Nowhere", "../../etc/passwd", "localtime", "+02:00", "GMT+3", "Europe/Berlin\n", "x" * 9]
)
def test_only_zones_of_the_list_are_taken(zone: str) -> None:
    if zone.strip() != "Europe/Berlin":
        assert "time zone" in problems_of(time_zone=zone)["time_zone"]


@pytest.mark.parametrize("dialogs", ["0", "10001", "-5", "3.5", "many", "٣٠٠", "9" * 8])
def test_the_number_of_dialogs_is_a_whole_number_within_reason(dialogs: str) -> None:
    assert problems_of(max_dialogs=dialogs) == {"max_dialogs": "A whole number from 1 to 10000."}


def test_without_a_number_of_dialogs_there_are_300() -> None:
    assert kept_of(max_dialogs="")["max_dialogs"] == "300"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "a\x1bb", "a\nb", "gnp.\u202eexe", "\u2066hidden\u2069"])
def test_characters_that_cannot_be_printed_or_turn_the_text_are_refused(text: str) -> None:
    assert "printed" in problems_of(name=text)["name"]


@pytest.mark.parametrize(
    "name", ["شركة النور", "ООО «Ромашка»", "株式会社", "O'Brien & Söhne <b>", "=cmd|'/c calc'!A1"]
)
def test_names_of_every_script_are_kept_as_they_are(name: str) -> None:
    assert kept_of(name=name)["name"] == name


def test_each_text_has_its_longest_form() -> None:
    for field, longest in FIELDS.items():
        if longest >= 100 and field != "email" and not field.startswith("postal"):
            assert problems_of(**{field: "ж" * (longest + 1)}) == {field: f"At most {longest} characters."}


def test_a_country_that_is_none_is_refused_once() -> None:
    assert problems_of(country="ZZ", vat_number="", iban="", bic="") == {"country": "Choose a country from the list."}


def test_a_draft_holds_known_fields_without_what_no_text_can_hold() -> None:
    kept = storable({"name": "a\0b\ud800", "is_complete": "yes", "version": "7", "bank": "x" * 10_000})
    assert kept == {"name": "ab", "bank": "x" * 500}


def test_two_peoples_changes_are_brought_together() -> None:
    base = {"name": "A", "bank": "B", "phone": "1", "email": "e"}
    both = merged(base, {**base, "name": "mine", "phone": "2"}, {**base, "bank": "theirs", "phone": "3", "email": "f"})
    assert {name: both.values[name] for name in base} == {"name": "mine", "bank": "theirs", "phone": "2", "email": "f"}
    assert both.conflicts == {"phone": "3"}


def test_the_same_change_by_both_is_no_clash() -> None:
    assert merged({"name": "A"}, {"name": "B"}, {"name": "B"}).conflicts == {}


def test_people_read_phone_and_iban_in_groups_and_that_is_no_change() -> None:
    kept = kept_of()
    shown = readable(kept)
    assert (shown["phone"], shown["iban"]) == ("+49 351 5550120", "DE89 3704 0044 0532 0130 00")
    assert not differs(shown, kept)
    assert differs({**shown, "bank": "B"}, kept)
    assert merged(kept, shown, {**kept, "iban": ""}).values["iban"] == ""
    assert readable({"phone": "+49 x", "iban": "half a number"}) == {"phone": "+49 x", "iban": "half a number"}
