"""Tax and bank numbers: real ones pass, each with one figure changed does not, and the sentence says what to mend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twin.companies.rules import numbers
from twin.companies.rules.numbers import NumberWrong

Check = Callable[..., str]

VALID: list[tuple[Check, tuple[str, ...], str]] = [
    (numbers.checked_inn, ("7707083893",), "7707083893"),
    (numbers.checked_inn, ("5001 0073 2259",), "500100732259"),
    (numbers.checked_kpp, ("773601001", "7707083893"), "773601001"),
    (numbers.checked_kpp, ("7736ab001", "7707083893"), "7736AB001"),
    (numbers.checked_ogrn, ("1027700132195",), "1027700132195"),
    (numbers.checked_ogrn, ("304500116000157",), "304500116000157"),
    (numbers.checked_bik, ("044525225",), "044525225"),
    (numbers.checked_correspondent_account, ("30101810400000000225", "044525225"), "30101810400000000225"),
    (numbers.checked_correspondent_account, ("30101810145250000974", "044525974"), "30101810145250000974"),
    (numbers.checked_correspondent_account, ("30101 810 2 0000 0000593", "044525593"), "30101810200000000593"),
    (numbers.checked_correspondent_account, ("30101810400000000225", ""), "30101810400000000225"),
    (numbers.checked_russian_account, ("40702810900000005555", ""), "40702810900000005555"),
    (numbers.checked_vat, ("DE136695976", "DE"), "DE136695976"),
    (numbers.checked_vat, ("de 136 695 976", "DE"), "DE136695976"),
    (numbers.checked_vat, ("136695976", "DE"), "DE136695976"),
    (numbers.checked_vat, ("ATU13585627", "AT"), "ATU13585627"),
    (numbers.checked_vat, ("U13585627", "AT"), "ATU13585627"),
    (numbers.checked_vat, ("FR40303265045", "FR"), "FR40303265045"),
    (numbers.checked_vat, ("EL 094259216", "GR"), "EL094259216"),
    (numbers.checked_vat, ("ESX1234567L", "ES"), "ESX1234567L"),
    (numbers.checked_vat, ("NL4495445B01", "NL"), "NL004495445B01"),
    (numbers.checked_vat, ("PL8567346215", "PL"), "PL8567346215"),
    (numbers.checked_vat, ("GB 980 7806 84", "GB"), "GB980780684"),
    (numbers.checked_vat, ("XI980780684", "GB"), "XI980780684"),
    (numbers.checked_iban, ("de89 3704 0044 0532 0130 00",), "DE89370400440532013000"),
    (numbers.checked_iban, ("GB82WEST12345698765432",), "GB82WEST12345698765432"),
    (numbers.checked_iban, ("NO9386011117947",), "NO9386011117947"),
    (numbers.checked_bic, ("deutdeff500",), "DEUTDEFF500"),
    (numbers.checked_bic, ("AGRIFRPP",), "AGRIFRPP"),
    (numbers.checked_utr, ("1955839661",), "1955839661"),
    (numbers.checked_utr, ("19558 39661K",), "1955839661"),
    (numbers.checked_ein, ("911144442",), "91-1144442"),
    (numbers.checked_aba, ("111000025",), "111000025"),
    (numbers.checked_duns, ("15-048-3782",), "150483782"),
    (numbers.checked_american_account, ("0001 2345 67",), "0001234567"),
    (numbers.checked_account, ("KZ75 125K ZT20 6910 0100",), "KZ75 125K ZT20 6910 0100"),
]

MISTYPED = "check digit"
INVALID: list[tuple[Check, tuple[str, ...], str]] = [
    (numbers.checked_inn, ("7707083894",), MISTYPED),
    (numbers.checked_inn, ("500100732258",), MISTYPED),
    (numbers.checked_inn, ("770708389",), "10 digits for organisations, 12 for entrepreneurs; this one has 9"),
    (numbers.checked_inn, ("77070838931",), "this one has 11"),
    (numbers.checked_inn, ("٧٧٠٧٠٨٣٨٩٣",), "10 digits"),
    (numbers.checked_inn, ("７７０７０８３８９３",), "10 digits"),
    (numbers.checked_kpp, ("773601001", "500100732259"), "INN of 10 digits only"),
    (numbers.checked_kpp, ("773601001", ""), "INN of 10 digits only"),
    (numbers.checked_kpp, ("77360100", "7707083893"), "9 digits"),
    (numbers.checked_kpp, ("7736АБ001", "7707083893"), "Latin"),
    (numbers.checked_ogrn, ("1027700132194",), MISTYPED),
    (numbers.checked_ogrn, ("102770013219",), "this one has 12"),
    (numbers.checked_bik, ("54452522",), "9 digits"),
    (numbers.checked_bik, ("944525225",), "begins with 0"),
    (numbers.checked_correspondent_account, ("30101810500000000225", "044525225"), "do not belong together"),
    (numbers.checked_correspondent_account, ("30101810400000000225", "044525974"), "last three digits"),
    (numbers.checked_correspondent_account, ("40702810400000000225", "044525225"), "begins with 301"),
    (numbers.checked_russian_account, ("40702810500000000225", "044525225"), "do not belong together"),
    (numbers.checked_russian_account, ("4070281040000000022", "044525225"), "20 digits; this one has 19"),
    (numbers.checked_vat, ("DE136695975", "DE"), MISTYPED),
    (numbers.checked_vat, ("FR40303265045", "DE"), "begins with DE"),
    (numbers.checked_vat, ("DE13669597", "DE"), "not how VAT numbers"),
    (numbers.checked_vat, ("GR094259216", "GR"), "begins with EL"),
    (numbers.checked_vat, ("GB980780685", "GB"), MISTYPED),
    (numbers.checked_vat, ("GB98078068", "GB"), "GB and 9 digits"),
    (numbers.checked_vat, ("DE１36695976", "DE"), "Latin"),
    (numbers.checked_iban, ("DE89 3704 0044 0532 0130 01",), MISTYPED),
    (numbers.checked_iban, ("DE89 3704 0044 0532 0130",), "has 22 characters; this one has 20"),
    (numbers.checked_iban, ("XX89 3704 0044 0532 0130 00",), "not how an IBAN looks"),
    (numbers.checked_iban, ("",), "not how an IBAN looks"),
    (numbers.checked_bic, ("DEUTDEF",), "8 or 11"),
    (numbers.checked_utr, ("2955839661",), MISTYPED),
    (numbers.checked_utr, ("195583966",), "10 digits"),
    (numbers.checked_ein, ("07-1144442",), "9 digits"),
    (numbers.checked_ein, ("91-114444",), "9 digits"),
    (numbers.checked_aba, ("111000026",), MISTYPED),
    (numbers.checked_aba, ("11100002",), "9 digits"),
    (numbers.checked_duns, ("15-048-378",), "9 digits"),
    (numbers.checked_american_account, ("12",), "4 to 17"),
    (numbers.checked_account, ("счёт 12",), "Latin letters"),
    (numbers.checked_account, ("<script>",), "Latin letters"),
]


@pytest.mark.parametrize(("check", "given", "kept"), VALID)
def test_a_right_number_is_kept_in_its_usual_form(check: Check, given: tuple[str, ...], kept: str) -> None:
    assert check(*given) == kept


@pytest.mark.parametrize(("check", "given", "mend"), INVALID)
def test_a_wrong_number_is_refused_with_the_mend(check: Check, given: tuple[str, ...], mend: str) -> None:
    with pytest.raises(NumberWrong) as refusal:
        check(*given)
    assert mend in refusal.value.message % refusal.value.parts


NUMBERS_WITH_CHECK_DIGITS: list[tuple[Check, str, tuple[str, ...]]] = [
    (numbers.checked_inn, "7707083893", ()),
    (numbers.checked_inn, "500100732259", ()),
    (numbers.checked_ogrn, "304500116000157", ()),
    (numbers.checked_correspondent_account, "30101810145250000974", ("044525974",)),
    (numbers.checked_russian_account, "40702810400000000225", ("044525225",)),
    (numbers.checked_vat, "136695976", ("DE",)),
    (numbers.checked_iban, "DE89370400440532013000", ()),
    (numbers.checked_aba, "111000025", ()),
]


@pytest.mark.parametrize(("check", "number", "others"), NUMBERS_WITH_CHECK_DIGITS)
def test_any_single_mistyped_digit_is_noticed(check: Check, number: str, others: tuple[str, ...]) -> None:
    for place, figure in enumerate(number):
        if figure.isdigit():
            other = str((int(figure) + 1) % 10)
            with pytest.raises(NumberWrong):
                check(number[:place] + other + number[place + 1 :], *others)


def test_an_account_at_the_central_bank_is_summed_with_its_region() -> None:
    assert numbers.checked_russian_account("40101810800000010041", "044583001") == "40101810800000010041"


def test_accounts_of_the_treasury_have_keys_of_their_own() -> None:
    assert numbers.checked_russian_account("03214643000000017300", "004525988") == "03214643000000017300"
