"""Writing into the ledger: one transaction with its postings, then money on account settles what is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from twin.billing.queries.settling import money_on_account, open_invoices
from twin.billing.rules.allocating import Share, distribute
from twin.billing.rules.postings import Postings
from twin.billing.types import TransactionKind
from twin.companies.types import Scope
from twin.kernel import clock

# With the id of the buyer: whoever writes into the ledger of a buyer waits for whoever does so already.
_LEDGER_LOCK: Final = 0x4C454447


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction as it is to be recorded."""

    buyer_id: int
    kind: TransactionKind
    at: datetime
    postings: Postings
    invoice_id: int | None = None
    reverses_id: int | None = None
    reference: str = ""
    note: str = ""
    recorded_by: str = ""
    bank_key: bytes | None = None


def lock_ledger(buyer_id: int) -> None:
    """Until the transaction ends nobody else changes what this buyer owes or has paid.

    Who needs several takes them in ascending order.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [_LEDGER_LOCK, buyer_id])


def book(scope: Scope, entry: Entry) -> int:
    """Record transaction and postings, under the lock of the buyer's ledger; returns the number."""
    seller_id = scope.organisation_id
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into billing_transaction (seller_id, buyer_id, kind, invoice_id, reverses_id, at, recorded_at,
                reference, note, recorded_by, bank_key)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id
            """,
            [seller_id, entry.buyer_id, entry.kind, entry.invoice_id, entry.reverses_id, entry.at, clock.now(),
             entry.reference, entry.note, entry.recorded_by, entry.bank_key],
        )  # fmt: skip
        transaction_id = int(cursor.fetchone()[0])
        cursor.execute(
            """
            insert into billing_posting (transaction_id, number, seller_id, buyer_id, account, amount_minor)
            select %s, number, %s, %s, account, amount
            from unnest(%s::text[], %s::bigint[]) with ordinality as given(account, amount, number)
            """,
            [transaction_id, seller_id, entry.buyer_id, *map(list, zip(*entry.postings, strict=True))],
        )
    return transaction_id


def allocate(scope: Scope, buyer_id: int, shares: Sequence[Share], *, to_refund: bool = False) -> None:
    """Record which money settles what; the database refuses more than is there or open."""
    if not shares:
        return
    target = "refund_id" if to_refund else "invoice_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into billing_allocation (transaction_id, {target}, seller_id, buyer_id, amount_minor, recorded_at)"  # noqa: S608 - one of two names
            " select source, target, %s, %s, amount, %s"
            " from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as given(source, target, amount)",
            [
                scope.organisation_id,
                buyer_id,
                clock.now(),
                [share.source for share in shares],
                [share.target for share in shares],
                [share.minor for share in shares],
            ],
        )


def settle(scope: Scope, buyer_id: int) -> None:
    """Money on account settles open invoices, oldest with oldest: afterwards one of the two is used up."""
    money = money_on_account(scope, buyer_id)
    if money:
        allocate(scope, buyer_id, distribute(money, open_invoices(scope, buyer_id)))
