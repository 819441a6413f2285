"""Countries, the set of invoice details each asks for, and how its postal codes look."""

from __future__ import annotations

import re
from typing import Final, Literal

DetailGroup = Literal["RU", "EU", "GB", "US", ""]

# ISO 3166-1 alpha-2, and XK, which everybody uses for Kosovo.
_CODES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA"
    " CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA"
    " GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP"
    " KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS"
    " MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS"
    " RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW"
    " TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
COUNTRIES: Final = frozenset(_CODES.split())

_EU: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU: Final = frozenset(_EU.split())

# Where the post knows no codes, none can be asked for.
_NO_CODES: Final = (
    "AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM DJ DM ER FJ GA GD GH GM GQ GY HK KI KM KN KP LY ML MO MR MW NR"
    " NU QA RW SB SC SL SR ST SY TD TG TK TL TO TV UG VU YE ZW"
)
WITHOUT_POSTAL_CODES: Final = frozenset(_NO_CODES.split())

_FOUR: Final = "AT AU BE BG CH CY DK GE HU LI LU NO NZ SI ZA"
_FIVE: Final = "BA DE EE ES FI FR HR IT KR LT MC ME MX RS TH TR UA"
_SIX: Final = "BY CN IN KG KZ RO RU SG TJ TM UZ VN"
_THREE_AND_TWO: Final = "CZ GR SE SK"
# 9 stands for a digit, A for a letter, ? for a digit or letter; the rest for itself. A blank may be left out.
_SHAPES: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ["AT", "BE", "BG", "CH", "CY", "DK", "HU", "LU", "NO", "SI", "AU", "NZ", "GE", "ZA", "LI"], ("9999",)
    ),
    **dict.fromkeys(
        ["DE", "EE", "ES", "FI", "FR", "HR", "IT", "LT", "MC", "RS", "TR", "UA", "ME", "BA", "MX", "TH", "KR"],
        ("99999",),
    ),
    **dict.fromkeys(["RU", "BY", "KZ", "KG", "TJ", "TM", "UZ", "RO", "CN", "IN", "SG", "VN"], ("999999",)),
    **dict.fromkeys(["SE", "CZ", "SK", "GR"], ("999 99",)),
    "AM": ("9999",),
    "AZ": ("AZ 9999", "9999"),
    "BR": ("99999-999",),
    "CA": ("A9A 9A9",),
    "GB": ("A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"),
    "IE": ("A99 ????", "A9A ????"),
    "IL": ("9999999",),
    "IS": ("999",),
    "JP": ("999-9999",),
    "LV": ("LV-9999",),
    "MD": ("MD-9999", "9999"),
    "MK": ("9999",),
    "MT": ("AAA 9999",),
    "NL": ("9999 AA",),
    "PL": ("99-999",),
    "PT": ("9999-999",),
    "US": ("99999", "99999-9999"),
}
_SIGNS: Final = {"9": "[0-9]", "A": "[A-Z]", "?": "[0-9A-Z]", " ": " ?"}


def group_of(country: str) -> DetailGroup:
    """Which set of details invoices of that country need; "" is the general one."""
    if country == "RU":
        return "RU"
    if country == "GB":
        return "GB"
    if country == "US":
        return "US"
    return "EU" if country in EU else ""


def postal_code_in(country: str, code: str) -> str | None:
    """The code as the country writes it; None when it cannot be one of that country."""
    tidy = " ".join(code.upper().split())
    shapes = _SHAPES.get(country)
    if shapes is None:
        return tidy if re.fullmatch(r"[0-9A-Z][0-9A-Z -]{1,11}", tidy) else None
    for shape in shapes:
        if re.fullmatch("".join(_SIGNS.get(sign, sign) for sign in shape), tidy):
            return _spaced(shape, tidy)
    return None


def _spaced(shape: str, code: str) -> str:
    """With the blank where the shape has it."""
    if " " not in shape or " " in code:
        return code
    place = shape.index(" ")
    return f"{code[:place]} {code[place:]}"


def postal_shape(country: str) -> tuple[int, str]:
    """How many digits a code has where it has nothing else (else 0), and an example otherwise."""
    first = _SHAPES.get(country, ("",))[0]
    if first and set(first) == {"9"}:
        return len(first), ""
    figures = iter("1234567890" * 2)
    letters = iter("ABCDEFGH" * 2)
    example = "".join(
        next(figures) if sign == "9" else next(letters) if sign in "A?" and country not in ("AZ", "MD") else sign
        for sign in first
    )
    return 0, {"GB": "SW1A 1AA", "CA": "K1A 0B1", "IE": "D02 AF30", "AZ": "AZ 1000"}.get(country, example)
