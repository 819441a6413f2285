"""What the list of documents shows, and the address that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from twin.billing.queries.invoices import (
    INVOICE_ORDERS,
    INVOICE_STATES,
    INVOICES_A_PAGE,
    InvoicesAsked,
    InvoiceSide,
)
from twin.billing.types import Invoice, InvoicePage, Waiting
from twin.billing.words import KIND_TITLES, month_words
from twin.companies.types import Scope
from twin.kernel.period import Period, instant_text
from twin.portal.listing import LONGEST_SEARCH, Head, Segment
from twin.portal.money_words import Amount, amount_of
from twin.portal.report_words import active_language
from twin.portal.rules.figures import count_text
from twin.portal.rules.periods import MomentUnreadable, read_moment
from twin.portal.words import date_words

WAITING: Final = "waiting"
SEGMENTS: Final = (*INVOICE_STATES, WAITING)
USUAL_SORT: Final = "-issued"
_COLUMNS: Final[dict[str, Promise]] = {
    "number": pgettext_lazy("of a document", "Number"),
    "partner": gettext_lazy("Company"),
    "issued": gettext_lazy("Issued on"),
    "month": gettext_lazy("Month"),
    "due": gettext_lazy("Payable until"),
    "amount": gettext_lazy("Amount"),
    "open": gettext_lazy("Still to be paid"),
    "state": gettext_lazy("State"),
}
_FIGURES: Final = ("amount", "open")


@dataclass(frozen=True)
class ListAddress:
    """The question as it stands in the address; what cannot be is taken as not given."""

    side: InvoiceSide = "received"
    usual_side: InvoiceSide = "received"
    segment: str = "all"
    search: str = ""
    start: datetime | None = None
    end: datetime | None = None
    partner_id: int | None = None
    sort: str = USUAL_SORT
    page: int = 1
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, str], zone: ZoneInfo, sides: tuple[InvoiceSide, ...]) -> ListAddress:
        problems: dict[str, str] = {}
        start, end = (_moment(given, name, zone, problems) for name in ("from", "to"))
        if start is not None and end is not None and start >= end:
            problems["to"] = _("The end must be later than the beginning.")
            start = end = None
        sort, page = given.get("sort", ""), given.get("page", "")
        return cls(
            side=next((side for side in sides if side == given.get("side")), sides[0]),
            usual_side=sides[0],
            segment=given.get("show", "") if given.get("show") in SEGMENTS else "all",
            search=given.get("search", "").strip()[:LONGEST_SEARCH],
            start=start,
            end=end,
            partner_id=_number(given.get("company", "")),
            sort=sort if sort.removeprefix("-") in INVOICE_ORDERS else USUAL_SORT,
            page=min(_number(page) or 1, 10**6),
            problems=problems,
        )

    @property
    def asked(self) -> InvoicesAsked:
        return InvoicesAsked(
            side=self.side,
            state="all" if self.segment == WAITING else self.segment,
            search=self.search,
            period=_period(self.start, self.end),
            partner_id=self.partner_id,
            sort=self.sort,
            offset=(self.page - 1) * INVOICES_A_PAGE,
        )

    def query(self, *extra: tuple[str, str]) -> str:
        pairs = [
            ("side", self.side, self.usual_side),
            ("show", self.segment, "all"),
            ("search", self.search, ""),
            ("from", instant_text(self.start) if self.start else "", ""),
            ("to", instant_text(self.end) if self.end else "", ""),
            ("company", str(self.partner_id or ""), ""),
            ("sort", self.sort, USUAL_SORT),
            ("page", str(self.page), "1"),
        ]
        query = urlencode([*((name, value) for name, value, usual in pairs if value != usual), *extra])
        return f"?{query}" if query else ""

    @property
    def href(self) -> str:
        return reverse("portal:invoices") + self.query()

    def file_href(self, form: str) -> str:
        return reverse("portal:invoices_file") + replace(self, page=1).query(("format", form))

    def head(self, name: str, title: str) -> Head:
        if name not in INVOICE_ORDERS:
            return Head(name, title, "", "", name in _FIGURES)
        is_current, is_falling = self.sort.removeprefix("-") == name, self.sort == f"-{name}"
        sorted_as = ("descending" if is_falling else "ascending") if is_current else ""
        next_sort = f"-{name}" if is_current and not is_falling else name
        return Head(name, title, replace(self, sort=next_sort, page=1).href, sorted_as, name in _FIGURES)


def _period(start: datetime | None, end: datetime | None) -> Period | None:
    if start is None and end is None:
        return None
    first, last = (
        datetime.fromisoformat("1900-01-01T00:00:00+00:00"),
        datetime.fromisoformat("9000-01-01T00:00:00+00:00"),
    )
    return Period(start or first, end or last)


def _moment(given: Mapping[str, str], name: str, zone: ZoneInfo, problems: dict[str, str]) -> datetime | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return read_moment(text, zone).instant
    except MomentUnreadable:
        problems[name] = _("This date and time cannot be read. Write it like 2026-10-01T00:00:00.")
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) else None


@dataclass(frozen=True)
class InvoiceRow:
    """One document; `state` is its words, `tone` the kind of its mark."""

    invoice: Invoice
    kind: str
    partner: str
    issued: str
    month: str
    due: str
    amount: Amount
    open: Amount | None
    state: str
    tone: str


@dataclass(frozen=True)
class WaitingRow:
    """A statement whose invoice waits."""

    waiting: Waiting
    month: str
    partner: str
    own_missing: bool
    other_missing: bool


def state_of(invoice: Invoice, today: date) -> tuple[str, str]:
    """What has become of a document, in words, and the kind of its mark."""
    if invoice.kind == "credit_note":
        return _("Issued"), "plain"
    if invoice.kind == "top_up":
        paid = invoice.paid_minor >= invoice.gross_minor
        return (pgettext("of an invoice", "Paid"), "accent") if paid else (_("Awaits payment"), "plain")
    if invoice.open_minor <= 0:
        credited = invoice.credited_minor >= invoice.gross_minor and invoice.gross_minor > 0
        return (_("Credited"), "plain") if credited else (pgettext("of an invoice", "Paid"), "accent")
    if invoice.due_on is not None and invoice.due_on < today:
        return _("Overdue"), "danger"
    if invoice.paid_minor > 0:
        return _("Partly paid"), "warning"
    return _("To be paid"), "plain"


@dataclass(frozen=True)
class InvoicesPage:
    """Read by the templates."""

    address: ListAddress
    found: InvoicePage
    waiting: tuple[Waiting, ...]
    scope: Scope
    zone: ZoneInfo
    sides: tuple[InvoiceSide, ...]
    today: date

    @property
    def heads(self) -> list[Head]:
        titles = dict(_COLUMNS)
        titles["partner"] = gettext_lazy("Seller") if self.address.side == "received" else gettext_lazy("Buyer")
        return [self.address.head(name, str(title)) for name, title in titles.items()]

    @property
    def side_links(self) -> list[Segment]:
        titles = {"received": pgettext("invoices", "Received"), "issued": pgettext("invoices", "Issued")}
        if len(self.sides) < 2:
            return []
        usual = ListAddress(usual_side=self.sides[0])
        return [
            Segment(titles[side], "", replace(usual, side=side).href, side == self.address.side) for side in self.sides
        ]

    @property
    def segments(self) -> list[Segment]:
        titles = {
            "all": pgettext("documents", "All"),
            "open": _("To be paid"),
            "overdue": pgettext("invoices", "Overdue"),
            "paid": pgettext("invoices", "Paid"),
            "credit_note": _("Credit notes"),
            "top_up": _("Top-ups"),
            WAITING: pgettext("invoices", "Waiting"),
        }
        counts = {**self.found.counts, WAITING: len(self.waiting)}
        return [
            Segment(
                title,
                count_text(counts[code], active_language()),
                replace(self.address, segment=code, page=1).href,
                self.address.segment == code,
            )
            for code, title in titles.items()
        ]

    @property
    def shows_waiting(self) -> bool:
        return self.address.segment == WAITING

    @property
    def rows(self) -> list[InvoiceRow]:
        return [self._row(one) for one in self.found.items]

    def _row(self, one: Invoice) -> InvoiceRow:
        state, tone = state_of(one, self.today)
        return InvoiceRow(
            invoice=one,
            kind="" if one.kind == "invoice" else str(KIND_TITLES[one.kind]),
            partner=one.seller_name if self.address.side == "received" else one.buyer_name,
            issued=date_words(one.issued_on),
            month=month_words(one.month) if one.month else "",
            due=date_words(one.due_on) if one.due_on else "",
            amount=amount_of(one.gross_minor, one.currency),
            open=amount_of(max(0, one.open_minor), one.currency) if one.kind == "invoice" else None,
            state=state,
            tone=tone,
        )

    @property
    def waiting_rows(self) -> list[WaitingRow]:
        is_seller = self.address.side == "issued"
        return [
            WaitingRow(
                waiting=one,
                month=month_words(one.month),
                partner=one.buyer_name if is_seller else one.seller_name,
                own_missing=bool(one.seller_missing if is_seller else one.buyer_missing),
                other_missing=bool(one.buyer_missing if is_seller else one.seller_missing),
            )
            for one in self.waiting
        ]

    @property
    def open_sum(self) -> Amount | None:
        return amount_of(self.found.open_minor, self.found.currency) if self.found.currency else None

    @property
    def overdue_sum(self) -> Amount | None:
        return amount_of(self.found.overdue_minor, self.found.currency) if self.found.overdue_minor else None

    @property
    def from_value(self) -> str:
        return self._local(self.address.start)

    @property
    def to_value(self) -> str:
        return self._local(self.address.end)

    def _local(self, moment: datetime | None) -> str:
        return moment.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""

    @property
    def count_words(self) -> str:
        """Said aloud by screen readers when a search changes it."""
        number = len(self.waiting) if self.shows_waiting else self.found.total
        words = ngettext("%(n)s document", "%(n)s documents", number)
        return words % {"n": count_text(number, active_language())}

    @property
    def range_words(self) -> str:
        first = self.address.asked.offset + 1
        return _("%(first)s–%(last)s of %(documents)s") % {
            "first": count_text(first, active_language()),
            "last": count_text(first + len(self.found.items) - 1, active_language()),
            "documents": self.count_words,
        }

    @property
    def last_page(self) -> int:
        return max(1, -(-self.found.total // INVOICES_A_PAGE))

    @property
    def last_href(self) -> str:
        return replace(self.address, page=self.last_page).href

    @property
    def previous_href(self) -> str:
        return replace(self.address, page=self.address.page - 1).href if self.address.page > 1 else ""

    @property
    def next_href(self) -> str:
        return replace(self.address, page=self.address.page + 1).href if self.address.page < self.last_page else ""

    @property
    def every_href(self) -> str:
        return ListAddress(side=self.address.side, usual_side=self.address.usual_side).href

    @property
    def is_narrowed(self) -> bool:
        return bool(self.address.search or self.address.start or self.address.end or self.address.partner_id)

    @property
    def csv_href(self) -> str:
        return self.address.file_href("csv")

    @property
    def xlsx_href(self) -> str:
        return self.address.file_href("xlsx")
