"""Closed statements whose documents wait: for details of the seller, of the buyer, or of both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection

from twin.billing.queries.invoices import InvoiceSide
from twin.billing.types import Waiting, name_in
from twin.companies.access import platform_scope
from twin.companies.queries.information import told_by_many
from twin.companies.rules.information import missing_for_invoices
from twin.companies.types import BILLING_READ, Scope
from twin.kernel.tenancy import scoped

MOST_WAITING: Final = 200
# Something on it becomes a document (rules.documents), and none was made yet.
UNISSUED: Final = """
    s.state = 'closed'
    and not exists (select 1 from billing_invoice i where i.statement_id = s.id and i.corrects_id is null)
    and (exists (select 1 from billing_line l where l.statement_id = s.id and l.amount <> 0
            and (l.kind = 'usage' or s.late_policy is distinct from 'write_off'))
        or exists (select 1 from billing_line l where l.statement_id = s.id and l.kind = 'late'
            group by l.month having sum(l.amount) < 0))
"""


_UNTOLD: Final = f"""
    select waits.* from (
        select s.id, s.buyer_id, s.month, s.held as waits_for from billing_statement s
        where s.seller_id = %(seller)s and s.state = 'closing' and s.held <> ''
        union all
        select s.id, s.buyer_id, s.month, 'details' from billing_statement s
        where s.seller_id = %(seller)s and {UNISSUED}
    ) waits
    where not exists (select 1 from billing_told t where t.statement_id = waits.id and t.waits_for = waits.waits_for)
    order by waits.month, waits.id
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class Untold:
    """A statement that waits, and for what: as `billing_statement.held`, or for `details`."""

    statement_id: int
    buyer_id: int
    month: date
    waits_for: str


@dataclass(frozen=True, slots=True)
class Party:
    """What a company told of itself, its zone, and what its documents still wait for."""

    values: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def time_zone(self) -> str:
        return self.values["time_zone"]


def parties(scope: Scope, company_ids: Collection[int]) -> dict[int, Party]:
    """Details of parties to documents; `scope` is the platform's, as a former seller sees its buyer no more."""
    told = told_by_many(scope, company_ids)
    return {company: Party(values, missing_for_invoices(values)) for company, values in told.items()}


@scoped
def waiting(scope: Scope, side: InvoiceSide) -> list[Waiting]:
    """What waits on this side, oldest first, at most 200; what a seller lacks is not told its buyer in detail."""
    scope.require(BILLING_READ)
    rows = _rows(f"s.{'seller_id' if side == 'issued' else 'buyer_id'} = %s", scope.organisation_id)
    return _told(scope, rows)


@scoped
def waiting_statement(scope: Scope, statement_id: int) -> Waiting | None:
    """What the documents of this statement wait for; None when they are issued or there are none to be."""
    scope.require(BILLING_READ)
    rows = _rows("s.id = %s and %s in (s.seller_id, s.buyer_id)", statement_id, scope.organisation_id)
    return next(iter(_told(scope, rows)), None)


@scoped
def untold(scope: Scope) -> list[Untold]:
    """What waits at the asking seller for somebody's word or details and no mail has told of, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, {"seller": scope.organisation_id})
        found = [Untold(*row) for row in cursor.fetchall()]
    waiting_for_details = {one.buyer_id for one in found if one.waits_for == "details"}
    if not waiting_for_details:
        return found
    known = parties(platform_scope(), {scope.organisation_id, *waiting_for_details})
    # With all details given it is issued by itself, soon.
    return [
        one
        for one in found
        if one.waits_for != "details" or known[scope.organisation_id].missing or known[one.buyer_id].missing
    ]


@scoped
def unissued_statements(scope: Scope, *, buyer_id: int | None = None) -> list[int]:
    """The statements of the asking seller (or those of one buyer) whose documents are not made, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select s.id from billing_statement s where s.seller_id = %s and (%s::int is null or s.buyer_id = %s)"  # noqa: S608 - constants only
            f" and {UNISSUED} order by s.starts_at, s.id",
            [scope.organisation_id, buyer_id, buyer_id],
        )
        return [row[0] for row in cursor.fetchall()]


@scoped
def unissued_sellers(scope: Scope) -> list[int]:
    """The sellers that have closed statements of the asking buyer whose documents are not made."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select distinct s.seller_id from billing_statement s where s.buyer_id = %s and {UNISSUED} order by 1",  # noqa: S608 - constants only
            [scope.organisation_id],
        )
        return [row[0] for row in cursor.fetchall()]


def _rows(condition: str, *parameters: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select s.id, s.seller_id, s.buyer_id, s.month, s.currency, s.amount, s.closed_at"  # noqa: S608 - constants only
            f" from billing_statement s where {condition} and {UNISSUED}"
            f" order by s.starts_at, s.id limit {MOST_WAITING}",
            list(parameters),
        )
        return list(cursor.fetchall())


def _told(scope: Scope, rows: list[tuple[Any, ...]]) -> list[Waiting]:
    if not rows:
        return []
    known = parties(platform_scope(), {company for row in rows for company in row[1:3]})
    return [_one(scope, row, known) for row in rows]


def _one(scope: Scope, row: tuple[Any, ...], known: Mapping[int, Party]) -> Waiting:
    statement_id, seller_id, buyer_id, month, currency, amount, closed_at = row
    seller, buyer = known[seller_id], known[buyer_id]
    lacks = seller.missing
    if lacks and scope.organisation_id != seller_id:
        lacks = ("",)
    return Waiting(
        statement_id=statement_id,
        seller_id=seller_id,
        buyer_id=buyer_id,
        month=month,
        currency=currency,
        amount=int(amount),
        closed_at=closed_at,
        seller_name=name_in(seller.values),
        buyer_name=name_in(buyer.values),
        seller_missing=lacks,
        buyer_missing=buyer.missing,
    )
