"""Money that moved: payments by buyers, refunds to them, and what undoes either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from twin.billing.actions.booking import Entry, allocate, book, lock_ledgers, settle
from twin.billing.errors import (
    BillingInvalid,
    InvoiceNotFound,
    PaymentKnown,
    PaymentSpent,
    TransactionNotFound,
)
from twin.billing.queries.balance import require_pair
from twin.billing.queries.settling import money_on_account, open_invoices, refunded_from, settled_by
from twin.billing.rules.allocating import Part, Share, distribute, take_back
from twin.billing.rules.postings import mirrored, of_payment, of_refund
from twin.billing.rules.rounding import minor_text
from twin.companies.queries import get_company
from twin.companies.recording import record_deed
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel import clock
from twin.kernel.errors import FieldError
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped

MOST_MINOR: Final = 10**15
_LONGEST: Final = {"reference": 140, "note": 500}
# A payment dated by somebody whose day has begun already.
_AHEAD: Final = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came from a buyer, as somebody or a bank file tells it.

    `invoices` are settled first, in this order; a request for a top-up may stand among them. `again` says that an
    equal payment that is recorded already was another one.
    """

    buyer_id: int
    amount_minor: int
    at: datetime
    reference: str = ""
    note: str = ""
    invoices: tuple[int, ...] = ()
    bank_key: bytes | None = None
    again: bool = False


@scoped
def record_payment(
    scope: Scope,
    *,
    buyer_id: int,
    amount_minor: int,
    at: datetime,
    reference: str = "",
    note: str = "",
    invoices: Sequence[int] | None = None,
    again: bool = False,
    by: str = "",
) -> int:
    """Record what a buyer paid to the asking seller; returns the number of the transaction.

    It settles the invoices named, then the others, those due first first; the rest is money on account. Refused as
    `PaymentKnown` when the same amount of the same day and reference is recorded already, unless `again`.
    """
    scope.require(BILLING_WRITE)
    require_pair(scope, scope.organisation_id, buyer_id)
    lock_ledgers(scope, [buyer_id])
    payment = Payment(buyer_id, amount_minor, at, reference, note, tuple(invoices or ()), again=again)
    return pay(scope, payment, by=by)


def pay(scope: Scope, payment: Payment, *, by: str) -> int:
    """Record one payment of a buyer whose ledger is locked and who buys from the asking seller."""
    _check(payment.amount_minor, payment.at, reference=payment.reference, note=payment.note)
    if payment.bank_key is None and not payment.again:
        _refuse_known(scope, payment)
    named = _named(scope, payment)
    top_up = next((one for one, kind in named.items() if kind == "top_up"), None)
    [number] = book(
        scope,
        [
            Entry(
                payment.buyer_id,
                "payment",
                payment.at,
                of_payment(payment.amount_minor),
                invoice_id=top_up,
                reference=payment.reference,
                note=payment.note,
                recorded_by=by,
                bank_key=payment.bank_key,
            )
        ],
    )
    wanting = {part.id: part for part in open_invoices(scope, [payment.buyer_id]).get(payment.buyer_id, [])}
    first = [wanting[one] for one in named if one in wanting]
    allocate(scope, distribute([Part(number, payment.amount_minor)], first), buyer_id=payment.buyer_id)
    settle(scope, [payment.buyer_id])
    _record(scope, "payment.recorded", payment.buyer_id, number, payment.amount_minor, payment.reference)
    return number


@scoped
def record_refund(
    scope: Scope,
    *,
    buyer_id: int,
    amount_minor: int,
    at: datetime,
    reference: str = "",
    note: str = "",
    payment_id: int | None = None,
    by: str = "",
) -> int:
    """Record money given back to a buyer; returns the number of the transaction.

    At most the money on account. Of a payment that is named, also what settles invoices: those are open again.
    Raises `PaymentSpent` when there is not so much.
    """
    scope.require(BILLING_WRITE)
    require_pair(scope, scope.organisation_id, buyer_id)
    _check(amount_minor, at, reference=reference, note=note)
    lock_ledgers(scope, [buyer_id])
    money = _money_to_return(scope, buyer_id, amount_minor, payment_id)
    there = sum(part.minor for part in money)
    if there < amount_minor:
        raise PaymentSpent(f"Only {_text(scope, there)} can be given back to company {buyer_id}.")
    entry = Entry(buyer_id, "refund", at, of_refund(amount_minor), reference=reference, note=note, recorded_by=by)
    [number] = book(scope, [entry])
    allocate(scope, distribute(money, [Part(number, amount_minor)]), buyer_id=buyer_id, to_refund=True)
    settle(scope, [buyer_id])
    _record(scope, "refund.recorded", buyer_id, number, amount_minor, reference)
    return number


@scoped
def reverse(scope: Scope, transaction_id: int, *, reason: str, by: str = "") -> int:
    """Undo a payment that did not come or was recorded by mistake, or a refund; returns the number of the reversal.

    What it settled is open again; other money on account settles it. Safe to repeat: a second reversal is refused.
    A payment of which something was given back is reversed after that refund.
    """
    scope.require(BILLING_WRITE)
    if not reason.strip():
        raise BillingInvalid("Say why.", [FieldError(("reason",), "Say why.")])
    _check_texts(note=reason)
    kind, buyer_id, reference = _reversible(scope, transaction_id)
    lock_ledgers(scope, [buyer_id])
    _refuse_reversed(scope, transaction_id)
    if kind == "payment":
        if _refunded(scope, transaction_id):
            raise PaymentSpent("Something of this payment was given back: reverse the refund first.")
        allocate(scope, _undone(settled_by(scope, transaction_id)), buyer_id=buyer_id)
    else:
        allocate(scope, _undone(refunded_from(scope, transaction_id)), buyer_id=buyer_id, to_refund=True)
    postings = mirrored(_postings(transaction_id))
    amount = next(abs(amount) for account, amount in postings if account == "cash")
    entry = Entry(
        buyer_id,
        "reversal",
        clock.now(),
        postings,
        reverses_id=transaction_id,
        reference=reference,
        note=reason.strip(),
        recorded_by=by,
    )
    [number] = book(scope, [entry])
    settle(scope, [buyer_id])
    _record(scope, "payment.reversed", buyer_id, transaction_id, amount, reason.strip())
    return number


def _money_to_return(scope: Scope, buyer_id: int, amount: int, payment_id: int | None) -> list[Part]:
    """Where the money comes from; of a payment that is named the last it settled is taken back first."""
    money = money_on_account(scope, [buyer_id]).get(buyer_id, [])
    if payment_id is None:
        return money
    kind, payer_id, _ = _reversible(scope, payment_id)
    if kind != "payment" or payer_id != buyer_id:
        raise TransactionNotFound(f"There is no payment {payment_id} of company {buyer_id}.")
    rest = sum(part.minor for part in money if part.id == payment_id)
    freed = take_back(settled_by(scope, payment_id), amount - rest)
    allocate(scope, freed, buyer_id=buyer_id)
    return [Part(payment_id, rest - sum(share.minor for share in freed))]


def _undone(shares: Sequence[Share]) -> list[Share]:
    return take_back(shares, sum(share.minor for share in shares))


def _check(amount_minor: int, at: datetime, **texts: str) -> None:
    errors = []
    if not 0 < amount_minor <= MOST_MINOR:
        errors.append(FieldError(("amount",), "Name an amount greater than nothing."))
    if at > clock.now() + _AHEAD:
        errors.append(FieldError(("at",), "The day lies in the future."))
    if errors:
        raise BillingInvalid(errors[0].msg, errors)
    _check_texts(**texts)


def _check_texts(**texts: str) -> None:
    errors = [
        FieldError((name,), f"At most {_LONGEST[name]} characters, and none that cannot be stored.")
        for name, text in texts.items()
        if len(text) > _LONGEST[name] or "\0" in text
    ]
    if errors:
        raise BillingInvalid(errors[0].msg, errors)


def _refuse_known(scope: Scope, payment: Payment) -> None:
    """The ledger is locked: of two people who record one payment the second is told of the first."""
    known = _one(
        """
        select t.recorded_by, t.recorded_at from billing_transaction t
        join billing_posting p on p.transaction_id = t.id and p.account = 'cash'
        where t.seller_id = %s and t.buyer_id = %s and t.kind = 'payment' and t.reference = %s and p.amount_minor = %s
          and t.at > %s and t.at < %s
          and not exists (select 1 from billing_transaction r where r.reverses_id = t.id)
        order by t.id desc limit 1
        """,
        scope.organisation_id,
        payment.buyer_id,
        payment.reference,
        payment.amount_minor,
        payment.at - timedelta(days=1),
        payment.at + timedelta(days=1),
    )
    if known:
        who = f" by {known[0]}" if known[0] else ""
        raise PaymentKnown(
            f"A payment of {_text(scope, payment.amount_minor)} with this reference and day"
            f" is recorded already{who}, at {known[1]:%Y-%m-%d %H:%M} UTC.",
            known[0],
            known[1],
        )


def _named(scope: Scope, payment: Payment) -> dict[int, str]:
    """Kind of every document that the payment names, in its order."""
    if not payment.invoices:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, kind from billing_invoice where seller_id = %s and buyer_id = %s and id = any(%s)"
            " and kind in ('invoice', 'top_up')",
            [scope.organisation_id, payment.buyer_id, list(payment.invoices)],
        )
        kinds = dict(cursor.fetchall())
    missing = next((one for one in payment.invoices if one not in kinds), None)
    if missing is not None:
        raise InvoiceNotFound(f"There is no invoice {missing} to company {payment.buyer_id}.")
    return {one: kinds[one] for one in dict.fromkeys(payment.invoices)}


def _reversible(scope: Scope, transaction_id: int) -> tuple[str, int, str]:
    found = _one(
        "select kind, buyer_id, reference from billing_transaction"
        " where seller_id = %s and id = %s and kind in ('payment', 'refund')",
        scope.organisation_id,
        transaction_id,
    )
    if found is None:
        raise TransactionNotFound(f"There is no payment or refund {transaction_id}.")
    return found[0], found[1], found[2]


def _refuse_reversed(scope: Scope, transaction_id: int) -> None:
    if _one(
        "select 1 from billing_transaction where seller_id = %s and reverses_id = %s",
        scope.organisation_id,
        transaction_id,
    ):
        raise PaymentSpent("This was reversed already.")


def _refunded(scope: Scope, transaction_id: int) -> bool:
    """Whether something of the payment is given back; refunds that were reversed took nothing."""
    found = _one(
        "select coalesce(sum(amount_minor), 0) from billing_allocation"
        " where seller_id = %s and transaction_id = %s and refund_id is not null",
        scope.organisation_id,
        transaction_id,
    )
    return bool(found and found[0])


def _postings(transaction_id: int) -> tuple[tuple[str, int], ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select account, amount_minor from billing_posting where transaction_id = %s order by number",
            [transaction_id],
        )
        return tuple((account, amount) for account, amount in cursor.fetchall())


def _record(scope: Scope, event: Event, buyer_id: int, number: int, amount_minor: int, text: str) -> None:
    record_deed(
        scope, event, company_id=buyer_id, transaction=number, amount=_text(scope, amount_minor), reference=text
    )


def _text(scope: Scope, amount_minor: int) -> str:
    currency = get_company(scope, scope.organisation_id).currency
    return f"{minor_text(amount_minor, currency)} {currency}"


def _one(question: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchone()
