"""Company information: which fields there are, which are necessary, what is wrong with them, who changed what.

Values are texts by field name, as a form sends them; a field that is not given is empty.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

import phonenumbers

from twin.companies.errors import FieldProblem
from twin.companies.rules import numbers
from twin.companies.rules.countries import (
    COUNTRIES,
    WITHOUT_POSTAL_CODES,
    DetailGroup,
    group_of,
    postal_code_in,
    postal_shape,
)
from twin.companies.types import Merge
from twin.kernel.errors import Invalid
from twin.kernel.period import parse_zone, zone_called
from twin.kernel.text import gettext_noop as _

Values = Mapping[str, str]

FEWEST_DIALOGS: Final = 1
MOST_DIALOGS: Final = 10_000
USUAL_DIALOGS: Final = 300
YES: Final = "yes"

# Every field, with the most characters it takes.
FIELDS: Final[dict[str, int]] = {
    "name": 200,
    "email": 254,
    "phone": 40,
    "time_zone": 64,
    "max_dialogs": 8,
    "country": 2,
    "invoice_name": 200,
    "receiver_name": 200,
    **dict.fromkeys(("registration_number", "inn", "kpp", "ogrn", "vat_number", "utr", "ein", "duns"), 64),
    "bank": 200,
    **dict.fromkeys(("bik", "bic", "aba", "account", "correspondent_account", "iban"), 64),
    "legal_street": 200,
    "legal_city": 100,
    "legal_region": 100,
    "legal_postal_code": 16,
    "postal_same": 3,
    "postal_street": 200,
    "postal_city": 100,
    "postal_region": 100,
    "postal_postal_code": 16,
    "postal_country": 2,
}
# Details that only some countries ask for; the others are asked for everywhere.
GROUPS_OF: Final[dict[str, tuple[DetailGroup, ...]]] = {
    **dict.fromkeys(("inn", "kpp", "ogrn", "bik", "correspondent_account"), ("RU",)),
    **dict.fromkeys(("vat_number", "iban", "bic"), ("EU", "GB")),
    "utr": ("GB",),
    **dict.fromkeys(("ein", "aba", "duns"), ("US",)),
}
_IDENTITIES: Final = ("registration_number", "inn", "ogrn", "vat_number", "utr", "ein")
_NECESSARY: Final = ("name", "email", "phone", "time_zone", "country")
_LEGAL: Final = ("legal_street", "legal_city", "legal_postal_code")
# Written in groups for people, without blanks in the record.
_GROUPED: Final = ("phone", "iban")
_NEEDED: Final = _("Fill this in: it is necessary.")
_UNPRINTABLE: Final = _("This holds a character that cannot be printed. Write it again by hand.")
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_asked(field: str, country: str) -> bool:
    """Whether a company of that country is asked for the field."""
    groups = GROUPS_OF.get(field)
    return groups is None or group_of(country) in groups


def missing(values: Values) -> tuple[str, ...]:
    """The necessary fields that are empty; "registration_number" stands for all numbers that would do."""
    country = values.get("country", "")
    wanted = [*_NECESSARY]
    wanted += [name for name in _LEGAL if name != "legal_postal_code" or country not in WITHOUT_POSTAL_CODES]
    absent = [name for name in wanted if not values.get(name)]
    if not any(values.get(name) and is_asked(name, country) for name in _IDENTITIES):
        absent.insert(sum(name in _NECESSARY for name in absent), "registration_number")
    return tuple(absent)


def necessary_count(country: str) -> int:
    """How many necessary things there are for a company of that country."""
    return len(_NECESSARY) + 1 + len(_LEGAL) - (country in WITHOUT_POSTAL_CODES)


def missing_for_invoices(values: Values) -> tuple[str, ...]:
    """What an invoice still waits for: the necessary fields, then receiver, bank and account."""
    absent = [*missing(values), *(name for name in ("receiver_name", "bank") if not values.get(name))]
    accounts = ("account", "iban") if is_asked("iban", values.get("country", "")) else ("account",)
    if not any(values.get(name) for name in accounts):
        absent.append("iban" if "iban" in accounts else "account")
    return tuple(absent)


def checked(values: Values, check_email: Callable[[str], str]) -> tuple[dict[str, str], list[FieldProblem]]:
    """The values in the form they are kept in, and everything that is wrong with them.

    Details of other countries are kept as they were typed: they count for nothing
    until the country asks for them.
    """
    kept: dict[str, str] = {}
    problems: dict[str, FieldProblem] = {}
    hidden = _hidden(values)
    for name, longest in FIELDS.items():
        if name in hidden:
            kept[name] = _printable(values.get(name, "")).strip()[:longest]
            continue
        kept[name], problem = _tidied(name, values.get(name, ""), longest)
        if problem:
            problems[name] = problem
    _check_company(kept, problems, check_email)
    _check_details(kept, problems)
    _check_address(kept, problems, "legal", kept["country"])
    if kept["postal_same"] != YES:
        _check_postal(kept, problems)
    for name in missing(kept):
        problems.setdefault(name, _needed(name, kept["country"]))
    return kept, [problems[name] for name in FIELDS if name in problems]


def _needed(name: str, country: str) -> FieldProblem:
    """That something necessary is not there, with its form where the country has one."""
    if name == "registration_number":
        return FieldProblem(name, _("Give the registration number or a tax number: one of them is necessary."))
    if name == "legal_postal_code" and postal_shape(country) != (0, ""):
        return _misshapen(name, country)
    return FieldProblem(name, _NEEDED)


def storable(values: Values) -> dict[str, str]:
    """What of a half-filled form can be kept: known fields, not endless, without what no text holds."""
    return {name: _printable(values[name])[:500] for name in FIELDS if name in values}


def merged(base: Values, mine: Values, theirs: Values) -> Merge:
    """Bring together what two people made of the same beginning; what both changed is in `conflicts` and stays mine."""
    values: dict[str, str] = {}
    conflicts: dict[str, str] = {}
    for name in FIELDS:
        begun, own, other = (one.get(name, "") for one in (base, mine, theirs))
        is_mine = not _same(name, own, begun)
        values[name] = own if is_mine else other
        if is_mine and not _same(name, own, other) and other != begun:
            conflicts[name] = other
    return Merge(values, conflicts)


def differs(one: Values, other: Values) -> bool:
    """Whether two forms say different things; blanks in numbers say nothing."""
    return any(not _same(name, one.get(name, ""), other.get(name, "")) for name in FIELDS)


def _same(name: str, one: str, other: str) -> bool:
    return one == other or (name in _GROUPED and one.replace(" ", "") == other.replace(" ", ""))


def readable(values: Values) -> dict[str, str]:
    """The values as people read them: phone and IBAN in groups."""
    shown = dict(values)
    if shown.get("phone", "").startswith("+"):
        try:
            number = phonenumbers.parse(shown["phone"])
            shown["phone"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        except phonenumbers.NumberParseException:
            pass  # half typed: shown as it is
    bare = shown.get("iban", "").replace(" ", "")
    if re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{5,30}", bare):
        shown["iban"] = " ".join(bare[at : at + 4] for at in range(0, len(bare), 4))
    return shown


def _hidden(values: Values) -> set[str]:
    """What the page does not show: no complaint about it could be answered."""
    country = values.get("country", "").strip()
    hidden = {name for name in GROUPS_OF if not is_asked(name, country)}
    if values.get("postal_same"):
        hidden |= {name for name in FIELDS if name.startswith("postal_") and name != "postal_same"}
    return hidden


def _printable(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter) not in ("Cc", "Cs"))


def _tidied(name: str, text: str, longest: int) -> tuple[str, FieldProblem | None]:
    tidy = unicodedata.normalize("NFC", text).strip()
    # Signs that turn the direction of writing could make an invoice read otherwise than it is.
    if any(unicodedata.category(letter) in ("Cc", "Cs") or letter in _TURNING for letter in tidy):
        return tidy, FieldProblem(name, _UNPRINTABLE)
    if len(tidy) > longest:
        return tidy, FieldProblem(name, _("At most %(longest)s characters."), {"longest": str(longest)})
    return tidy, None


def _check_company(kept: dict[str, str], problems: dict[str, FieldProblem], check_email: Callable[[str], str]) -> None:
    _keep(kept, problems, "country", _checked_country)
    if kept["postal_same"]:
        kept["postal_country"] = kept["postal_country"] if kept["postal_country"] in COUNTRIES else ""
    _keep(kept, problems, "postal_country", _checked_country)
    _keep(kept, problems, "email", check_email, _("Write an email address such as office@example.com."))
    _keep(kept, problems, "phone", lambda text: checked_phone(text, kept["country"]))
    _keep(
        kept,
        problems,
        "time_zone",
        _checked_zone,
        _("Choose a time zone from the list, such as Europe/Berlin."),
    )
    kept["max_dialogs"] = kept["max_dialogs"] or str(USUAL_DIALOGS)
    _keep(kept, problems, "max_dialogs", _checked_dialogs)
    kept["postal_same"] = YES if kept["postal_same"] else ""


def _check_details(kept: dict[str, str], problems: dict[str, FieldProblem]) -> None:
    country = kept["country"]
    checks = {
        **numbers.CHECKS,
        "kpp": lambda text: numbers.checked_kpp(text, kept["inn"]),
        "correspondent_account": lambda text: numbers.checked_correspondent_account(text, kept["bik"]),
        "vat_number": lambda text: numbers.checked_vat(text, country),
        "account": _account_check(group_of(country), kept["bik"]),
    }
    for name, check in checks.items():
        if is_asked(name, country):
            _keep(kept, problems, name, check)


def _account_check(group: DetailGroup, bik: str) -> Callable[[str], str]:
    if group == "RU":
        return lambda text: numbers.checked_russian_account(text, bik)
    return numbers.checked_american_account if group == "US" else numbers.checked_account


def _check_postal(kept: dict[str, str], problems: dict[str, FieldProblem]) -> None:
    """Another postal address is whole or not given at all."""
    parts = ("postal_street", "postal_city", "postal_postal_code")
    country = kept["postal_country"] or kept["country"]
    if not any(kept[name] for name in (*parts, "postal_region")):
        return
    for name in parts:
        if not kept[name] and not (name == "postal_postal_code" and country in WITHOUT_POSTAL_CODES):
            problems.setdefault(name, FieldProblem(name, _("Complete the postal address, or choose “Same as legal”.")))
    _check_address(kept, problems, "postal", country)


def _check_address(kept: dict[str, str], problems: dict[str, FieldProblem], which: str, country: str) -> None:
    name = f"{which}_postal_code"
    if not kept[name] or name in problems or country not in COUNTRIES:
        return
    code = postal_code_in(country, kept[name])
    if code is not None:
        kept[name] = code
        return
    problems[name] = _misshapen(name, country)


def _misshapen(name: str, country: str) -> FieldProblem:
    digits, example = postal_shape(country)
    if digits:
        return FieldProblem(name, _("Enter %(count)s digits."), {"count": str(digits)})
    if example:
        return FieldProblem(name, _("Write it like %(example)s."), {"example": example})
    return FieldProblem(name, _("A postal code has 2 to 12 digits or Latin letters."))


def _keep(
    kept: dict[str, str],
    problems: dict[str, FieldProblem],
    name: str,
    check: Callable[[str], str],
    sentence: str = "",
) -> None:
    """Put what the check makes of a value in its place, or note what is wrong; the first problem stands."""
    if not kept[name] or name in problems:
        return
    try:
        kept[name] = check(kept[name])
    except numbers.NumberWrong as wrong:
        problems[name] = FieldProblem(name, wrong.message, wrong.parts)
    except Invalid:
        problems[name] = FieldProblem(name, sentence)


def _checked_zone(text: str) -> str:
    """A zone by its name in any letter case, or by its city alone."""
    return zone_called(text) or str(parse_zone(text))


def _checked_country(code: str) -> str:
    if code not in COUNTRIES:
        raise numbers.NumberWrong(_("Choose a country from the list."))
    return code


def checked_phone(text: str, country: str) -> str:
    """The number in the international form (E.164); a national one is read as one of the country."""
    wrong = numbers.NumberWrong(
        _("This cannot be a phone number. Write it with the country code, such as +49 351 5550120.")
    )
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        raise wrong from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise wrong
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _checked_dialogs(text: str) -> str:
    digits = re.sub(r"\s", "", text)
    if not re.fullmatch(r"[0-9]{1,6}", digits) or not FEWEST_DIALOGS <= int(digits) <= MOST_DIALOGS:
        raise numbers.NumberWrong(
            _("A whole number from %(fewest)s to %(most)s."), fewest=str(FEWEST_DIALOGS), most=str(MOST_DIALOGS)
        )
    return str(int(digits))
