"""Statements as both parties read them: closed ones as they were closed, open ones as of now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import connection

from twin.billing.errors import StatementNotFound
from twin.billing.queries.pairs import NextStatement, open_spans
from twin.billing.rules.statement_rows import COLUMNS, statement_from
from twin.billing.rules.statements import lines_of, total_of
from twin.billing.types import Statement, StatementLine
from twin.companies.access import billing_scope
from twin.companies.types import BILLING_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.queries import billable_groups, billable_rates, current_cutoff, unrated_counts
from twin.metering.types import BillableGroup, RateTerms
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import Terms

MOST_ID: Final = 2**63 - 1
_LINES: Final = """
    select statement_id, number, kind, month, meter_id, rate_id, unit_price_nano, per, minimum, increment,
           setup_fee_nano, selector::text, count, quantity::text, billed::text, amount::text
    from billing_line where statement_id = any(%s) order by statement_id, number
"""


@scoped
def statement(scope: Scope, statement_id: int) -> Statement:
    """One statement with its lines, for seller and buyer; raises `StatementNotFound` for anybody else.

    Of one that waits to be closed the lines are those of now.
    """
    scope.require(BILLING_READ)
    found = statements_of(scope, [statement_id]) if 0 < statement_id <= MOST_ID else []
    if not found:
        raise StatementNotFound(f"There is no statement {statement_id}.")
    return found[0] if found[0].state == "closed" else _as_of_now(scope, found[0])


@scoped
def statements_of(scope: Scope, statement_ids: Iterable[int]) -> list[Statement]:  # noqa: ARG001 - opens the tenant's door
    """Those of the statements that the asker may see, by id, with their lines as they were closed."""
    ids = list(statement_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {COLUMNS} from billing_statement where id = any(%s) order by id",  # noqa: S608 - constants only
            [ids],
        )
        found = [statement_from(row) for row in cursor.fetchall()]
        cursor.execute(_LINES, [ids])
        lines = _by_statement(cursor.fetchall())
    return [replace(one, lines=tuple(lines.get(one.id or 0, ()))) for one in found]


@scoped(snapshot=True)
def open_statements(scope: Scope, seller_id: int, buyer_id: int) -> list[Statement]:
    """What was used since the last closed statement of the pair, as of now: a month each, in order.

    The first holds what came late for closed months as well. For the seller and the buyer alone;
    anybody else finds nothing.
    """
    scope.require(BILLING_READ)
    if scope.organisation_id not in (seller_id, buyer_id):
        return []
    # Charges stand in the seller's books; what is read there is this pair's own.
    with tenant_transaction(seller_id):
        seller = billing_scope(seller_id)
        spans = open_spans(seller, buyer_id, clock.now())
        until = current_cutoff(seller)
        parts = [billable_groups(seller, asked=[one.asked], until=until) for one in spans]
        rates = billable_rates(seller, {group.rate_id for part in parts for group in part})
    return [_open(one, part, rates) for one, part in zip(spans, parts, strict=True)]


@scoped
def open_statement(scope: Scope, seller_id: int, buyer_id: int) -> Statement:
    """The month that runs now; raises `StatementNotFound` where there is none."""
    now = clock.now()
    for found in reversed(open_statements(scope, seller_id, buyer_id)):
        if now in found.period:
            return found
    raise StatementNotFound(f"Company {buyer_id} buys nothing from company {seller_id} now.")


@scoped(snapshot=True)
def unrated_of(scope: Scope, found: Statement) -> int:
    """How many events of an open statement still lack the seller's price; a closed one lacks none any more."""
    if found.state == "closed" or scope.organisation_id not in (found.seller_id, found.buyer_id):
        return 0
    with tenant_transaction(found.seller_id):
        seller = billing_scope(found.seller_id)
        spans = [one for one in open_spans(seller, found.buyer_id, clock.now()) if one.span.period == found.period]
        return unrated_counts(seller, asked=[one.asked for one in spans]).get(found.buyer_id, 0) if spans else 0


def _as_of_now(scope: Scope, found: Statement) -> Statement:
    """A statement that waits to be closed, with the lines it would have now."""
    same = [one for one in open_statements(scope, found.seller_id, found.buyer_id) if one.id == found.id]
    return same[0] if same else found


def _open(following: NextStatement, groups: Sequence[BillableGroup], rates: Mapping[int, RateTerms]) -> Statement:
    lines = lines_of(groups, rates, following.span.month)
    return replace(following.blank(clock.now()), lines=lines, amount=total_of(lines))


def _by_statement(rows: Iterable[Sequence[Any]]) -> dict[int, list[StatementLine]]:
    found: dict[int, list[StatementLine]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(
            StatementLine(
                number=row[1],
                kind=row[2],
                month=row[3],
                meter=METER_BY_ID[row[4]].code,
                rate_id=row[5],
                terms=Terms(*row[6:11]),
                selector=json.loads(row[11]),
                count=row[12],
                quantity=int(row[13]),
                billed=int(row[14]),
                amount=int(row[15]),
            )
        )
    return found
