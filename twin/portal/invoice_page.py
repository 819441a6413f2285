"""What the page of one document and the form of a credit note show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import groupby

from django.utils.translation import gettext as _

from twin.billing.papers import address_in
from twin.billing.rules.figures import count_words, percent_words
from twin.billing.rules.rounding import minor_text
from twin.billing.types import Creditable, Invoice, InvoiceLine
from twin.billing.words import (
    BANK_TITLES,
    KIND_TITLES,
    NUMBER_TITLES,
    TAX_TEXTS,
    address_lines,
    day_words,
    increment_words,
    month_words,
    selector_words,
    terms_words,
    unit_words,
)
from twin.companies.rules.information import readable
from twin.companies.types import Scope
from twin.kernel.money import amount_text
from twin.portal.invoices_page import state_of
from twin.portal.money_words import Amount, written_out
from twin.portal.report_words import active_language
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.words import METER_TITLES, SERVICE_TITLES


@dataclass(frozen=True)
class LineRow:
    """One line; `exact` is what was rounded."""

    number: int
    title: str
    details: tuple[str, ...]
    count: str
    billed: str
    price: str
    net: Amount
    exact: str
    remaining: Amount | None = None
    value: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Group:
    """The lines of a service."""

    title: str
    rows: tuple[LineRow, ...]


@dataclass(frozen=True)
class PartyRow:
    title: str
    name: str
    address: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class OneInvoicePage:
    """Read by the templates; `corrects` is the invoice a credit note takes back from."""

    invoice: Invoice
    scope: Scope
    today: date
    corrects: Invoice | None = None
    notes: tuple[Invoice, ...] = ()

    @property
    def kind(self) -> str:
        return str(KIND_TITLES[self.invoice.kind])

    @property
    def is_seller(self) -> bool:
        return self.scope.organisation_id == self.invoice.seller_id

    @property
    def side(self) -> str:
        return "issued" if self.is_seller else "received"

    @property
    def may_credit(self) -> bool:
        left = self.invoice.gross_minor - self.invoice.credited_minor > 0
        return self.is_seller and "billing:write" in self.scope.permissions and self.invoice.kind == "invoice" and left

    @property
    def state(self) -> tuple[str, str]:
        return state_of(self.invoice, self.today)

    @property
    def issued(self) -> str:
        return day_words(self.invoice.issued_on)

    @property
    def due(self) -> str:
        return day_words(self.invoice.due_on) if self.invoice.due_on else ""

    @property
    def month(self) -> str:
        return month_words(self.invoice.month) if self.invoice.month else ""

    @property
    def parties(self) -> list[PartyRow]:
        return [
            _party(_("Seller"), self.invoice.seller_name, self.invoice.seller_details),
            _party(_("Buyer"), self.invoice.buyer_name, self.invoice.buyer_details),
        ]

    @property
    def groups(self) -> list[Group]:
        return groups_of(self.invoice.lines, self.invoice)

    @property
    def shows_quantities(self) -> bool:
        return any(line.count is not None for line in self.invoice.lines)

    @property
    def net(self) -> Amount:
        return self._amount(self.invoice.net_minor)

    @property
    def tax(self) -> Amount:
        return self._amount(self.invoice.tax_minor)

    @property
    def gross(self) -> Amount:
        return self._amount(self.invoice.gross_minor)

    @property
    def paid(self) -> Amount:
        return self._amount(self.invoice.paid_minor)

    @property
    def credited(self) -> Amount:
        return self._amount(self.invoice.credited_minor)

    @property
    def open(self) -> Amount:
        return self._amount(max(0, self.invoice.open_minor))

    @property
    def tax_words(self) -> str:
        if self.invoice.tax_kind == "rate":
            return _("VAT %(percent)s") % {"percent": percent_words(self.invoice.tax_percent, active_language())}
        return ""

    @property
    def notes_below(self) -> list[str]:
        document = self.invoice
        if document.kind == "top_up":
            told = _("This is no tax invoice: what is paid in advance is settled with the invoices of the months.")
        else:
            told = document.tax_text or str(TAX_TEXTS.get(document.tax_kind, ""))
        return [text for text in (told, document.footer) if text]

    @property
    def payment(self) -> list[tuple[str, str]]:
        if self.invoice.kind == "credit_note" or self.is_seller or self.invoice.open_minor <= 0:
            return []
        details = readable(self.invoice.seller_details)
        rows = [(_("Receiver"), details.get("receiver_name") or self.invoice.seller_name)]
        return rows + [(str(title), details[name]) for name, title in BANK_TITLES.items() if details.get(name)]

    @property
    def note_rows(self) -> list[tuple[Invoice, str, Amount]]:
        return [(note, day_words(note.issued_on), self._amount(note.gross_minor)) for note in self.notes]

    def _amount(self, minor: int) -> Amount:
        return written_out(minor, self.invoice.currency)


@dataclass(frozen=True)
class CreditPage:
    """The form of a credit note: of each line what remains and what is typed; `preview` what would be issued."""

    invoice: Invoice
    creditable: Sequence[Creditable]
    scope: Scope
    typed: Mapping[int, str] = field(default_factory=dict)
    reason: str = ""
    problems: Mapping[int | str, str] = field(default_factory=dict)
    preview: Invoice | None = None

    @property
    def has_seller(self) -> bool:
        """Whether the issuer itself pays somebody for the same usage."""
        return self.scope.kind == "reseller"

    @property
    def groups(self) -> list[Group]:
        known = {one.line.number: one for one in self.creditable}
        groups = groups_of([one.line for one in self.creditable], self.invoice)
        return [
            Group(group.title, tuple(self._with_rest(row, known[row.number]) for row in group.rows)) for group in groups
        ]

    def _with_rest(self, row: LineRow, one: Creditable) -> LineRow:
        return LineRow(
            number=row.number,
            title=row.title,
            details=row.details,
            count=row.count,
            billed=row.billed,
            price=row.price,
            net=row.net,
            exact=row.exact,
            remaining=written_out(one.remaining_minor, self.invoice.currency),
            value=self.typed.get(row.number, ""),
            problem=self.problems.get(row.number, ""),
        )

    @property
    def problem(self) -> str:
        return self.problems.get("", "")

    @property
    def reason_problem(self) -> str:
        return self.problems.get("reason", "")

    @property
    def previewed(self) -> OneInvoicePage | None:
        return OneInvoicePage(self.preview, self.scope, self.preview.issued_on) if self.preview else None


def groups_of(lines: Sequence[InvoiceLine], invoice: Invoice) -> list[Group]:
    """Lines by service, in their order."""

    def service(line: InvoiceLine) -> str:
        return METER_BY_CODE[line.meter].service if line.meter else ""

    return [
        Group(str(SERVICE_TITLES[code]) if code else "", tuple(_row(line, invoice) for line in held))
        for code, held in groupby(lines, key=service)
    ]


def _row(line: InvoiceLine, invoice: Invoice) -> LineRow:
    meter, language = line.meter, active_language()
    return LineRow(
        number=line.number,
        title=str(METER_TITLES[meter]) if meter else line.description or _("Payment in advance for services"),
        details=tuple(_details(line, invoice)),
        count="" if line.count is None else count_words(line.count, language),
        billed="" if line.billed is None or meter is None else unit_words(line.billed, meter),
        price="" if line.terms is None or meter is None else terms_words(line.terms, meter, invoice.currency),
        net=written_out(line.net_minor, invoice.currency),
        exact=amount_text(line.exact) if line.exact else minor_text(line.net_minor, invoice.currency),
    )


def _details(line: InvoiceLine, invoice: Invoice) -> list[str]:
    told = [selector_words(line.selector)] if line.selector else []
    if line.credits_line is not None:
        told.append(_("line %(number)s of the invoice") % {"number": line.credits_line})
    if line.share and Fraction(line.share) != 1 and Fraction(line.share).denominator <= 100:
        told.append(_("%(share)s of it") % {"share": line.share})
    if line.month is not None and line.month != invoice.month:
        told.append(_("for %(month)s, arrived later") % {"month": month_words(line.month)})
    if line.terms is not None and line.meter is not None and line.quantity is not None:
        blocks = increment_words(line.terms)
        if blocks:
            used = unit_words(line.quantity, line.meter)
            told.append(_("used %(quantity)s, billed by %(blocks)s") % {"quantity": used, "blocks": blocks})
    return told


def _party(title: str, name: str, details: Mapping[str, str]) -> PartyRow:
    numbers = tuple((str(words), details[key]) for key, words in NUMBER_TITLES.items() if details.get(key))
    return PartyRow(title, name, tuple(address_lines(address_in(details))), numbers)
