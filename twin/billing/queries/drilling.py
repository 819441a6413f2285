"""From a line of a statement to the usage it adds up, as of the statement's cutoff."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from twin.billing.errors import StatementNotFound
from twin.billing.queries.pairs import open_spans
from twin.billing.types import Statement, StatementLine
from twin.companies.access import billing_scope
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.queries import current_cutoff
from twin.metering.queries.billable_events import AskedLine, BillableCharge, Place, billable_charges
from twin.metering.types import AskedSpan

CHARGES_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class ChargePage:
    """Charges of one line, oldest first; `following` is None on the last page."""

    items: tuple[BillableCharge, ...]
    following: Place | None


@scoped(snapshot=True)
def charges_of(
    scope: Scope, found: Statement, line: StatementLine, *, after: Place | None = None, limit: int = CHARGES_A_PAGE
) -> ChargePage:
    """The charges of a line for both parties: of a closed statement those up to its cutoff, else those of now.

    Read in the seller's name; the buying side of the seller never leaves the database.
    """
    scope.require(BILLING_READ)
    if scope.organisation_id not in (found.seller_id, found.buyer_id):
        raise StatementNotFound("There is no such statement.")
    with tenant_transaction(found.seller_id):
        seller = billing_scope(found.seller_id)
        span = _span(seller, found)
        until = found.cutoff if found.cutoff is not None else current_cutoff(seller)
        asked = AskedLine(span, until, line.month if line.kind == "late" else None, line.meter, line.rate_id)
        items, following = billable_charges(seller, asked, limit=limit, after=after)
    return ChargePage(tuple(items), following)


def _span(seller: Scope, found: Statement) -> AskedSpan:
    if found.cutoff is None:
        spans = [one for one in open_spans(seller, found.buyer_id, clock.now()) if one.span.period == found.period]
        if not spans:
            raise StatementNotFound("This month was closed meanwhile.")
        return spans[0].asked
    with connection.cursor() as cursor:
        cursor.execute(
            "select month from billing_statement where seller_id = %s and buyer_id = %s and state = 'closed'"
            " and starts_at < %s order by starts_at desc limit 1",
            [found.seller_id, found.buyer_id, found.period.start],
        )
        row = cursor.fetchone()
    return AskedSpan(
        buyer_id=found.buyer_id,
        start=found.period.start,
        end=found.period.end,
        since=found.since or None,
        time_zone=found.time_zone,
        month_before=row[0] if row else found.month,
    )
