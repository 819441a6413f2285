"""What moved between a seller and its buyers: invoices, payments, refunds; notes and names are the seller's to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from django.db import connection

from twin.billing.errors import TransactionNotFound
from twin.billing.types import Allocation, Transaction, TransactionKind, TransactionPage
from twin.companies.types import BILLING_READ, Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.kernel.text import containing

TransactionSide = Literal["bought", "sold"]
TRANSACTIONS_A_PAGE: Final = 50
TRANSACTION_KINDS: Final = ("all", "invoice", "credit_note", "payment", "refund", "reversal")
_CODE: Final = "d.series || '-' || lpad(d.number::text, greatest(6, length(d.number::text)), '0')"
_ORDERS: Final = {
    "at": ("at", "id"),
    "document": ("document", "id"),
    "party": ("party_id", "at", "id"),
    "kind": ("kind", "at", "id"),
    "amount": ("amount_minor", "id"),
    "recorded": ("id",),
}
TRANSACTION_ORDERS: Final = tuple(_ORDERS)
# The balance after a movement counts all of the pair, whatever is looked for.
_FOUND: Final = f"""
    with moved as (
        select t.id, t.seller_id, t.buyer_id, t.kind, t.invoice_id, t.reverses_id, t.at, t.recorded_at, t.reference,
            case when t.seller_id = %(own)s then t.note else '' end as note,
            case when t.seller_id = %(own)s then t.recorded_by else '' end as recorded_by, e.amount_minor,
            coalesce({_CODE}, '') as document,
            exists (select 1 from billing_transaction r where r.reverses_id = t.id) as is_reversed,
            sum(e.amount_minor) over (partition by t.seller_id, t.buyer_id order by t.at, t.id)::bigint
                as balance_minor,
            case when t.seller_id = %(own)s then t.buyer_id else t.seller_id end as party_id
        from billing_transaction t
        cross join lateral (select coalesce(-sum(amount_minor), 0)::bigint as amount_minor from billing_posting p
                            where p.transaction_id = t.id and p.account = 'receivable') e
        left join billing_invoice d on d.id = t.invoice_id
        where {{own}} = %(own)s and (%(partner)s::int is null or {{other}} = %(partner)s)
    ), found as (
        select * from moved
        where (%(start)s::timestamptz is null or (at >= %(start)s and at < %(end)s))
          and (%(whole)s = '' or document ilike %(part)s or reference ilike %(part)s or note ilike %(part)s
               or party_id::text = %(whole)s or id::text = %(whole)s or party_id = any(%(parties)s))
    )
"""  # noqa: S608 - constants only
_COLUMNS: Final = (
    "id, seller_id, buyer_id, kind, invoice_id, reverses_id, at, recorded_at, reference, note, recorded_by,"
    " amount_minor, document, is_reversed, balance_minor"
)


@dataclass(frozen=True, slots=True)
class TransactionsAsked:
    """Which movements are looked for; `parties` are companies found by name elsewhere."""

    side: TransactionSide = "bought"
    kind: str = "all"
    search: str = ""
    parties: tuple[int, ...] = ()
    period: Period | None = None
    partner_id: int | None = None
    sort: str = "-at"
    offset: int = 0
    limit: int = TRANSACTIONS_A_PAGE


@scoped(snapshot=True)
def transactions(scope: Scope, asked: TransactionsAsked) -> TransactionPage:
    """What the organisation bought or sold moved, newest first unless asked otherwise."""
    scope.require(BILLING_READ)
    found, given = _found(asked.side), _given(scope, asked)
    kinds = ", ".join(f"count(*) filter (where kind = '{kind}')" for kind in TRANSACTION_KINDS[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"{found} select count(*), {kinds}, coalesce(sum(amount_minor) filter (where amount_minor > 0), 0)::bigint,"  # noqa: S608 - constants only
            " coalesce(-sum(amount_minor) filter (where amount_minor < 0), 0)::bigint from found",
            given,
        )
        *numbers, refilled, charged = cursor.fetchone()
        cursor.execute(f"{found} {_page(asked)}", given)
        items = [_transaction(row) for row in cursor.fetchall()]
    counts = dict(zip(TRANSACTION_KINDS, numbers, strict=True))
    return TransactionPage(tuple(_with_allocations(scope, items)), counts[asked.kind], counts, refilled, charged)


@scoped
def transaction_of(scope: Scope, transaction_id: int) -> Transaction:
    """One movement of which the organisation is a party; raises `TransactionNotFound`."""
    scope.require(BILLING_READ)
    for side in ("sold", "bought"):
        given = _given(scope, TransactionsAsked())
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_found(side)} select {_COLUMNS} from moved where id = %(id)s",  # noqa: S608 - constants only
                given | {"id": transaction_id},
            )
            row = cursor.fetchone()
        if row:
            return _with_allocations(scope, [_transaction(row)])[0]
    raise TransactionNotFound(f"There is no transaction {transaction_id}.")


def _found(side: TransactionSide) -> str:
    own, other = ("t.buyer_id", "t.seller_id") if side == "bought" else ("t.seller_id", "t.buyer_id")
    return _FOUND.format(own=own, other=other)


def _given(scope: Scope, asked: TransactionsAsked) -> dict[str, Any]:
    text = asked.search.replace("\0", "")
    return {
        "own": scope.organisation_id,
        "partner": asked.partner_id,
        "start": asked.period.start if asked.period else None,
        "end": asked.period.end if asked.period else None,
        "whole": text,
        "part": containing(text),
        "parties": list(asked.parties),
        "offset": asked.offset,
        "limit": asked.limit,
        "kind": asked.kind,
    }


def _page(asked: TransactionsAsked) -> str:
    way = " desc" if asked.sort.startswith("-") else ""
    order = ", ".join(f"{column}{way}" for column in _ORDERS[asked.sort.removeprefix("-")])
    return (
        f"select {_COLUMNS} from found where %(kind)s in ('all', kind)"  # noqa: S608 - constants only
        f" order by {order} offset %(offset)s limit %(limit)s"
    )


def _transaction(row: Sequence[Any]) -> Transaction:
    number, seller, buyer, kind, invoice, reverses, at, recorded_at, reference, note, by, amount, *more = row
    document, is_reversed, balance = more
    return Transaction(
        id=number,
        seller_id=seller,
        buyer_id=buyer,
        kind=cast(TransactionKind, kind),
        invoice_id=invoice,
        reverses_id=reverses,
        at=at,
        recorded_at=recorded_at,
        reference=reference,
        note=note,
        recorded_by=by,
        amount_minor=amount,
        document=document,
        is_reversed=is_reversed,
        balance_minor=balance,
    )


def _with_allocations(scope: Scope, items: Sequence[Transaction]) -> list[Transaction]:
    """Which invoices each payment settles."""
    found: dict[int, list[Allocation]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"select a.transaction_id, d.id, {_CODE}, sum(a.amount_minor)::bigint"  # noqa: S608 - constants only
            " from billing_allocation a join billing_invoice d on d.id = a.invoice_id"
            " where a.transaction_id = any(%s) and %s in (a.seller_id, a.buyer_id)"
            " group by 1, 2, 3 having sum(a.amount_minor) <> 0 order by 1, min(a.id)",
            [[one.id for one in items], scope.organisation_id],
        )
        for number, *share in cursor.fetchall():
            found.setdefault(number, []).append(Allocation(*share))
    return [replace(one, allocations=tuple(found.get(one.id, ()))) for one in items]
