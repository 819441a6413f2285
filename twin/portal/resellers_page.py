"""All resellers side by side, as the template reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from twin.portal.asking import Asked
from twin.portal.period_control import PeriodControl
from twin.portal.report_words import Figure, active_language, figure_of
from twin.portal.rules.figures import count_text, share_text
from twin.reports.types import SellerRow, SellersReport

_HEADS: Final[tuple[tuple[str, Promise, Promise], ...]] = (
    ("company_name", gettext_lazy("Name"), gettext_lazy("whose report it is; the platform comes first")),
    ("companies", gettext_lazy("Companies"), gettext_lazy("companies beneath it that used something")),
    ("total_buy", gettext_lazy("Owes its seller"), gettext_lazy("what it is charged by its own seller for all of it")),
    ("total_sell", gettext_lazy("Owed by its buyers"), gettext_lazy("what its own buyers owe for all of it")),
    ("margin", gettext_lazy("Margin"), gettext_lazy("what is left to it")),
)
_KEYS: Final[dict[str, Callable[[SellerRow], int | str]]] = {
    "company_name": lambda row: row.seller.name.casefold(),
    "companies": lambda row: row.user_count,
    "total_buy": lambda row: row.sums.buy,
    "total_sell": lambda row: row.sums.sell,
    "margin": lambda row: row.sums.margin,
}


class Head(NamedTuple):
    title: str
    help: str
    href: str
    aria_sort: str
    arrow: str
    text: bool


class SellerLine(NamedTuple):
    seller_id: int
    name: str
    under: str
    href: str
    companies: str
    buy: Figure
    sell: Figure
    margin: Figure
    share: str
    unrated: str


@dataclass(frozen=True)
class ResellersPage:
    report: SellersReport | None
    asked: Asked
    path: str
    report_path: str
    period: PeriodControl
    failed: dict[str, str]

    @property
    def retry_href(self) -> str:
        return self.asked.sellers_address(self.path)

    @property
    def currency(self) -> str:
        return self.report.currency if self.report else ""

    @cached_property
    def heads(self) -> list[Head]:
        return [self._head(code, str(title), str(meaning)) for code, title, meaning in _HEADS]

    def _head(self, code: str, title: str, meaning: str) -> Head:
        descending, is_sorted = self.asked.sort.startswith("-"), self.asked.sort.removeprefix("-") == code
        first = code if code == "company_name" else f"-{code}"
        other = code if descending else f"-{code}"
        return Head(
            title=title,
            help=meaning,
            href=self.asked.sellers_address(self.path, sort=other if is_sorted else first),
            aria_sort=("descending" if descending else "ascending") if is_sorted else "",
            arrow=("↓" if descending else "↑") if is_sorted else "",
            text=code == "company_name",
        )

    @cached_property
    def lines(self) -> list[SellerLine]:
        rows = list(self.report.rows) if self.report else []
        key = _KEYS.get(self.asked.sort.removeprefix("-"))
        if key is not None:
            rows.sort(key=key, reverse=self.asked.sort.startswith("-"))
        return [self._line(row) for row in rows]

    def _line(self, row: SellerRow) -> SellerLine:
        words = ngettext("%(n)s not rated", "%(n)s not rated", row.sums.unrated) if row.sums.unrated else ""
        is_deep = row.parent_name and row.seller.parent_id != self._platform_id
        return SellerLine(
            seller_id=row.seller.id,
            name=row.seller.name,
            under=_("under %(path)s") % {"path": row.parent_name} if is_deep else "",
            href=self.asked.for_reseller(row.seller.id).address(self.report_path, sort="company_id"),
            companies=count_text(row.user_count, active_language()),
            buy=figure_of(row.sums.buy),
            sell=figure_of(row.sums.sell),
            margin=figure_of(row.sums.margin),
            share=share_text(row.sums.margin, row.sums.sell, active_language()) or "",
            unrated=words % {"n": count_text(row.sums.unrated, active_language())} if words else "",
        )

    @property
    def _platform_id(self) -> int:
        return self.report.rows[0].seller.id if self.report else 0
