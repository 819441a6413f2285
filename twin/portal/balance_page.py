"""What the pages of balances and movements show, and the addresses that show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from functools import cached_property
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from twin.billing.queries.balances import BALANCE_ORDERS, BALANCE_STATES, BALANCES_A_PAGE, BalancesAsked
from twin.billing.queries.transactions import (
    TRANSACTION_KINDS,
    TRANSACTION_ORDERS,
    TRANSACTIONS_A_PAGE,
    TransactionsAsked,
    TransactionSide,
)
from twin.billing.rules.rounding import minor_nano
from twin.billing.types import Balance, BalancePage, BuyerBalance, Transaction, TransactionPage
from twin.kernel.period import Period, instant_text
from twin.portal.listing import LONGEST_SEARCH, Head, ListAsked, Pager, Segment
from twin.portal.money_words import Amount, amount_of, exact_amount
from twin.portal.report_words import active_language
from twin.portal.rules.figures import count_text
from twin.portal.rules.periods import MomentUnreadable, read_moment
from twin.portal.words import date_words, moment_words

USUAL_SORT: Final = "-at"
_BEFORE_ALL: Final = datetime(1900, 1, 1, tzinfo=UTC)
_AFTER_ALL: Final = datetime(9000, 1, 1, tzinfo=UTC)
KIND_WORDS: Final[dict[str, Promise]] = {
    "invoice": gettext_lazy("Invoice"),
    "credit_note": gettext_lazy("Credit note"),
    "payment": gettext_lazy("Payment"),
    "refund": gettext_lazy("Money given back"),
    "reversal": gettext_lazy("Undone"),
}
_SEGMENT_WORDS: Final[dict[str, Promise]] = {
    "all": pgettext_lazy("movements of money", "All"),
    "invoice": gettext_lazy("Invoices"),
    "credit_note": gettext_lazy("Credit notes"),
    "payment": gettext_lazy("Payments"),
    "refund": pgettext_lazy("movements of money", "Given back"),
    "reversal": pgettext_lazy("movements of money", "Undone"),
}


@dataclass(frozen=True)
class MovesAddress:
    """Which movements are asked for, as it stands in the address; what cannot be is taken as not given."""

    base: str
    segment: str = "all"
    search: str = ""
    start: datetime | None = None
    end: datetime | None = None
    sort: str = USUAL_SORT
    page: int = 1
    kept: tuple[tuple[str, str], ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(
        cls, given: Mapping[str, str], zone: ZoneInfo, *, base: str, kept: Iterable[tuple[str, str]] = ()
    ) -> MovesAddress:
        problems: dict[str, str] = {}
        start, end = (_moment(given, name, zone, problems) for name in ("from", "to"))
        if start is not None and end is not None and start >= end:
            problems["to"] = _("The end must be later than the beginning.")
            start = end = None
        sort, page = given.get("sort", ""), given.get("page", "")
        return cls(
            base=base,
            segment=given.get("show", "") if given.get("show") in TRANSACTION_KINDS else "all",
            search=given.get("search", "").strip()[:LONGEST_SEARCH],
            start=start,
            end=end,
            sort=sort if sort.removeprefix("-") in TRANSACTION_ORDERS else USUAL_SORT,
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
            kept=tuple(kept),
            problems=problems,
        )

    def asked(
        self, side: TransactionSide, *, partner_id: int | None = None, parties: Iterable[int] = ()
    ) -> TransactionsAsked:
        has_period = self.start is not None or self.end is not None
        return TransactionsAsked(
            side=side,
            kind=self.segment,
            search=self.search,
            parties=tuple(parties),
            period=Period(self.start or _BEFORE_ALL, self.end or _AFTER_ALL) if has_period else None,
            partner_id=partner_id,
            sort=self.sort,
            offset=self.offset,
            limit=TRANSACTIONS_A_PAGE,
        )

    rows_a_page = TRANSACTIONS_A_PAGE

    @property
    def offset(self) -> int:
        return (self.page - 1) * TRANSACTIONS_A_PAGE

    def file_href(self, form: str) -> str:
        return replace(self, base=f"{self.base}/file", page=1, kept=(*self.kept, ("format", form))).href

    @property
    def href(self) -> str:
        pairs = [
            *((name, value, "") for name, value in self.kept),
            ("show", self.segment, "all"),
            ("search", self.search, ""),
            ("from", instant_text(self.start) if self.start else "", ""),
            ("to", instant_text(self.end) if self.end else "", ""),
            ("sort", self.sort, USUAL_SORT),
            ("page", str(self.page), "1"),
        ]
        query = urlencode([(name, value) for name, value, usual in pairs if value != usual])
        return self.base + (f"?{query}" if query else "")

    def head(self, name: str, title: str, *, is_figure: bool = False) -> Head:
        if name not in TRANSACTION_ORDERS:
            return Head(name, title, "", "", is_figure)
        is_current, is_falling = self.sort.removeprefix("-") == name, self.sort == f"-{name}"
        sorted_as = ("descending" if is_falling else "ascending") if is_current else ""
        following = f"-{name}" if is_current and not is_falling else name
        return Head(name, title, replace(self, sort=following, page=1).href, sorted_as, is_figure)


def _moment(given: Mapping[str, str], name: str, zone: ZoneInfo, problems: dict[str, str]) -> datetime | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return read_moment(text, zone).instant
    except MomentUnreadable:
        problems[name] = _("This date and time cannot be read. Write it like 2026-10-01T00:00:00.")
        return None


@dataclass(frozen=True)
class MoveRow:
    """One movement as a line: what it raised the balance by or what was charged."""

    one: Transaction
    currency: str
    zone: ZoneInfo
    seller_zone: ZoneInfo
    partner: str

    @property
    def moment(self) -> str:
        """Of money that moved the day, as its seller has recorded it: banks tell no more."""
        local = self.one.at.astimezone(self.seller_zone)
        if self.one.kind in ("payment", "refund") and local.time() == time():
            return date_words(local)
        return moment_words(self.one.at.replace(microsecond=0), self.zone)

    @property
    def instant(self) -> str:
        return instant_text(self.one.at)

    @property
    def kind(self) -> str:
        return str(KIND_WORDS[self.one.kind])

    @property
    def refill(self) -> Amount | None:
        return amount_of(self.one.amount_minor, self.currency) if self.one.amount_minor > 0 else None

    @property
    def charge(self) -> Amount | None:
        return amount_of(-self.one.amount_minor, self.currency) if self.one.amount_minor < 0 else None

    @property
    def balance(self) -> Amount:
        return amount_of(self.one.balance_minor or 0, self.currency)

    @property
    def document_href(self) -> str:
        return reverse("portal:invoice", args=[self.one.invoice_id]) if self.one.invoice_id else ""

    @property
    def partner_id(self) -> int:
        return self.one.buyer_id

    @property
    def is_movable(self) -> bool:
        """A payment or a refund, which has a page of its own for its seller."""
        return self.one.kind in ("payment", "refund", "reversal")


@dataclass(frozen=True)
class Moves:
    """A list of movements; `names` are those of the other parties, empty where there is one only."""

    address: MovesAddress
    found: TransactionPage
    currency: str
    zone: ZoneInfo
    seller_zone: ZoneInfo
    names: Mapping[int, str]
    is_seller: bool

    @property
    def shows_partner(self) -> bool:
        return bool(self.names)

    @property
    def heads(self) -> list[Head]:
        head = self.address.head
        heads = [head("at", _("Date")), head("document", pgettext("of a movement of money", "Base"))]
        if self.shows_partner:
            heads.append(head("party", _("Company")))
        return [
            *heads,
            head("refill", pgettext("of a balance", "Refill"), is_figure=True),
            head("charge", pgettext("of a balance", "Charge"), is_figure=True),
            head("after", pgettext("of a balance", "Balance after"), is_figure=True),
        ]

    @property
    def segments(self) -> list[Segment]:
        counts, address = self.found.counts, self.address
        return [
            Segment(
                str(title), _count(counts[code]), replace(address, segment=code, page=1).href, address.segment == code
            )
            for code, title in _SEGMENT_WORDS.items()
            if code in ("all", address.segment) or counts[code]
        ]

    @cached_property
    def rows(self) -> list[MoveRow]:
        return [MoveRow(one, self.currency, self.zone, self.seller_zone, self._name(one)) for one in self.found.items]

    def _name(self, one: Transaction) -> str:
        other = one.buyer_id if self.is_seller else one.seller_id
        return self.names.get(other, _("Company %(id)s") % {"id": other}) if self.names else ""

    @property
    def pager(self) -> Pager:
        return Pager(self.address, len(self.found.items), self.found.total)  # type: ignore[arg-type]  # it has the same four

    @property
    def refilled(self) -> Amount:
        return amount_of(self.found.refilled_minor, self.currency)

    @property
    def charged(self) -> Amount:
        return amount_of(self.found.charged_minor, self.currency)

    @property
    def count_words(self) -> str:
        return _("Movements: %(n)s") % {"n": _count(self.found.total)}

    @property
    def from_value(self) -> str:
        return _local(self.address.start, self.zone)

    @property
    def to_value(self) -> str:
        return _local(self.address.end, self.zone)

    @property
    def csv_href(self) -> str:
        return self.address.file_href("csv")

    @property
    def xlsx_href(self) -> str:
        return self.address.file_href("xlsx")


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""


def _count(number: int) -> str:
    return count_text(number, active_language())


@dataclass(frozen=True)
class Facts:
    """The figures of one account."""

    balance: Balance

    @property
    def booked(self) -> Amount:
        return amount_of(self.balance.booked_minor, self.balance.currency)

    @property
    def unbilled(self) -> Amount:
        return exact_amount(self.balance.unbilled_gross)

    @property
    def has_tax(self) -> bool:
        return self.balance.unbilled_gross != self.balance.unbilled

    @property
    def waiting(self) -> Amount | None:
        return exact_amount(self.balance.waiting) if self.balance.waiting else None

    @property
    def limit(self) -> Amount | None:
        limit = self.balance.account.limit_minor
        return None if limit is None else amount_of(limit, self.balance.currency)

    @property
    def available(self) -> Amount | None:
        return None if self.balance.available is None else exact_amount(self.balance.available)

    @property
    def with_unbilled(self) -> Amount:
        """The balance as if everything were invoiced now."""
        return exact_amount(minor_nano(self.balance.booked_minor, self.balance.currency) - self.balance.unbilled_gross)

    @property
    def is_prepaid(self) -> bool:
        return self.balance.account.mode == "prepaid"

    @property
    def currency(self) -> str:
        return self.balance.currency


@dataclass(frozen=True)
class SellerChoice:
    """One of the sellers a company bought from."""

    name: str
    href: str
    is_current: bool


@dataclass(frozen=True)
class OwnBalancePage:
    """Where the own company stands with a seller."""

    facts: Facts
    moves: Moves
    seller: str
    sellers: tuple[SellerChoice, ...]
    top_up: forms.Form | None


@dataclass(frozen=True)
class AccountPage:
    """Where one buyer stands with the own organisation, and what may be done."""

    facts: Facts
    moves: Moves
    buyer_id: int
    buyer: str
    may_write: bool
    is_current: bool
    payment: forms.Form
    refund: forms.Form
    terms: forms.Form


@dataclass(frozen=True)
class BalancesListAsked(ListAsked):
    """The list of buyers as asked for."""

    route = "portal:balances"
    codes = BALANCE_STATES
    orders = BALANCE_ORDERS
    rows_a_page = BALANCES_A_PAGE

    @property
    def question(self) -> BalancesAsked:
        return BalancesAsked(self.segment, self.search, self.sort, self.offset, self.rows_a_page)

    def file_href(self, form: str) -> str:
        """The file of what is shown, all pages."""
        query = replace(self, page=1).href.partition("?")[2]
        return f"{reverse('portal:balances_file')}?{query}{'&' if query else ''}format={form}"


@dataclass(frozen=True)
class BuyerRow:
    one: BuyerBalance

    @property
    def facts(self) -> Facts:
        return Facts(self.one.balance)

    @property
    def open(self) -> Amount:
        return amount_of(self.one.open_minor, self.one.balance.currency)

    @property
    def overdue(self) -> Amount | None:
        return amount_of(self.one.overdue_minor, self.one.balance.currency) if self.one.overdue_minor else None


@dataclass(frozen=True)
class BalancesPage:
    """What all buyers owe the own organisation, and what it owes its seller."""

    asked: BalancesListAsked
    found: BalancePage
    own: Facts | None
    own_seller: str
    may_write: bool

    @property
    def heads(self) -> list[Head]:
        titles = {
            "name": (_("Company"), False),
            "booked": (_("Balance"), True),
            "unbilled": (_("Not invoiced yet"), True),
            "open": (_("Still to be paid"), True),
            "limit": (_("Credit limit"), True),
            "available": (_("May still be spent"), True),
            "state": (_("State"), False),
        }
        return [self.asked.head(name, title, is_figure=is_figure) for name, (title, is_figure) in titles.items()]

    @property
    def segments(self) -> list[Segment]:
        titles = {
            "all": pgettext("companies", "All"),
            "owing": pgettext("companies", "Owing"),
            "overdue": pgettext("companies", "Overdue"),
            "exhausted": pgettext("companies", "Exhausted"),
            "former": pgettext("companies", "Former"),
        }
        return [self.asked.segment_of(code, title, _count(self.found.counts[code])) for code, title in titles.items()]

    @cached_property
    def rows(self) -> list[BuyerRow]:
        return [BuyerRow(one) for one in self.found.items]

    @property
    def pager(self) -> Pager:
        return Pager(self.asked, len(self.found.items), self.found.total)

    @property
    def is_paid_ahead(self) -> bool:
        """Whether the companies together have paid more than was invoiced."""
        return self.found.booked_minor > 0

    @property
    def owed(self) -> Amount:
        """What is owed altogether, or paid ahead."""
        return amount_of(abs(self.found.booked_minor), self.found.currency)

    @property
    def unbilled(self) -> Amount:
        return exact_amount(self.found.unbilled)

    @property
    def csv_href(self) -> str:
        return self.asked.file_href("csv")

    @property
    def xlsx_href(self) -> str:
        return self.asked.file_href("xlsx")

    @property
    def count_words(self) -> str:
        return _("Companies: %(n)s") % {"n": _count(self.found.total)}


@dataclass(frozen=True)
class PaymentPage:
    """One movement as its seller reads it."""

    row: MoveRow
    buyer_id: int
    recorded: str
    may_undo: bool
    form: forms.Form

    @property
    def settles(self) -> list[tuple[str, str, Amount]]:
        """Number and address of each document that it settles, and how much of it."""
        return [
            (one.code, reverse("portal:invoice", args=[one.invoice_id]), amount_of(one.amount_minor, self.row.currency))
            for one in self.row.one.allocations
        ]
