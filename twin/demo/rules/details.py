"""What the companies of the demonstration told of themselves; every number passes its check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import phonenumbers
from stdnum import iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.gb import vat as british_vat
from stdnum.ru import inn, ogrn


@dataclass(frozen=True)
class _Place:
    """A city with a postal code, the street of everybody there, and how the country writes bank accounts."""

    city: str
    code: str
    street: str
    bank: str
    bic: str = ""
    bank_part: str = ""
    vat_form: str = ""


# In `vat_form` the braces take the company's number, # a digit that is tried until the number holds.
_PLACES: Final = {
    "DE": _Place("Berlin", "10115", "Lindenallee", "Hansebank", "HANSDEFFXXX", "10020030{0:010d}", "DE2{0:07d}#"),
    "PL": _Place("Warszawa", "00-950", "ulica Lipowa", "Bank Wisły", "WISLPLPWXXX", "10201042{0:016d}", "PL5#{0:07d}#"),
    "GB": _Place("London", "EC1A 1BB", "Lime Street", "Thames Bank", "THAMGB2LXXX", "THAM204060{0:08d}", "{0:07d}##"),
    "FR": _Place("Paris", "75002", "rue des Tilleuls", "Banque du Midi", "MIDIFRPPXXX", "", "FR##3{0:07d}#"),
    "AT": _Place("Wien", "1010", "Lindengasse", "Donaubank", "DONAATWWXXX", "12000{0:011d}", "ATU{0:07d}#"),
    "LV": _Place("Rīga", "LV-1010", "Liepu iela", "Daugavas banka", "DAUGLV22XXX", "DAUG{0:013d}", "LV4##{0:07d}#"),
    "LT": _Place("Vilnius", "01103", "Liepų gatvė", "Neries bankas", "NERILT22XXX", "70440{0:011d}", "LT{0:07d}1#"),
    "EE": _Place("Tallinn", "10111", "Pärna tänav", "Tallinna Pank", "TALLEE2XXXX", "", "EE1{0:07d}#"),
    "RU": _Place("Санкт-Петербург", "190000", "Липовая улица", "Невский банк"),
    "KZ": _Place("Алматы", "050000", "улица Абая", "Банк Алатау"),
}
_BIK: Final = "044030704"
_WEIGHTS: Final = (7, 1, 3)


def details_of(name: str, country: str, *, number: int, domain: str) -> dict[str, str]:
    """Everything the company information window asks for, but the name and the time zone; always the same."""
    place = _PLACES[country]
    phone = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.FIXED_LINE)
    told = {
        "email": f"office@{domain}",
        "phone": phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164) if phone else "",
        "country": country,
        "invoice_name": name,
        "receiver_name": name,
        "registration_number": f"{country} {100_000 + number}",
        "bank": place.bank,
        "legal_street": f"{place.street} {number % 97 + 1}",
        "legal_city": place.city,
        "legal_postal_code": place.code,
        "postal_same": "yes",
    }
    return told | (_russian(number) if country == "RU" else _european(country, place, number))


def _european(country: str, place: _Place, number: int) -> dict[str, str]:
    told = {"account": f"{7_000_000 + number}", "bic": place.bic}
    if place.vat_form:
        told["vat_number"] = _tried(place.vat_form.format(1_234_500 + number), _vat_check(country))
    if place.bank_part:
        bank_part = place.bank_part.format(7_000_000 + number)
        told["iban"] = f"{country}{iban.calc_check_digits(f'{country}00{bank_part}')}{bank_part}"
    return {name: value for name, value in told.items() if value}


def _vat_check(country: str) -> Callable[[str], object]:
    return british_vat.validate if country == "GB" else vat.validate


def _russian(number: int) -> dict[str, str]:
    return {
        "inn": _tried(f"78{1_234_000 + number:07d}#", inn.validate),
        "kpp": "780101001",
        "ogrn": _tried(f"10278{1_234_000 + number:07d}#", ogrn.validate),
        "bik": _BIK,
        "correspondent_account": _keyed("30101810#00000000704", f"0{_BIK[4:6]}"),
        "account": _keyed(f"40702810#{50_000_000_000 + number:011d}", _BIK[6:]),
    }


def _tried(form: str, check: Callable[[str], object]) -> str:
    """The form with the first check digits that hold."""
    return next(text for text in _filled(form) if _holds(text, check))


def _filled(form: str) -> Iterator[str]:
    places = form.count("#")
    for guess in range(10**places):
        text = form
        for figure in f"{guess:0{places}d}":
            text = text.replace("#", figure, 1)
        yield text


def _holds(text: str, check: Callable[[str], object]) -> bool:
    try:
        check(text)
    except ValidationError:
        return False
    return True


def _keyed(form: str, prefix: str) -> str:
    """A Russian account with the key that belongs to its bank."""

    def adds_up(text: str) -> bool:
        figures = prefix + text
        return sum(int(figure) * _WEIGHTS[at % 3] % 10 for at, figure in enumerate(figures)) % 10 == 0

    return next(text for text in _filled(form) if adds_up(text))
