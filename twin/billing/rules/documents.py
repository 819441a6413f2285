"""What stands on documents: which lines of a statement go where, each rounded once, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from twin.billing.rules.rounding import minor
from twin.billing.rules.tax import tax_on
from twin.billing.types import InvoiceKind, InvoiceLine, Statement, StatementLine, TaxKind
from twin.pricing.meters import METER_BY_CODE, SERVICES


@dataclass(frozen=True, slots=True)
class Draft:
    """A document before it has a number; its lines are numbered from 1."""

    kind: InvoiceKind
    lines: tuple[InvoiceLine, ...]

    @property
    def net_minor(self) -> int:
        return sum(line.net_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Sums:
    net_minor: int
    tax_minor: int

    @property
    def gross_minor(self) -> int:
        return self.net_minor + self.tax_minor


def sums_of(draft: Draft, *, kind: TaxKind, percent: Decimal) -> Sums:
    """Net from the rounded lines, the tax on that net, once."""
    return Sums(draft.net_minor, tax_on(draft.net_minor, kind=kind, percent=percent))


def documents_of(statement: Statement) -> tuple[Draft, ...]:
    """The documents a closed statement becomes: none, an invoice, a credit note, or one of each.

    Free usage stands on the statement only. What is owed to the buyer altogether is a credit note.
    """
    together, apart = (sorted(lines, key=_place) for lines in _parted(statement))
    drafts = [lines for lines in (_lines(together, statement.currency), _lines(apart, statement.currency)) if lines]
    by_kind: dict[InvoiceKind, tuple[InvoiceLine, ...]] = {}
    for lines in drafts:
        kind: InvoiceKind = "credit_note" if sum(line.net_minor for line in lines) < 0 else "invoice"
        by_kind[kind] = (*by_kind.get(kind, ()), *lines)
    return tuple(Draft(kind, numbered(by_kind[kind])) for kind in sorted(by_kind, reverse=True))


def _parted(statement: Statement) -> tuple[list[StatementLine], list[StatementLine]]:
    """The lines that are billed together, and those of a credit note of their own.

    The seller's policy decides on all late usage of a month at once: a rate that was corrected is two
    lines, what was taken back and what came instead, and only their difference says who owes whom.
    """
    net: dict[date, int] = {}
    for line in statement.lines:
        if line.kind == "late":
            net[line.month] = net.get(line.month, 0) + line.amount
    dropped = {month for month, amount in net.items() if statement.late_policy == "write_off" and amount >= 0}
    apart = {month for month, amount in net.items() if statement.late_policy == "credit_note" and amount < 0}
    late_in = {id(line): line.month for line in statement.lines if line.kind == "late"}
    billed = [line for line in statement.lines if line.amount and late_in.get(id(line)) not in dropped]
    return (
        [line for line in billed if late_in.get(id(line)) not in apart],
        [line for line in billed if late_in.get(id(line)) in apart],
    )


def _place(line: StatementLine) -> tuple[int, int]:
    """Services in the order of the report, each as on the statement: what came late stands with its service."""
    return SERVICES.index(METER_BY_CODE[line.meter].service), line.number


def _lines(lines: Iterable[StatementLine], currency: str) -> tuple[InvoiceLine, ...]:
    return tuple(
        InvoiceLine(
            number=0,
            statement_line=line.number,
            credits_line=None,
            month=line.month,
            meter=line.meter,
            terms=line.terms,
            selector=line.selector,
            description="",
            count=line.count,
            quantity=line.quantity,
            billed=line.billed,
            exact=line.amount,
            net_minor=minor(line.amount, currency),
        )
        for line in lines
    )


def numbered(lines: Sequence[InvoiceLine]) -> tuple[InvoiceLine, ...]:
    """The lines with the numbers 1, 2, 3, …"""
    return tuple(replace(line, number=number) for number, line in enumerate(lines, start=1))
