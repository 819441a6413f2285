"""What the list of statements shows, and the addresses that show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from twin.billing.queries.listing import (
    STATEMENT_ORDERS,
    STATEMENTS_A_PAGE,
    ListedStatement,
    OpenMonth,
    StatementPage,
    StatementsAsked,
    StatementSide,
)
from twin.billing.types import Statement
from twin.portal.listing import Head, ListAsked, Pager, Segment
from twin.portal.money_words import Amount, exact_amount
from twin.portal.report_words import active_language
from twin.portal.rules.figures import count_text
from twin.portal.words import date_words, month_words

SEGMENTS: Final = ("open", "waiting", "closed")
_COLUMNS: Final[dict[str, Promise]] = {
    "name": gettext_lazy("Company"),
    "month": gettext_lazy("Month"),
    "amount": gettext_lazy("Amount"),
    "closed": pgettext_lazy("a statement", "Closed"),
}


@dataclass(frozen=True)
class StatementsListAsked(ListAsked):
    """The list as asked for; `side` is whose statements: those the own organisation makes or gets."""

    route = "portal:statements"
    codes = SEGMENTS
    orders = STATEMENT_ORDERS
    rows_a_page = STATEMENTS_A_PAGE

    segment: str = "open"
    sort: str = "-month"
    side: StatementSide = "issued"

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        asked = super().read(given)
        sort = given.get("sort", "")
        return replace(
            asked,
            sort=sort if sort.removeprefix("-") in cls.orders else "-month",
            side="received" if given.get("side") == "received" else "issued",
        )

    @property
    def href(self) -> str:
        address = super().href
        if self.side == "issued":
            return address
        return f"{address}{'&' if '?' in address else '?'}{urlencode({'side': self.side})}"

    @property
    def question(self) -> StatementsAsked:
        return StatementsAsked(
            side=self.side,
            state=self.segment,
            search=self.search,
            sort=self.sort,
            offset=self.offset,
            limit=self.rows_a_page,
        )


@dataclass(frozen=True)
class StatementRow:
    """One statement of the list, closed or not."""

    href: str
    partner: str
    partner_id: int
    month: str
    amount: Amount | None
    late: Amount | None
    state: str
    held: str
    closed: str


@dataclass(frozen=True)
class StatementsPage:
    """Read by the templates. Of the open segment `running`, else `found`."""

    asked: StatementsListAsked
    found: StatementPage
    running: tuple[StatementRow, ...]
    running_total: int
    names: Mapping[int, str]
    zone: ZoneInfo
    both_sides: bool
    sells: bool

    @property
    def heads(self) -> list[Head]:
        titles = {name: str(title) for name, title in _COLUMNS.items()}
        if self.asked.side == "received":
            titles["name"] = _("Seller")
        if self.asked.segment == "open":
            return [Head(name, titles[name], "", "", name == "amount") for name in ("name", "month", "amount")]
        shown = ("month", "name", "amount", "closed")
        heads = [self.asked.head(name, titles[name], is_figure=name == "amount") for name in shown]
        # A buyer's sellers are few, and called by other than its own rights.
        return [replace(one, href="") if one.name == "name" and self.asked.side == "received" else one for one in heads]

    @property
    def segments(self) -> list[Segment]:
        counts = {**self.found.counts, "open": self.running_total}
        titles = {
            "open": pgettext("statements", "Open"),
            "waiting": pgettext("statements", "Waiting"),
            "closed": pgettext("statements", "Closed"),
        }
        return [
            self.asked.segment_of(code, titles[code], count_text(counts[code], active_language())) for code in SEGMENTS
        ]

    @property
    def sides(self) -> list[Segment]:
        titles: tuple[tuple[StatementSide, str], ...] = (
            ("issued", _("To be paid to us")),
            ("received", _("To be paid by us")),
        )
        return [
            Segment(title, "", replace(self.asked, side=side, search="", page=1).href, self.asked.side == side)
            for side, title in titles
        ]

    @property
    def rows(self) -> list[StatementRow]:
        return list(self.running) if self.asked.segment == "open" else [self._row(one) for one in self.found.items]

    def _row(self, one: ListedStatement) -> StatementRow:
        partner = one.buyer_id if self.asked.side == "issued" else one.seller_id
        return StatementRow(
            href=reverse("portal:statement", args=[one.id]),
            partner=self.names.get(partner, "") or one.buyer,
            partner_id=partner,
            month=month_words(one.month),
            amount=None if one.amount is None else exact_amount(one.amount),
            late=exact_amount(one.late) if one.late else None,
            state=one.state,
            held=one.held,
            closed=date_words(one.closed_at.astimezone(self.zone)) if one.closed_at else "",
        )

    @property
    def pager(self) -> Pager:
        total = self.running_total if self.asked.segment == "open" else self.found.total
        return Pager(self.asked, len(self.rows), total)

    @property
    def count_words(self) -> str:
        total = self.pager.total
        return ngettext("%(n)s statement", "%(n)s statements", total) % {"n": count_text(total, active_language())}


def running_row(one: OpenMonth) -> StatementRow:
    """A pair's open month; its amount holds everything that stands in no closed statement."""
    following = one.following
    return StatementRow(
        href=open_href(following.seller_id, following.buyer.company_id),
        partner=following.buyer.name,
        partner_id=following.buyer.company_id,
        month=month_words(following.span.month),
        amount=exact_amount(one.amount),
        late=None,
        state="open",
        held=following.waiting.held if following.waiting else "",
        closed="",
    )


def open_row(found: Statement, seller: str) -> StatementRow:
    """A buyer's own open month."""
    return StatementRow(
        href=open_href(found.seller_id, found.buyer_id, found.month),
        partner=seller,
        partner_id=found.seller_id,
        month=month_words(found.month),
        amount=exact_amount(found.amount or 0),
        late=None,
        state=found.state,
        held=found.held,
        closed="",
    )


def open_href(seller_id: int, buyer_id: int, month: date | None = None) -> str:
    address = reverse("portal:open_statement", args=[seller_id, buyer_id])
    return address if month is None else f"{address}?{urlencode({'month': month.isoformat()[:7]})}"


def month_asked(text: str) -> date | None:
    """`2026-10` of an address; None for what cannot be."""
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None
