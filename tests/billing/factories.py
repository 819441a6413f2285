"""Statements without their closing: rows as a closing leaves them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connections

from twin.billing.types import LatePolicy, LineKind, Statement, StatementLine
from twin.companies.types import Scope
from twin.kernel.money import to_nano
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.pricing.meters import METER_BY_CODE
from twin.pricing.types import Terms

JANUARY = date(2026, 1, 1)
CLOSED_AT = datetime(2026, 2, 2, tzinfo=UTC)


def line(
    amount: str,
    *,
    meter: str = "sms.delivered",
    kind: LineKind = "usage",
    month: date = JANUARY,
    count: int = 1,
    rate_id: int = 1,
    terms: Terms | None = None,
    selector: dict[str, str] | None = None,
) -> StatementLine:
    """A line of this exact amount."""
    nano = to_nano(amount)
    return StatementLine(
        number=0,
        kind=kind,
        month=month,
        meter=meter,
        rate_id=rate_id,
        terms=terms or Terms(unit_price_nano=abs(nano)),
        selector=selector or {},
        count=count,
        quantity=count,
        billed=count,
        amount=nano,
    )


def shaped(
    lines: Sequence[StatementLine],
    *,
    seller_id: int = 1,
    buyer_id: int = 2,
    month: date = JANUARY,
    currency: str = "EUR",
    late_policy: LatePolicy = "next_invoice",
) -> Statement:
    """A closed statement with these lines, numbered, that is nowhere stored."""
    starts_at = datetime(month.year, month.month, 1, tzinfo=UTC)
    ends_at = (starts_at + timedelta(days=32)).replace(day=1)
    amount = sum(one.amount for one in lines)
    return Statement(
        id=None,
        seller_id=seller_id,
        buyer_id=buyer_id,
        month=month,
        time_zone="UTC",
        period=Period(starts_at, ends_at),
        currency=currency,
        state="closed",
        held="",
        since=(0,),
        cutoff=(0,),
        late_policy=late_policy,
        signed_off_reason="",
        signed_off_by="",
        amount=amount,
        closed_at=CLOSED_AT,
        lines=tuple(replace(one, number=number) for number, one in enumerate(lines, start=1)),
    )


def closed(scope: Scope, buyer_id: int, lines: Sequence[StatementLine], **fields: Any) -> Statement:
    """A closed statement of the asking seller with these lines."""
    with tenant_transaction(scope.organisation_id):
        return _stored(shaped(lines, seller_id=scope.organisation_id, buyer_id=buyer_id, **fields))


def _stored(statement: Statement) -> Statement:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            """
            insert into billing_statement (seller_id, buyer_id, month, time_zone, starts_at, ends_at, currency, state,
                since, cutoff, late_policy, amount, digest, closed_at)
            values (%s, %s, %s, %s, %s, %s, %s, 'closed', %s, %s, %s, %s, '\\x00', %s) returning id
            """,
            [statement.seller_id, statement.buyer_id, statement.month, statement.time_zone, statement.period.start,
             statement.period.end, statement.currency, list(statement.since), list(statement.cutoff or ()),
             statement.late_policy, statement.amount, statement.closed_at],
        )  # fmt: skip
        stored = replace(statement, id=cursor.fetchone()[0])
        for one in stored.lines:
            cursor.execute(f"insert into billing_line values ({', '.join(['%s'] * 18)})", _line_row(stored, one))
    return stored


def _line_row(statement: Statement, one: StatementLine) -> Sequence[Any]:
    terms = one.terms
    return (
        statement.id,
        one.number,
        statement.seller_id,
        statement.buyer_id,
        one.kind,
        one.month,
        METER_BY_CODE[one.meter].id,
        one.rate_id,
        terms.unit_price_nano,
        terms.per,
        terms.minimum,
        terms.increment,
        terms.setup_fee_nano,
        json.dumps(dict(one.selector)),
        one.count,
        one.quantity,
        one.billed,
        one.amount,
    )


def bill_with(scope: Scope, **settings: Any) -> None:
    """Let the seller bill by these settings."""
    names = ", ".join(settings)
    places = ", ".join(["%s"] * len(settings))
    with tenant_transaction(scope.organisation_id), connections["default"].cursor() as cursor:
        cursor.execute(
            f"insert into billing_settings (seller_id, {names}) values (%s, {places})",
            [scope.organisation_id, *settings.values()],
        )
