"""Tax and bank numbers: their form, their check digits, and the sentence that says what to mend."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from stdnum import bic, iban, numdb
from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.gb import utr
from stdnum.gb import vat as british_vat
from stdnum.ru import inn, ogrn
from stdnum.us import ein, rtn

from twin.kernel.text import gettext_noop as _

_MISTYPED: Final = _("The check digit does not match: one digit seems mistyped. Compare with the original paper.")
_WEIGHTS: Final = (7, 1, 3)
# Greece and Northern Ireland write another prefix than their country code.
_VAT_PREFIXES: Final = {"GR": "EL"}


class NumberWrong(Exception):
    """The number cannot be right; the message says what to mend, `parts` fill its gaps."""

    def __init__(self, message: str, **parts: str) -> None:
        super().__init__(message)
        self.message = message
        self.parts = parts


def checked_inn(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"[0-9]{10}|[0-9]{12}", number):
        raise NumberWrong(
            _("INN has 10 digits for organisations, 12 for entrepreneurs; this one has %(count)s characters."),
            count=str(len(number)),
        )
    return _validated(inn, number)


def checked_kpp(text: str, inn_number: str) -> str:
    """A KPP; an entrepreneur, whose INN has 12 digits, has none."""
    number = _bare(text)
    if len(_bare(inn_number)) != 10:
        raise NumberWrong(_("KPP goes with an INN of 10 digits only: give that INN, or leave KPP empty."))
    if not re.fullmatch(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}", number):
        raise NumberWrong(_("KPP has 9 digits; only the fifth and sixth may be capital Latin letters."))
    return number


def checked_ogrn(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"[0-9]{13}|[0-9]{15}", number):
        raise NumberWrong(
            _("OGRN has 13 digits for organisations, 15 for entrepreneurs; this one has %(count)s characters."),
            count=str(len(number)),
        )
    return _validated(ogrn, number)


def checked_bik(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"0[0-4][0-9]{7}", number):
        raise NumberWrong(_("BIK has 9 digits and begins with 0, mostly with 04."))
    return number


def checked_russian_account(text: str, bik: str) -> str:
    """A settlement account whose key belongs to the bank, as far as the bank is known."""
    number = _twenty_digits(text)
    if _is_known(bik) and not _key_holds(number, _settlement_prefix(_bare(bik))):
        raise NumberWrong(_ELSEWHERE)
    return number


def checked_correspondent_account(text: str, bik: str) -> str:
    number = _twenty_digits(text)
    if not number.startswith("301"):
        raise NumberWrong(_("A correspondent account begins with 301."))
    if not _is_known(bik):
        return number
    if number[-3:] != _bare(bik)[-3:]:
        raise NumberWrong(_("A correspondent account ends with the last three digits of BIK."))
    if not _key_holds(number, _central_prefix(_bare(bik))):
        raise NumberWrong(_ELSEWHERE)
    return number


_ELSEWHERE: Final = _("Account and BIK do not belong together: one digit of either seems mistyped.")


def checked_vat(text: str, country: str) -> str:
    """The VAT number with its prefix, which may be left out on typing."""
    number = re.sub(r"[./]", "", _latin(text))
    if country == "GB":
        return _checked_british_vat(number)
    prefix = _VAT_PREFIXES.get(country, country)
    if not number.startswith(prefix):
        if re.match(r"[A-Z]{2}[0-9]", number) and number[:2] in {each.upper() for each in vat.MEMBER_STATES} | {"EL"}:
            raise NumberWrong(_("A VAT number of this country begins with %(prefix)s."), prefix=prefix)
        number = prefix + number
    try:
        return str(vat.validate(number))
    except InvalidChecksum:
        raise NumberWrong(_MISTYPED) from None
    except ValidationError:
        raise NumberWrong(
            _("This is not how VAT numbers of this country look. It begins with %(prefix)s."), prefix=prefix
        ) from None


def _checked_british_vat(number: str) -> str:
    prefix = "XI" if number.startswith("XI") else "GB"
    try:
        return prefix + str(british_vat.validate(number.removeprefix(prefix)))
    except InvalidChecksum:
        raise NumberWrong(_MISTYPED) from None
    except ValidationError:
        raise NumberWrong(_("A British VAT number is GB and 9 digits, with 3 more for a branch.")) from None


def checked_iban(text: str) -> str:
    number = _latin(text)
    length = _iban_length(number[:2])
    if length == 0:
        raise NumberWrong(_("This is not how an IBAN looks. Write it like DE89 3704 0044 0532 0130 00."))
    if len(number) != length:
        raise NumberWrong(
            _("An IBAN that begins with %(country)s has %(length)s characters; this one has %(count)s."),
            country=number[:2],
            length=str(length),
            count=str(len(number)),
        )
    return _formed(iban, number, _("This is not how an IBAN looks. Write it like DE89 3704 0044 0532 0130 00."))


def _iban_length(country: str) -> int:
    """How long the IBANs of a country are; 0 where there are none."""
    found = numdb.get("iban").info(country)
    described = found[0][1].get("bban", "") if found else ""
    counts = [int(count) for count in re.findall(r"([0-9]+)!?[nac]", described)]
    return 4 + sum(counts) if counts else 0


def checked_bic(text: str) -> str:
    return _formed(bic, text, _("BIC has 8 or 11 characters, such as DEUTDEFF500."))


def checked_utr(text: str) -> str:
    number = _bare(text).removesuffix("K").removeprefix("K")
    return _formed(utr, number, _("UTR has 10 digits."))


def checked_ein(text: str) -> str:
    number = _bare(text)
    _formed(ein, number, _("EIN has 9 digits and begins with a prefix that is in use, such as 12-3456789."))
    return f"{number[:2]}-{number[2:]}"


def checked_aba(text: str) -> str:
    return _formed(rtn, _bare(text), _("An ABA routing number has 9 digits."))


def checked_duns(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"[0-9]{9}", number):
        raise NumberWrong(_("DUNS has 9 digits."))
    return number


def checked_account(text: str) -> str:
    """An account of a country whose rules are not known here."""
    number = " ".join(text.split())
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z ./-]{2,33}", number):
        raise NumberWrong(_("An account number has 3 to 34 digits or Latin letters."))
    return number


def checked_american_account(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"[0-9]{4,17}", number):
        raise NumberWrong(_("An account number has 4 to 17 digits."))
    return number


CHECKS: Final[dict[str, Callable[[str], str]]] = {
    "inn": checked_inn,
    "ogrn": checked_ogrn,
    "bik": checked_bik,
    "iban": checked_iban,
    "bic": checked_bic,
    "utr": checked_utr,
    "ein": checked_ein,
    "aba": checked_aba,
    "duns": checked_duns,
}


def _bare(text: str) -> str:
    return re.sub(r"[\s-]", "", text).upper()


def _latin(text: str) -> str:
    """Without blanks; other scripts have figures that look right and are none of these numbers'."""
    number = _bare(text)
    if not number.isascii():
        raise NumberWrong(_("Only Latin letters and the digits 0 to 9 can stand here."))
    return number


def _validated(kind: Any, number: str) -> str:
    try:
        return str(kind.validate(number))
    except ValidationError:
        raise NumberWrong(_MISTYPED) from None


def _formed(kind: Any, text: str, form: str) -> str:
    try:
        return str(kind.validate(_latin(text)))
    except InvalidChecksum:
        raise NumberWrong(_MISTYPED) from None
    except ValidationError:
        raise NumberWrong(form) from None


def _twenty_digits(text: str) -> str:
    number = _bare(text)
    if not re.fullmatch(r"[0-9]{20}", number):
        raise NumberWrong(_("The account has 20 digits; this one has %(count)s characters."), count=str(len(number)))
    return number


def _is_known(bik: str) -> bool:
    """Whether the BIK can be used for a key; accounts of the treasury (00 to 02) have keys of their own."""
    return re.fullmatch(r"0[34][0-9]{7}", _bare(bik)) is not None


def _settlement_prefix(bik: str) -> str:
    """What stands before the account in the sum: the bank's last digits, or its region at the central bank."""
    return _central_prefix(bik) if bik[6:] in ("000", "001", "002") else bik[6:]


def _central_prefix(bik: str) -> str:
    return "0" + bik[4:6]


def _key_holds(account: str, prefix: str) -> bool:
    """The central bank's rule: the last digits of the weighted figures add up to a multiple of ten."""
    figures = prefix + account
    return sum(int(figure) * _WEIGHTS[place % 3] % 10 for place, figure in enumerate(figures)) % 10 == 0
