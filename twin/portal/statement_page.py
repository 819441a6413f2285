"""What one statement shows: its lines, and the charges that a line adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from twin.billing.queries.drilling import ChargePage
from twin.billing.rules.rounding import minor, minor_nano
from twin.billing.types import Invoice, Statement, StatementLine
from twin.kernel.period import instant_text
from twin.metering.queries.billable_events import BillableCharge
from twin.metering.types import RateTerms
from twin.portal.drill_page import unit_price_words
from twin.portal.money_words import Amount, exact_amount
from twin.portal.report_words import active_language, attributes_words
from twin.portal.rules.figures import count_text, exact_text, money_text
from twin.portal.words import moment_words, month_words
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES, SERVICE_TITLES

KIND_WORDS: Final[dict[str, Promise]] = {
    "event": gettext_lazy("charged"),
    "priced": gettext_lazy("priced later"),
    "reversal": gettext_lazy("taken back"),
    "rerated": gettext_lazy("charged anew"),
    "withdrawal": gettext_lazy("usage taken back"),
}


POLICY_WORDS: Final[dict[str, Promise]] = {
    "next_invoice": gettext_lazy("On the next invoice"),
    "credit_note": gettext_lazy("What lowers a month on a credit note"),
    "write_off": gettext_lazy("Written off, unless it lowers the amount"),
}


@dataclass(frozen=True)
class LineRow:
    """One line of a statement."""

    number: int
    service: str
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
            "n": count_text(self.unrated, active_language())
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
            tuple(self.row_of(line) for line in lines),
            exact_amount(exact),
            exact_text(exact, active_language()),
            self._rounded(lines),
        )

    def row_of(self, line: StatementLine) -> LineRow:
        terms = RateTerms(line.rate_id, line.terms, line.selector, self.found.period.start)
        language = active_language()
        return LineRow(
            number=line.number,
            service=str(SERVICE_TITLES[METER_BY_CODE[line.meter].service]),
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
        return exact_amount(self.found.amount or 0)

    @property
    def rounded_total(self) -> str:
        """What the lines come to when each is rounded: the net amount of a document."""
        return self._rounded(self.found.lines)

    def _rounded(self, lines: Iterable[StatementLine]) -> str:
        currency = self.found.currency
        return money_text(minor_nano(sum(minor(line.amount, currency) for line in lines), currency), active_language())

    @property
    def exact_total(self) -> str:
        return exact_text(self.found.amount or 0, active_language())

    @property
    def policy_words(self) -> str:
        return str(POLICY_WORDS[self.found.late_policy]) if self.found.late_policy else ""


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
        return self.page.row_of(self.line)

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
        language = active_language()
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
