"""What the companies of the demonstration have paid: most in time, some late, some in part, a few nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from twin.billing.actions.accounts import set_account
from twin.billing.actions.payments import record_payment
from twin.billing.errors import PaymentKnown
from twin.billing.queries.invoices import InvoicesAsked, invoices
from twin.billing.queries.sellers import billing_sellers
from twin.billing.types import Invoice
from twin.companies.access import billing_scope, platform_scope
from twin.companies.types import Scope

_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Habit:
    """How somebody pays: so many days after the issue, the whole or a part of it, until so many days ago."""

    days: int
    part: int = 1
    stopped_days_ago: int = 0


# At once, in good time, late, half of it, and not any more for some weeks.
_HABITS: Final = (_Habit(5), _Habit(19), _Habit(41), _Habit(12, part=2), _Habit(9, stopped_days_ago=40))


def pay_invoices(present: datetime) -> None:
    """Payments for what was invoiced, by the number of the buyer; and terms for some of them. Safe to repeat."""
    for seller in billing_sellers(platform_scope()):
        # One commit for all of a seller: each waits for the disk.
        with transaction.atomic():
            _pay_seller(billing_scope(seller), present)


def _pay_seller(scope: Scope, present: datetime) -> None:
    issued = invoices(scope, InvoicesAsked(side="issued", sort="issued", limit=_AT_ONCE)).items
    paid = [(one, habit, _paid_at(one, habit)) for one in issued for habit in [_habit_of(one)]]
    for one, habit, at in sorted(paid, key=lambda each: each[2]):
        if at <= present - timedelta(days=habit.stopped_days_ago) and one.kind == "invoice" and not one.paid_minor:
            _pay(scope, one, habit, at)
    for buyer in sorted({one.buyer_id for one in issued})[:4]:
        limit = 1_000_00 if buyer % 2 else 3_000_00
        set_account(scope, buyer_id=buyer, mode="postpaid", credit_limit_minor=limit)


def _habit_of(one: Invoice) -> _Habit:
    return _HABITS[one.buyer_id % len(_HABITS)]


def _paid_at(one: Invoice, habit: _Habit) -> datetime:
    """In the morning, as banks book."""
    return (one.issued_at + timedelta(days=habit.days)).replace(hour=7, minute=0, second=0, microsecond=0)


def _pay(scope: Scope, one: Invoice, habit: _Habit, at: datetime) -> None:
    if one.gross_minor <= 0:
        return
    amount, reference = max(1, one.gross_minor // habit.part), f"SEPA {one.code}"
    try:
        record_payment(scope, buyer_id=one.buyer_id, amount_minor=amount, at=at, reference=reference, invoices=[one.id])
    except PaymentKnown:
        return
