"""Writing into the ledger: one transaction with its postings, then money on account settles what is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from twin.billing.queries.settling import money_on_account, open_invoices
from twin.billing.rules.allocating import Share, distribute
from twin.billing.rules.postings import Postings
from twin.billing.types import TransactionKind
from twin.companies.types import Scope
from twin.kernel import clock


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


def lock_ledgers(scope: Scope, buyer_ids: Iterable[int]) -> None:
    """Until the transaction ends nobody else changes what these buyers owe the asking seller or have paid.

    The lock is the row of the account, made where there is none; taken in ascending order, so nobody waits in a ring.
    """
    wanted: list[Any] = [scope.organisation_id, sorted(set(buyer_ids))]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into billing_account (seller_id, buyer_id) select %s, buyer from unnest(%s::int[]) as asked(buyer)"
            " order by buyer on conflict do nothing",
            wanted,
        )
        cursor.execute(
            "select 1 from billing_account where seller_id = %s and buyer_id = any(%s) order by buyer_id for update",
            wanted,
        )


def book(scope: Scope, entries: Sequence[Entry]) -> list[int]:
    """Record transactions with their postings, under the locks of the buyers' ledgers; returns their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into billing_transaction (seller_id, buyer_id, kind, invoice_id, reverses_id, at, recorded_at,
                reference, note, recorded_by, bank_key)
            select %s, buyer, kind, invoice, reverses, at, %s, reference, note, by, bank_key
            from unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[],
                        %s::text[], %s::bytea[])
                with ordinality as given(buyer, kind, invoice, reverses, at, reference, note, by, bank_key, place)
            order by place returning id
            """,
            [scope.organisation_id, clock.now(), *map(list, zip(*map(_columns, entries), strict=True))],
        )
        # Numbers are given in the order of the rows.
        numbers = sorted(row[0] for row in cursor.fetchall())
        postings = [
            (number, place, entry.buyer_id, account, amount)
            for number, entry in zip(numbers, entries, strict=True)
            for place, (account, amount) in enumerate(entry.postings, start=1)
        ]
        cursor.execute(
            """
            insert into billing_posting (transaction_id, number, seller_id, buyer_id, account, amount_minor)
            select transaction, number, %s, buyer, account, amount
            from unnest(%s::bigint[], %s::int[], %s::int[], %s::text[], %s::bigint[])
                as given(transaction, number, buyer, account, amount)
            """,
            [scope.organisation_id, *map(list, zip(*postings, strict=True))],
        )
    return numbers


def _columns(entry: Entry) -> tuple[Any, ...]:
    return (
        entry.buyer_id, entry.kind, entry.invoice_id, entry.reverses_id, entry.at, entry.reference, entry.note,
        entry.recorded_by, entry.bank_key,
    )  # fmt: skip


def allocate(scope: Scope, shares: Sequence[Share], *, buyer_id: int, to_refund: bool = False) -> None:
    """Record which money of the buyer settles what; the database refuses more than is there or open."""
    if not shares:
        return
    target = "refund_id" if to_refund else "invoice_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into billing_allocation (transaction_id, {target}, seller_id, buyer_id, amount_minor, recorded_at)"  # noqa: S608 - one of two names
            " select source, target, %s, %s, amount, %s"
            " from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as given(source, target, amount)",
            [scope.organisation_id, buyer_id, clock.now(), *_shared(shares)],
        )


def _shared(shares: Sequence[Share]) -> list[list[int]]:
    return [list(column) for column in zip(*((one.source, one.target, one.minor) for one in shares), strict=True)]


def settle(scope: Scope, buyer_ids: Iterable[int]) -> None:
    """Money on account settles open invoices, oldest with oldest: of each buyer one of the two is used up then."""
    wanted = sorted(set(buyer_ids))
    money = money_on_account(scope, wanted)
    if not money:
        return
    wanting = open_invoices(scope, list(money))
    for buyer_id, parts in money.items():
        allocate(scope, distribute(parts, wanting.get(buyer_id, [])), buyer_id=buyer_id)
