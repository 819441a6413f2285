"""Words that documents and pages of billing share, in the active language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from babel import Locale
from babel.dates import format_date
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from twin.billing.rules.figures import count_words, price_words
from twin.billing.types import InvoiceKind, TaxKind
from twin.companies.types import Address
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.types import Terms

KIND_TITLES: Final[dict[InvoiceKind, Promise]] = {
    "invoice": gettext_lazy("Invoice"),
    "credit_note": gettext_lazy("Credit note"),
    "top_up": gettext_lazy("Request for a top-up"),
}
# In the order in which a party is recognised by them.
NUMBER_TITLES: Final[dict[str, Promise]] = {
    "vat_number": gettext_lazy("VAT number"),
    "inn": gettext_lazy("INN"),
    "kpp": gettext_lazy("KPP"),
    "ogrn": gettext_lazy("OGRN"),
    "utr": gettext_lazy("UTR"),
    "ein": gettext_lazy("EIN"),
    "registration_number": gettext_lazy("Registration number"),
    "duns": gettext_lazy("DUNS"),
}
BANK_TITLES: Final[dict[str, Promise]] = {
    "bank": gettext_lazy("Bank"),
    "bik": gettext_lazy("BIK"),
    "bic": gettext_lazy("BIC"),
    "aba": gettext_lazy("ABA routing"),
    "iban": gettext_lazy("IBAN"),
    "account": pgettext_lazy("at a bank", "Account"),
    "correspondent_account": gettext_lazy("Correspondent account"),
}
TAX_TEXTS: Final[dict[TaxKind, Promise]] = {
    "exempt": gettext_lazy("Without VAT."),
    "reverse_charge": gettext_lazy("Reverse charge: the recipient of the service owes the tax."),
}


def words_language() -> str:
    return "ru" if get_language() == "ru" else "en"


def _locale() -> str:
    return "ru" if words_language() == "ru" else "en_GB"


def day_words(day: date) -> str:
    """`3 February 2026`."""
    return format_date(day, "long", locale=_locale())


def month_words(month: date) -> str:
    """`January 2026`, in the case a name stands in by itself."""
    return format_date(month, "LLLL y", locale=_locale())


def country_words(code: str) -> str:
    return str(Locale.parse(_locale()).territories.get(code, code))


def address_lines(address: Address) -> list[str]:
    """As letters write it: street, place, country."""
    place = " ".join(part for part in (address.postal_code, address.city) if part)
    lines = (address.street, place, address.region, country_words(address.country) if address.country else "")
    return [line for line in lines if line]


def selector_words(selector: Mapping[str, str]) -> str:
    """`country DE, network 26201`; empty where the rate makes no difference."""
    return ", ".join(f"{name} {value}" for name, value in sorted(selector.items()))


def unit_words(number: int, meter: str) -> str:
    """`131 parts`, `7,320 s`."""
    unit = METER_BY_CODE[meter].unit
    shown = count_words(number, words_language())
    if unit == "second":
        return _("%(n)s s") % {"n": shown}
    if unit == "part":
        return ngettext("%(n)s part", "%(n)s parts", abs(number)) % {"n": shown}
    return ngettext("%(n)s message", "%(n)s messages", abs(number)) % {"n": shown}


def terms_words(terms: Terms, meter: str, currency: str) -> str:
    """`0.0745`, `0.05 / 60 s`, with the fee of each event where there is one."""
    language = words_language()
    price = price_words(terms.unit_price_nano, currency, language)
    if terms.per != 1:
        price = f"{price} / {unit_words(terms.per, meter)}"
    if terms.setup_fee_nano:
        price = f"{price} + {price_words(terms.setup_fee_nano, currency, language)}"
    return price


def increment_words(terms: Terms) -> str:
    """`60/1`: the first block and those that follow; empty where every unit counts."""
    return "" if (terms.minimum, terms.increment) in ((0, 1), (1, 1)) else f"{terms.minimum}/{terms.increment}"
