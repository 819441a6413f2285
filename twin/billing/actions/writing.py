"""Statements enter the books, many at once; all of it inside the transaction that closes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import connection

from twin.billing.rules.statements import digest_of
from twin.billing.types import Statement, StatementLine
from twin.companies.types import Scope
from twin.pricing.meters import METER_BY_CODE

# "TWNB": two closings of one seller wait for one another.
_LOCK: Final = 0x54574E42

_HELD: Final = """
    insert into billing_statement (seller_id, buyer_id, month, time_zone, starts_at, ends_at, currency, since, held)
    select %(seller)s, buyer_id, month, time_zone, starts_at, ends_at, currency, since::bigint[], held
    from unnest(%(buyers)s::int[], %(months)s::date[], %(zones)s::text[], %(starts)s::timestamptz[],
                %(ends)s::timestamptz[], %(currencies)s::text[], %(since)s::text[], %(held)s::text[])
        one(buyer_id, month, time_zone, starts_at, ends_at, currency, since, held)
    on conflict (seller_id, buyer_id, starts_at) do update set held = excluded.held
    where billing_statement.state = 'closing' and billing_statement.held <> excluded.held
"""
# A statement is closed only as the next one of its pair: whoever came first has closed it otherwise.
_CLOSED: Final = """
    insert into billing_statement (seller_id, buyer_id, month, time_zone, starts_at, ends_at, currency, since, held,
        state, cutoff, late_policy, amount, digest, closed_at)
    select %(seller)s, buyer_id, month, time_zone, starts_at, ends_at, currency, since::bigint[], '', 'closed',
           cutoff::bigint[], late_policy, amount::numeric, digest, closed_at
    from unnest(%(buyers)s::int[], %(months)s::date[], %(zones)s::text[], %(starts)s::timestamptz[],
                %(ends)s::timestamptz[], %(currencies)s::text[], %(since)s::text[], %(cutoffs)s::text[],
                %(policies)s::text[], %(amounts)s::text[], %(digests)s::bytea[], %(closed)s::timestamptz[])
        one(buyer_id, month, time_zone, starts_at, ends_at, currency, since, cutoff, late_policy, amount, digest,
            closed_at)
    where not exists (
        select 1 from billing_statement b
        where b.seller_id = %(seller)s and b.buyer_id = one.buyer_id and b.state = 'closed'
          and b.ends_at > one.starts_at
    )
    on conflict (seller_id, buyer_id, starts_at) do update
    set state = 'closed', held = '', time_zone = excluded.time_zone, ends_at = excluded.ends_at,
        month = excluded.month, since = excluded.since, cutoff = excluded.cutoff,
        late_policy = excluded.late_policy, amount = excluded.amount, digest = excluded.digest,
        closed_at = excluded.closed_at
    where billing_statement.state = 'closing'
    returning buyer_id, id
"""
# One value of JSON, numbers in it as texts: to quote each cell of many arrays took longer than to write the rows.
_LINES: Final = """
    insert into billing_line (statement_id, number, seller_id, buyer_id, kind, month, meter_id, rate_id,
        unit_price_nano, per, minimum, increment, setup_fee_nano, selector, count, quantity, billed, amount)
    select statement_id, number, %s, buyer_id, kind, month, meter_id, rate_id, unit_price_nano, per, minimum,
           increment, setup_fee_nano, selector, count, quantity, billed, amount
    from jsonb_to_recordset(%s) one(statement_id bigint, number int, buyer_id int, kind text, month date, meter_id int,
        rate_id int, unit_price_nano bigint, per int, minimum bigint, increment bigint, setup_fee_nano bigint,
        selector jsonb, count bigint, quantity numeric, billed numeric, amount numeric)
"""


def lock_seller(scope: Scope) -> None:
    """One closing of a seller at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [_LOCK, scope.organisation_id])


def write_held(scope: Scope, held: Sequence[Statement]) -> None:
    """Note that these wait, and for what; one that was closed meanwhile stays closed."""
    if held:
        with connection.cursor() as cursor:
            cursor.execute(_HELD, {**_spans(scope, held), "held": [one.held for one in held]})


def write_closed(scope: Scope, closed: Sequence[Statement]) -> list[Statement]:
    """Close these with their lines; returns those that were not closed before, with their numbers."""
    if not closed:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _CLOSED,
            {
                **_spans(scope, closed),
                "cutoffs": [_array(one.cutoff or ()) for one in closed],
                "policies": [one.late_policy for one in closed],
                "amounts": [str(one.amount) for one in closed],
                "digests": [digest_of(one) for one in closed],
                "closed": [one.closed_at for one in closed],
            },
        )
        numbers = dict(cursor.fetchall())
        written = [replace(one, id=numbers[one.buyer_id]) for one in closed if one.buyer_id in numbers]
        rows = [_line(one, line) for one in written for line in one.lines]
        if rows:
            cursor.execute(_LINES, [scope.organisation_id, json.dumps(rows)])
    return written


def _spans(scope: Scope, found: Sequence[Statement]) -> dict[str, Any]:
    return {
        "seller": scope.organisation_id,
        "buyers": [one.buyer_id for one in found],
        "months": [one.month for one in found],
        "zones": [one.time_zone for one in found],
        "starts": [one.period.start for one in found],
        "ends": [one.period.end for one in found],
        "currencies": [one.currency for one in found],
        "since": [_array(one.since) for one in found],
    }


def _line(one: Statement, line: StatementLine) -> dict[str, Any]:
    terms = line.terms
    return {
        "statement_id": one.id,
        "number": line.number,
        "buyer_id": one.buyer_id,
        "kind": line.kind,
        "month": line.month.isoformat(),
        "meter_id": METER_BY_CODE[line.meter].id,
        "rate_id": line.rate_id,
        "unit_price_nano": terms.unit_price_nano,
        "per": terms.per,
        "minimum": terms.minimum,
        "increment": terms.increment,
        "setup_fee_nano": terms.setup_fee_nano,
        "selector": dict(line.selector),
        "count": line.count,
        "quantity": str(line.quantity),
        "billed": str(line.billed),
        "amount": str(line.amount),
    }


def _array(numbers: Iterable[int]) -> str:
    return f"{{{','.join(map(str, numbers))}}}"
