"""What crosses the border of billing. Exact amounts are nano-units, `_minor` the currency's minor unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from twin.kernel.period import Period
from twin.pricing.types import Terms

StatementState = Literal["open", "closing", "closed"]
HeldBy = Literal["", "unrated", "late"]
LatePolicy = Literal["next_invoice", "credit_note", "write_off"]
TaxKind = Literal["rate", "exempt", "reverse_charge"]
LineKind = Literal["usage", "late"]
InvoiceKind = Literal["invoice", "credit_note", "top_up"]
AccountMode = Literal["prepaid", "postpaid"]
Reason = Literal["", "blocked", "closed", "exhausted", "not_enough"]
TransactionKind = Literal["invoice", "credit_note", "payment", "refund", "reversal"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a seller bills; a seller that never said gets these."""

    series: str = "INV"
    credit_series: str = "CN"
    top_up_series: str = "TOP"
    grace: timedelta = timedelta(days=1)
    payment_days: int = 14
    closes_automatically: bool = True
    tax_kind: TaxKind = "exempt"
    tax_percent: Decimal = Decimal(0)
    tax_text: str = ""
    late_policy: LatePolicy = "next_invoice"
    late_threshold_minor: int | None = None
    language: str = "en"
    footer: str = ""
    logo_digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Usage charged at one version of a rate.

    `month` is the one the usage belongs to: for a late line an earlier one. `amount` is exact; rounded to the
    minor unit once, half-up, by `rules.rounding`.
    """

    number: int
    kind: LineKind
    month: date
    meter: str
    rate_id: int
    terms: Terms
    selector: Mapping[str, str]
    count: int
    quantity: int
    billed: int
    amount: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What one buyer owes one seller for one month of the buyer's time zone.

    `cutoff` and `since` are numbers of the commit order per shard: it holds what was committed up to
    `cutoff`, and of earlier months what was committed after `since`, the cutoff before.
    An open one is not stored: `id` is None and its lines are those of now.
    """

    id: int | None
    seller_id: int
    buyer_id: int
    month: date
    time_zone: str
    period: Period
    currency: str
    state: StatementState
    held: HeldBy
    since: tuple[int, ...]
    cutoff: tuple[int, ...] | None
    late_policy: LatePolicy | None
    signed_off_reason: str
    signed_off_by: str
    amount: int | None
    closed_at: datetime | None
    lines: tuple[StatementLine, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line as printed. `net_minor` is `exact` rounded once; `credits_line` is the line a credit note takes back."""

    number: int
    statement_line: int | None
    credits_line: int | None
    month: date | None
    meter: str | None
    terms: Terms | None
    selector: Mapping[str, str]
    description: str
    count: int | None
    quantity: int | None
    billed: int | None
    exact: int
    net_minor: int
    # Of a credit note: which part of the line it takes back, as a fraction ("1/3").
    share: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An issued document; never changed. `paid_minor` and `credited_minor` come from later rows.

    Amounts of a credit note are negative, so that documents add up to what is owed.
    """

    id: int
    seller_id: int
    buyer_id: int
    kind: InvoiceKind
    series: str
    number: int
    statement_id: int | None
    corrects_id: int | None
    reason: str
    issued_at: datetime
    issued_on: date
    due_on: date | None
    month: date | None
    currency: str
    language: str
    seller_details: Mapping[str, str]
    buyer_details: Mapping[str, str]
    tax_kind: TaxKind
    tax_percent: Decimal
    tax_text: str
    footer: str
    logo_digest: bytes | None
    net_minor: int
    tax_minor: int
    gross_minor: int
    lines: tuple[InvoiceLine, ...] = ()
    paid_minor: int = 0
    credited_minor: int = 0

    @property
    def code(self) -> str:
        """The number as people read it."""
        return f"{self.series}-{self.number:06d}"

    @property
    def seller_name(self) -> str:
        return name_in(self.seller_details)

    @property
    def buyer_name(self) -> str:
        return name_in(self.buyer_details)

    @property
    def open_minor(self) -> int:
        """What is still to be paid of it."""
        return self.gross_minor - self.paid_minor - self.credited_minor


def name_in(details: Mapping[str, str]) -> str:
    """How a party is called on documents."""
    return details.get("invoice_name") or details.get("name", "")


@dataclass(frozen=True, slots=True)
class CreditAsked:
    """What to take back of one line of an invoice: an amount or a part of it; with neither all that remains."""

    line: int
    amount_minor: int | None = None
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Creditable:
    """A line of an invoice and what credit notes have left of it; `share` is the part of it they took back."""

    line: InvoiceLine
    credited_minor: int
    share: Fraction

    @property
    def remaining_minor(self) -> int:
        return self.line.net_minor - self.credited_minor


@dataclass(frozen=True, slots=True)
class Waiting:
    """A closed statement whose invoice waits for details: the names of the fields each party has still to give.

    The buyer learns that its seller's details are missing (`seller_missing` is then `("",)`), not which.
    """

    statement_id: int
    seller_id: int
    buyer_id: int
    month: date
    currency: str
    amount: int
    closed_at: datetime
    seller_name: str
    buyer_name: str
    seller_missing: tuple[str, ...]
    buyer_missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page of documents without their lines, and of all that were looked for: how many there are in each state.

    `open_minor` is what is still to be paid of them together, `overdue_minor` what is late of that.
    """

    items: tuple[Invoice, ...]
    total: int
    counts: Mapping[str, int]
    open_minor: int
    overdue_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Account:
    """The terms between a seller and a buyer. A limit of None: none; prepaid without a limit: 0."""

    seller_id: int
    buyer_id: int
    mode: AccountMode = "postpaid"
    credit_limit_minor: int | None = None
    warn_percents: tuple[int, ...] = (80, 100)

    @property
    def limit_minor(self) -> int | None:
        return 0 if self.mode == "prepaid" and self.credit_limit_minor is None else self.credit_limit_minor


@dataclass(frozen=True, slots=True)
class Balance:
    """Where a buyer stands with its seller, now.

    `booked_minor` = payments − invoices, from the ledger. `unbilled` = exact charges that stand in no invoice yet,
    `waiting` that part of them whose month is closed while its invoice waits for details; `unbilled_gross` the same
    with the tax that would come on it, rounded up to the nano-unit. Exact amounts are nano-units.
    """

    account: Account
    currency: str
    booked_minor: int
    unbilled: int
    waiting: int
    unbilled_gross: int
    available: int | None  # what may still be spent, tax included; None: without limit

    @property
    def is_exhausted(self) -> bool:
        """Nothing more may be spent."""
        return self.available is not None and self.available <= 0


@dataclass(frozen=True, slots=True)
class BuyerBalance:
    """One line of what a seller's buyers owe it; `overdue_minor` is what is open of invoices past their day."""

    buyer_id: int
    name: str
    is_current: bool
    balance: Balance
    open_minor: int
    overdue_minor: int


@dataclass(frozen=True, slots=True)
class BalancePage:
    """One page of balances; of all that were looked for how many are in each state, and their sums."""

    items: tuple[BuyerBalance, ...]
    total: int
    counts: Mapping[str, int]
    booked_minor: int
    unbilled: int
    currency: str


@dataclass(frozen=True, slots=True)
class Spending:
    """Whether a buyer may spend `amount` more (exact, before tax); `reason` is a code, empty when it may.

    `needed` is the amount with its tax, `available` what there is, tax included: both nano-units.
    """

    allowed: bool
    reason: Reason
    needed: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of a payment settles this invoice."""

    invoice_id: int
    code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement of the ledger between the two; `amount_minor` is its effect on the buyer's balance."""

    id: int
    seller_id: int
    buyer_id: int
    kind: TransactionKind
    invoice_id: int | None
    reverses_id: int | None
    at: datetime
    recorded_at: datetime
    reference: str
    note: str
    recorded_by: str
    amount_minor: int
    document: str = ""  # the number of the document it stands on
    is_reversed: bool = False
    balance_minor: int | None = None  # of the pair, after it
    allocations: tuple[Allocation, ...] = ()


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page of movements; of all that were looked for how many of each kind, and what came in and was charged."""

    items: tuple[Transaction, ...]
    total: int
    counts: Mapping[str, int]
    refilled_minor: int
    charged_minor: int


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """A document that may be paid, as somebody chooses it."""

    id: int
    code: str
    open_minor: int
    currency: str
