"""From charges to the lines of a statement, and to the bytes that prove it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from twin.billing.errors import StatementNotFound
from twin.billing.rules.rounding import minor
from twin.billing.types import HeldBy, LatePolicy, Statement, StatementLine
from twin.kernel.period import instant_text
from twin.metering.types import BillableGroup, RateTerms
from twin.pricing.meters import METER_BY_CODE


def lines_of(groups: Iterable[BillableGroup], rates: Mapping[int, RateTerms], month: date) -> tuple[StatementLine, ...]:
    """A line for each meter, rate version and month: the month's own usage first, then late usage by its month.

    What was charged and wholly taken back again leaves no line.
    """
    kept = [one for one in groups if one.count or one.quantity or one.billed or one.amount]
    ordered = sorted(
        kept, key=lambda one: (one.kind == "late", one.month or month, METER_BY_CODE[one.meter].id, one.rate_id)
    )
    return tuple(
        StatementLine(
            number=number,
            kind=one.kind,
            month=one.month or month,
            meter=one.meter,
            rate_id=one.rate_id,
            terms=rates[one.rate_id].terms,
            selector=rates[one.rate_id].selector,
            count=one.count,
            quantity=one.quantity,
            billed=one.billed,
            amount=one.amount,
        )
        for number, one in enumerate(ordered, start=1)
    )


def line_of(found: Statement, number: int) -> StatementLine:
    """The line of that number; raises `StatementNotFound`."""
    for line in found.lines:
        if line.number == number:
            return line
    raise StatementNotFound(f"The statement has no line {number}.")


def total_of(lines: Iterable[StatementLine]) -> int:
    """The exact sum."""
    return sum(line.amount for line in lines)


def late_change(lines: Iterable[StatementLine]) -> int:
    """What earlier months changed by, up or down: one that gains is not set off against one that loses.

    Within a month only the net counts, as for the seller's policy.
    """
    net: Counter[date] = Counter()
    for line in lines:
        if line.kind == "late":
            net[line.month] += line.amount
    return sum(map(abs, net.values()))


def held_by(
    lines: Iterable[StatementLine],
    *,
    currency: str,
    unrated: int,
    is_signed_off: bool,
    decided: LatePolicy | None,
    threshold_minor: int | None,
) -> HeldBy:
    """Why the statement cannot be closed without somebody's word."""
    if unrated and not is_signed_off:
        return "unrated"
    if decided is None and threshold_minor is not None and minor(late_change(lines), currency) > threshold_minor:
        return "late"
    return ""


def canonical(statement: Statement) -> bytes:
    """The statement as bytes: all that was charged and for what, nothing of how the database numbers it."""
    content = {
        "seller": statement.seller_id,
        "buyer": statement.buyer_id,
        "month": statement.month.isoformat(),
        "time_zone": statement.time_zone,
        "from": instant_text(statement.period.start),
        "to": instant_text(statement.period.end),
        "currency": statement.currency,
        "since": list(statement.since),
        "cutoff": list(statement.cutoff or ()),
        "amount": statement.amount,
        "lines": [_plain(line) for line in statement.lines],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(statement: Statement) -> bytes:
    return hashlib.sha256(canonical(statement)).digest()


def _plain(line: StatementLine) -> dict[str, object]:
    """Every field by its name; written out, as `asdict` copies each value on its way and took half of a closing."""
    terms = line.terms
    return {
        "number": line.number,
        "kind": line.kind,
        "month": line.month.isoformat(),
        "meter": line.meter,
        "rate_id": line.rate_id,
        "terms": {
            "unit_price_nano": terms.unit_price_nano,
            "per": terms.per,
            "minimum": terms.minimum,
            "increment": terms.increment,
            "setup_fee_nano": terms.setup_fee_nano,
        },
        "selector": dict(line.selector),
        "count": line.count,
        "quantity": line.quantity,
        "billed": line.billed,
        "amount": line.amount,
    }
