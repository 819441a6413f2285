"""What the list of companies and the page of one of them show, and the address of the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from django import forms
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext as _

from twin.billing.types import Balance
from twin.companies.queries import COMPANIES_A_PAGE, DIRECTORY_ORDERS, DIRECTORY_STATES, Directory, ListedCompany
from twin.companies.types import Company, Scope
from twin.portal.balance_page import Facts
from twin.portal.company_words import kind_words
from twin.portal.listing import Head, ListAsked, Segment
from twin.portal.money_words import Amount, amount_of
from twin.portal.rules.figures import count_text
from twin.pricing.types import RateCard

_COLUMNS: Final[dict[str, Promise]] = {
    "id": gettext_lazy("Id"),
    "name": pgettext_lazy("name of a company", "Name"),
    "tax": gettext_lazy("Tax number"),
    "kind": pgettext_lazy("of a company", "Kind"),
    "seller": gettext_lazy("Seller"),
    "card": gettext_lazy("Rate card"),
    "balance": gettext_lazy("Balance"),
    "limit": gettext_lazy("Credit limit"),
    "state": gettext_lazy("State"),
}

_FIGURES: Final = ("balance", "limit")


@dataclass(frozen=True)
class CompaniesAsked(ListAsked):
    """The list of companies as asked for."""

    route = "portal:companies"
    codes = DIRECTORY_STATES
    orders = DIRECTORY_ORDERS
    rows_a_page = COMPANIES_A_PAGE


@dataclass(frozen=True)
class CompanyRow:
    """`is_own` says that the asker is its seller; only then `card` and `balance` are known."""

    company: ListedCompany
    kind: str
    card: str
    is_own: bool
    balance: Balance | None = None

    @property
    def booked(self) -> Amount | None:
        return amount_of(self.balance.booked_minor, self.balance.currency) if self.balance else None

    @property
    def limit(self) -> Amount | None:
        limit = self.balance.account.limit_minor if self.balance else None
        return amount_of(limit, self.balance.currency) if self.balance and limit is not None else None

    @property
    def is_exhausted(self) -> bool:
        return self.balance is not None and self.balance.is_exhausted

    @property
    def lacks_card(self) -> bool:
        return self.is_own and not self.card


@dataclass(frozen=True)
class CompaniesPage:
    """Read by the templates."""

    asked: CompaniesAsked
    found: Directory
    cards: Mapping[int, RateCard]
    scope: Scope
    balances: Mapping[int, Balance] = field(default_factory=dict)

    @property
    def may_attach(self) -> bool:
        """Resellers invite companies; the platform moves them."""
        return self.scope.kind == "reseller" and self.scope.acting_id is None

    @property
    def heads(self) -> list[Head]:
        return [self.asked.head(name, str(title), is_figure=name in _FIGURES) for name, title in _COLUMNS.items()]

    @property
    def segments(self) -> list[Segment]:
        titles = {
            "all": pgettext("companies", "All"),
            "blocked": pgettext("companies", "Blocked"),
            "closed": pgettext("companies", "Closed"),
            "incomplete": _("Details incomplete"),
        }
        return [self.asked.segment_of(code, title, _number(self.found.counts[code])) for code, title in titles.items()]

    @property
    def rows(self) -> list[CompanyRow]:
        own = self.scope.organisation_id
        return [
            CompanyRow(
                company=one,
                kind=kind_words(one.kind),
                card=self.cards[one.id].name if one.seller_id == own and one.id in self.cards else "",
                is_own=one.seller_id == own,
                balance=self.balances.get(one.id) if one.seller_id == own else None,
            )
            for one in self.found.items
        ]

    @property
    def count_words(self) -> str:
        """Said aloud by screen readers when a search changes it."""
        number = self.found.total
        return ngettext("%(n)s company", "%(n)s companies", number) % {"n": _number(number)}

    @property
    def range_words(self) -> str:
        first = self.asked.offset + 1
        return _("%(first)s–%(last)s of %(companies)s") % {
            "first": _number(first),
            "last": _number(first + len(self.found.items) - 1),
            "companies": self.count_words,
        }

    @property
    def last_page(self) -> int:
        return max(1, -(-self.found.total // COMPANIES_A_PAGE))

    @property
    def last_href(self) -> str:
        return replace(self.asked, page=self.last_page).href

    @property
    def previous_href(self) -> str:
        return replace(self.asked, page=self.asked.page - 1).href if self.asked.page > 1 else ""

    @property
    def next_href(self) -> str:
        return replace(self.asked, page=self.asked.page + 1).href if self.asked.page < self.last_page else ""

    @property
    def every_href(self) -> str:
        return CompaniesAsked().href

    @property
    def csv_href(self) -> str:
        return self._file_href("csv")

    @property
    def xlsx_href(self) -> str:
        return self._file_href("xlsx")

    def _file_href(self, form: str) -> str:
        """The file of what is shown, all pages."""
        query = replace(self.asked, page=1).href.partition("?")[2]
        return f"{reverse('portal:companies_file')}?{query}{'&' if query else ''}format={form}"


@dataclass(frozen=True)
class OneCompanyPage:
    """The page of one company beneath the asker; `move_form` is None for whoever may not move it."""

    company: Company
    seller: str
    kind: str
    card: str
    is_seller: bool
    since: str
    closed_since: str
    details_form: forms.Form
    block_form: forms.Form
    close_form: forms.Form
    move_form: forms.Form | None
    facts: Facts | None = None
    terms_form: forms.Form | None = None
    may_act_for: bool = False

    @property
    def is_active(self) -> bool:
        return self.company.state == "active"


def _number(count: int) -> str:
    return count_text(count, get_language() or "en")
