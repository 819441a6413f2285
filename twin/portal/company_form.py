"""The fields of the company information window: their words, what stands in them, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from twin.companies.errors import FieldProblem
from twin.companies.rules.countries import COUNTRIES, group_of
from twin.companies.rules.information import FIELDS, GROUPS_OF, is_asked

LABELS: Final[dict[str, Promise]] = {
    "name": pgettext_lazy("of a company", "Name"),
    "email": _("Email"),
    "phone": _("Phone"),
    "time_zone": _("Time zone"),
    "max_dialogs": _("Default value of the maximum number of dialogs for each operator"),
    "country": _("Country"),
    "invoice_name": _("Company name"),
    "receiver_name": _("Receiver name"),
    "registration_number": _("Registration number"),
    "inn": _("INN"),
    "kpp": _("KPP"),
    "ogrn": _("OGRN"),
    "vat_number": _("VAT number"),
    "utr": _("UTR"),
    "ein": _("EIN"),
    "duns": _("DUNS"),
    "bank": _("Bank"),
    "bik": _("BIK"),
    "bic": _("BIC"),
    "aba": _("ABA routing number"),
    "account": pgettext_lazy("at a bank", "Account"),
    "correspondent_account": _("Correspondent account"),
    "iban": _("IBAN"),
    "legal_street": _("Street and house"),
    "legal_city": _("City"),
    "legal_region": _("Region"),
    "legal_postal_code": _("Postal code"),
    "postal_same": _("Same as legal"),
    "postal_street": _("Street and house, or PO box"),
    "postal_city": _("City"),
    "postal_region": _("Region"),
    "postal_postal_code": _("Postal code"),
    "postal_country": _("Country"),
}
# Where a label alone does not say which address, as in a list of what is missing.
LONG_LABELS: Final[dict[str, Promise]] = {
    "registration_number": _("registration or tax number"),
    "legal_street": _("street of the legal address"),
    "legal_city": _("city of the legal address"),
    "legal_region": _("region of the legal address"),
    "legal_postal_code": _("postal code of the legal address"),
    "postal_same": _("“same as legal”"),
    "postal_street": _("street of the postal address"),
    "postal_city": _("city of the postal address"),
    "postal_region": _("region of the postal address"),
    "postal_postal_code": _("postal code of the postal address"),
    "postal_country": _("country of the postal address"),
    "max_dialogs": _("maximum number of dialogs"),
}
HINTS: Final[dict[str, Promise]] = {
    "time_zone": _("Sets the times in monthly reports."),
    "max_dialogs": _("Each operator can be given another value on the Users page."),
    "country": _("Decides which details are asked for."),
    "invoice_name": _("Only if it differs from the name."),
    "kpp": _("Organisations only."),
}
_AUTOCOMPLETE: Final = {
    "name": "organization",
    "email": "email",
    "phone": "tel",
    "legal_street": "billing address-line1",
    "legal_city": "billing address-level2",
    "legal_region": "billing address-level1",
    "legal_postal_code": "billing postal-code",
    "postal_street": "shipping address-line1",
    "postal_city": "shipping address-level2",
    "postal_region": "shipping address-level1",
    "postal_postal_code": "shipping postal-code",
}
_KINDS: Final = {"email": "email", "phone": "tel"}
_DIGITS: Final = frozenset(("max_dialogs", "inn", "kpp", "ogrn", "bik", "correspondent_account", "utr", "duns", "aba"))


@dataclass(frozen=True)
class Shown:
    """One field as the page draws it; `meanwhile` is what somebody else saved there."""

    name: str
    value: str
    problem: str = ""
    meanwhile: str | None = None
    is_hidden: bool = False
    is_necessary: bool = False

    @property
    def label(self) -> Promise:
        return LABELS[self.name]

    @property
    def hint(self) -> Promise | str:
        return HINTS.get(self.name, "")

    @property
    def long_label(self) -> str:
        words = long_label(self.name)
        return words[:1].upper() + words[1:]

    @property
    def is_optional(self) -> bool:
        """Said where a neighbour is necessary."""
        return self.name.endswith("_region")

    @property
    def kind(self) -> str:
        return _KINDS.get(self.name, "text")

    @property
    def autocomplete(self) -> str:
        return _AUTOCOMPLETE.get(self.name, "off")

    @property
    def inputmode(self) -> str:
        return "numeric" if self.name in _DIGITS else ""

    @property
    def longest(self) -> int:
        return FIELDS[self.name]

    @property
    def groups(self) -> str:
        """The sets of details the field belongs to; the general set is a dash."""
        return " ".join(group or "-" for group in GROUPS_OF.get(self.name, ()))

    @property
    def described_by(self) -> str:
        parts = [("hint", self.hint), ("problem", self.problem), ("meanwhile", self.meanwhile is not None)]
        return " ".join(f"{self.name}-{part}" for part, is_there in parts if is_there)


@dataclass(frozen=True)
class CountryChoice:
    code: str
    name: str
    group: str


@cache
def _countries_in(language: str) -> tuple[CountryChoice, ...]:
    names = Locale(language).territories
    known = ((code, str(names.get(code, code))) for code in COUNTRIES)
    return tuple(
        CountryChoice(code, name, group_of(code) or "-")
        for code, name in sorted(known, key=lambda one: one[1].casefold().replace("å", "a").replace("ё", "е"))
    )


def countries() -> tuple[CountryChoice, ...]:
    """Every country by its name in the active language."""
    return _countries_in((get_language() or "en")[:2])


def sentence(problem: FieldProblem) -> str:
    """What is wrong and how to mend it, in the active language."""
    return gettext(problem.message) % problem.parts


def shown_fields(
    values: Mapping[str, str],
    *,
    problems: Iterable[FieldProblem] = (),
    meanwhile: Mapping[str, str] | None = None,
    necessary: Iterable[str] = (),
) -> dict[str, Shown]:
    """Every field by its name, those of other countries hidden."""
    wrong = {problem.field: sentence(problem) for problem in problems}
    country, needed = values.get("country", ""), set(necessary)
    return {
        name: Shown(
            name=name,
            value=values.get(name, ""),
            problem=wrong.get(name, ""),
            meanwhile=(meanwhile or {}).get(name),
            is_hidden=not is_asked(name, country),
            is_necessary=name in needed,
        )
        for name in LABELS
    }


def long_label(name: str) -> str:
    """The label, with which address where that is not clear by itself."""
    return str(LONG_LABELS.get(name) or LABELS[name])
