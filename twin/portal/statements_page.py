"""What the pages of statements show, and the addresses that show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from twin.billing.queries.drilling import ChargePage
from twin.billing.queries.listing import (
    STATEMENT_ORDERS,
    STATEMENTS_A_PAGE,
    ListedStatement,
    OpenMonth,
    StatementPage,
    StatementsAsked,
    StatementSide,
)
from twin.billing.rules.rounding import minor, minor_nano
from twin.billing.types import Invoice, Statement, StatementLine
from twin.kernel.money import amount_text
from twin.kernel.period import instant_text
from twin.metering.queries.billable_events import BillableCharge
from twin.metering.types import RateTerms
from twin.portal.drill_page import unit_price_words
from twin.portal.listing import Head, ListAsked, Pager, Segment
from twin.portal.report_words import attributes_words
from twin.portal.rules.figures import count_text, exact_text, money_text
from twin.portal.words import date_words, moment_words, month_words
from twin.pricing.words import METER_TITLES

SEGMENTS: Final = ("open", "waiting", "closed")
_COLUMNS: Final[dict[str, Promise]] = {
    "name": gettext_lazy("Company"),
    "month": gettext_lazy("Month"),
    "amount": gettext_lazy("Amount"),
    "closed": gettext_lazy("Closed"),
}
KIND_WORDS: Final[dict[str, Promise]] = {
    "event": gettext_lazy("charged"),
    "priced": gettext_lazy("priced later"),
    "reversal": gettext_lazy("taken back"),
    "rerated": gettext_lazy("charged anew"),
    "withdrawal": gettext_lazy("usage taken back"),
}


def active() -> str:
    return get_language() or "en"


@dataclass(frozen=True)
class Amount:
    """Rounded as it is read, exact as it is."""

    text: str
    exact: str
    is_negative: bool


def amount_of(nano: int) -> Amount:
    return Amount(money_text(nano, active()), amount_text(nano), nano < 0)


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
        if self.asked.segment == "open":
            return [Head(name, str(_COLUMNS[name]), "", "", name == "amount") for name in ("name", "month", "amount")]
        shown = ("month", "name", "amount", "closed")
        heads = [self.asked.head(name, str(_COLUMNS[name]), is_figure=name == "amount") for name in shown]
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
        return [self.asked.segment_of(code, titles[code], count_text(counts[code], active())) for code in SEGMENTS]

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
            amount=None if one.amount is None else amount_of(one.amount),
            late=amount_of(one.late) if one.late else None,
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
        return ngettext("%(n)s statement", "%(n)s statements", total) % {"n": count_text(total, active())}


def running_row(one: OpenMonth) -> StatementRow:
    """A pair's open month; its amount holds everything that stands in no closed statement."""
    following = one.following
    return StatementRow(
        href=open_href(following.seller_id, following.buyer.company_id),
        partner=following.buyer.name,
        partner_id=following.buyer.company_id,
        month=month_words(following.span.month),
        amount=amount_of(one.amount),
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
        amount=amount_of(found.amount or 0),
        late=None,
        state=found.state,
        held=found.held,
        closed="",
    )


def open_href(seller_id: int, buyer_id: int, month: date | None = None) -> str:
    address = reverse("portal:open_statement", args=[seller_id, buyer_id])
    return address if month is None else f"{address}?{urlencode({'month': month.isoformat()[:7]})}"


@dataclass(frozen=True)
class LineRow:
    """One line of a statement."""

    number: int
    meter: str
    code: str
    selector: str
    unit_price: str
    count: str
    quantity: str
    billed: str
    is_billed_otherwise: bool
    amount: str
    rounded: str
    href: str


@dataclass(frozen=True)
class LineGroup:
    """The month's own usage, or what came late of one month."""

    title: str
    note: str
    lines: tuple[LineRow, ...]
    total: Amount
    exact_total: str
    rounded_total: str


@dataclass(frozen=True)
class Sibling:
    title: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class OneStatementPage:
    """A statement with its lines."""

    found: Statement
    seller: str
    buyer: str
    zone: ZoneInfo
    unrated: int
    is_seller: bool
    may_write: bool
    siblings: tuple[Sibling, ...] = ()
    documents: tuple[Invoice, ...] = ()
    waits_for_details: bool = False

    @property
    def month(self) -> str:
        return month_words(self.found.month)

    @property
    def own_zone(self) -> ZoneInfo:
        """The months are the buyer's."""
        return ZoneInfo(self.found.time_zone)

    @property
    def starts(self) -> str:
        return moment_words(self.found.period.start, self.own_zone)

    @property
    def ends(self) -> str:
        return moment_words(self.found.period.end, self.own_zone)

    @property
    def closed(self) -> str:
        return moment_words(self.found.closed_at, self.zone) if self.found.closed_at else ""

    @property
    def unrated_words(self) -> str:
        return ngettext("%(n)s event without a price", "%(n)s events without a price", self.unrated) % {
            "n": count_text(self.unrated, active())
        }

    @property
    def groups(self) -> list[LineGroup]:
        own = [line for line in self.found.lines if line.kind == "usage"]
        late = [line for line in self.found.lines if line.kind == "late"]
        months = sorted({line.month for line in late})
        found = [self._group(_("Usage of the month"), "", own)] if own else []
        return found + [
            self._group(
                _("Late: %(month)s") % {"month": month_words(month)},
                _("It happened in that month and came, or was changed, after its statement was closed."),
                [line for line in late if line.month == month],
            )
            for month in months
        ]

    def _group(self, title: str, note: str, lines: list[StatementLine]) -> LineGroup:
        exact = sum(line.amount for line in lines)
        return LineGroup(
            title,
            note,
            tuple(self._line(line) for line in lines),
            amount_of(exact),
            exact_text(exact, active()),
            self._rounded(lines),
        )

    def _line(self, line: StatementLine) -> LineRow:
        terms = RateTerms(line.rate_id, line.terms, line.selector, self.found.period.start)
        language = active()
        return LineRow(
            number=line.number,
            meter=str(METER_TITLES[line.meter]),
            code=line.meter,
            selector=attributes_words(line.selector) if line.selector else "",
            unit_price=unit_price_words(terms),
            count=count_text(line.count, language),
            quantity=count_text(line.quantity, language),
            billed=count_text(line.billed, language),
            is_billed_otherwise=line.billed != line.quantity,
            amount=exact_text(line.amount, language),
            rounded=money_text(minor_nano(minor(line.amount, self.found.currency), self.found.currency), language),
            href=self.line_href(line.number),
        )

    def line_href(self, number: int) -> str:
        found = self.found
        if found.id is not None:
            return reverse("portal:statement_line", args=[found.id, number])
        address = reverse("portal:open_statement_line", args=[found.seller_id, found.buyer_id, number])
        return f"{address}?{urlencode({'month': found.month.isoformat()[:7]})}"

    @property
    def total(self) -> Amount:
        return amount_of(self.found.amount or 0)

    @property
    def rounded_total(self) -> str:
        """What the lines come to when each is rounded: the net amount of a document."""
        return self._rounded(self.found.lines)

    def _rounded(self, lines: Iterable[StatementLine]) -> str:
        currency = self.found.currency
        return money_text(minor_nano(sum(minor(line.amount, currency) for line in lines), currency), active())

    @property
    def exact_total(self) -> str:
        return exact_text(self.found.amount or 0, active())

    @property
    def policy_words(self) -> str:
        return str(POLICY_WORDS[self.found.late_policy]) if self.found.late_policy else ""


POLICY_WORDS: Final[dict[str, Promise]] = {
    "next_invoice": gettext_lazy("On the next invoice"),
    "credit_note": gettext_lazy("What lowers a month on a credit note"),
    "write_off": gettext_lazy("Written off, unless it lowers the amount"),
}


@dataclass(frozen=True)
class ChargeRow:
    """One charge of a line."""

    moment: str
    instant: str
    company: str
    company_id: int
    source: str
    id: str
    kind: str
    is_plain: bool
    quantity: str
    billed: str
    amount: str
    received: str
    attributes: str


@dataclass(frozen=True)
class ChargesPage:
    """The charges that one line adds up."""

    page: OneStatementPage
    line: StatementLine
    charges: ChargePage
    names: Mapping[int, str]
    back_href: str
    next_href: str

    @property
    def title(self) -> str:
        return str(METER_TITLES[self.line.meter])

    @property
    def row(self) -> LineRow:
        return self.page._line(self.line)  # noqa: SLF001 - the same line, in the same words

    @property
    def month(self) -> str:
        return month_words(self.line.month)

    @property
    def shows_companies(self) -> bool:
        return any(one.company_id != self.page.found.buyer_id for one in self.charges.items)

    @property
    def rows(self) -> list[ChargeRow]:
        return [self._row(one) for one in self.charges.items]

    def _row(self, one: BillableCharge) -> ChargeRow:
        language = active()
        return ChargeRow(
            moment=moment_words(one.event_time, self.page.own_zone),
            instant=instant_text(one.event_time),
            company=self.names.get(one.company_id, ""),
            company_id=one.company_id,
            source=one.source,
            id=one.id,
            kind=str(KIND_WORDS[one.kind]),
            is_plain=one.kind == "event",
            quantity=count_text(one.quantity, language),
            billed=count_text(one.billed, language),
            amount=exact_text(one.amount, language),
            received=moment_words(one.received_at.replace(microsecond=0), self.page.zone),
            attributes=attributes_words(one.attributes) if one.attributes else "",
        )


def month_asked(text: str) -> date | None:
    """`2026-10` of an address; None for what cannot be."""
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None
