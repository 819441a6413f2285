"""Charges as statements ask for them: by buyer and rate version, up to a place in the commit order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.types import AskedSpan, BillableGroup, Cutoff, RateTerms
from twin.pricing.meters import METER_BY_ID
from twin.pricing.types import Terms

_ASKED: Final = """
    asked as materialized (
        select buyer_id, start_at, end_at, since::bigint[] as since, zone, before
        from unnest(%(buyers)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(since)s::text[],
                    %(zones)s::text[], %(before)s::date[]) a(buyer_id, start_at, end_at, since, zone, before)
    ), rate as materialized (
        select id, minimum, increment from pricing_rate where seller_id = %(seller)s
    )
"""
# What was charged when it was taken, and what came later: prices found, charges taken back and made anew.
_CHARGES: Final = """
    select buyer_id, company_id, meter_id, event_time, batch, shard, quantity, rate_id, amount, 1 as sign
    from metering_billable where rate_id <> 0 and {rows}
    union all
    select buyer_id, company_id, meter_id, event_time, batch, metering_shard_of(company_id, batch), quantity, rate_id,
           amount, case when kind in ('reversal', 'withdrawal') then -1 else 1 end
    from metering_correction where seller_id = %(seller)s and rate_id <> 0 and {rows}
"""
_SUMS: Final = """
    sum(sign)::text, sum(sign * quantity)::text,
    sum(sign * case when quantity <= 0 then 0 when quantity <= rate.minimum then rate.minimum
        else rate.minimum + ((quantity - rate.minimum + rate.increment - 1) / rate.increment) * rate.increment
        end)::text,
    sum(amount)::text
"""
_USAGE: Final = f"""
    with {_ASKED}
    select asked.buyer_id, null::date, meter_id, rate_id, {_SUMS}
    from ({_CHARGES.format(rows="event_time >= %(first)s and event_time < %(last)s")}) charge
    join asked on asked.buyer_id = charge.buyer_id and event_time >= start_at and event_time < end_at
    join rate on rate.id = charge.rate_id
    where batch <= (%(until)s::bigint[])[shard + 1]
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""  # noqa: S608 - constants only
_LATE: Final = f"""
    with {_ASKED}
    select asked.buyer_id, least(date_trunc('month', event_time at time zone zone)::date, before), meter_id, rate_id,
           {_SUMS}
    from ({_CHARGES.format(rows="event_time < %(latest_start)s and batch > %(least)s")}) charge
    join asked on asked.buyer_id = charge.buyer_id and event_time < start_at and batch > since[shard + 1]
    join rate on rate.id = charge.rate_id
    where batch <= (%(until)s::bigint[])[shard + 1]
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""  # noqa: S608 - constants only
# Of what lacks a price before the span only that counts which came after the statement before was closed, or lost its
# price after it: what was signed off is not asked about again.
_UNRATED: Final = f"""
    with {_ASKED}, open as (
        select asked.buyer_id, u.event_time >= start_at as is_own, since, u.event_time, u.company_id, u.source_id, u.key
        from metering_unrated u join asked on asked.buyer_id = u.buyer_id and u.event_time < end_at
        where u.seller_id = %(seller)s
    )
    select buyer_id, count(*) from (
        select buyer_id from open where is_own
        union all
        select open.buyer_id from open join metering_billable e using (company_id, source_id, key)
        where not is_own and (e.batch > since[shard + 1] or exists (
            select 1 from metering_correction c
            where c.seller_id = %(seller)s and c.event_time = open.event_time
              and (c.key, c.company_id, c.source_id) = (open.key, open.company_id, open.source_id)
              and c.kind = 'reversal' and c.batch > since[metering_shard_of(c.company_id, c.batch) + 1]
        ))
    ) waiting group by buyer_id
"""  # noqa: S608 - constants only
_CORRECTING: Final = f"""
    with {_ASKED}
    select buyer_id from asked where exists (
        select 1 from metering_running_correction r
        where (r.buyer_id is null or r.buyer_id = asked.buyer_id) and r.start_at < asked.end_at
    )
"""  # noqa: S608 - constants only


@scoped
def current_cutoff(scope: Scope) -> Cutoff:  # noqa: ARG001 - the commit order is that of the installation
    """How far the commit order has come in the snapshot of this transaction.

    To say that rows belong to it, read both in one REPEATABLE READ transaction. What lies up to a
    cutoff never changes: a smaller number is never committed later.
    """
    with connection.cursor() as cursor:
        cursor.execute("select last from metering_shard order by shard")
        return tuple(row[0] for row in cursor.fetchall())


@scoped(snapshot=True)
def billable_groups(scope: Scope, *, asked: Sequence[AskedSpan], until: Cutoff) -> list[BillableGroup]:
    """What the organisation charged many buyers, each in its own span and late, committed up to `until`.

    One pass over the rows however many buyers are asked about, so ask together about those whose
    spans are alike. By buyer, usage before late, month, meter and rate. Unrated usage is not in it.
    """
    if not asked:
        return []
    groups = [_group(row) for row in _rows(scope, _USAGE, asked, until)]
    known = [span for span in asked if span.since is not None]
    if known:
        groups += [_group(row) for row in _rows(scope, _LATE, known, until)]
    return sorted(groups, key=lambda one: one.buyer_id)


@scoped(snapshot=True)
def unrated_counts(scope: Scope, *, asked: Sequence[AskedSpan]) -> dict[int, int]:
    """How many events that belong to each buyer's span, or came late to it, still lack the organisation's price."""
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_UNRATED, _parameters(scope, asked))
        return dict(cursor.fetchall())


@scoped(snapshot=True)
def buyers_in_correction(scope: Scope, *, asked: Sequence[AskedSpan]) -> set[int]:
    """Those whose charges up to the end of their span a correction is still changing, part by part.

    Read in the snapshot of a cutoff it says whether that cutoff would cut one in two.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTING, _parameters(scope, asked))
        return {row[0] for row in cursor.fetchall()}


@scoped(snapshot=True)
def billable_rates(scope: Scope, rate_ids: Iterable[int]) -> dict[int, RateTerms]:
    """The terms of those of the organisation's own rates."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, unit_price_nano, per, minimum, increment, setup_fee_nano, selector::text, effective_from"
            " from pricing_rate where seller_id = %s and id = any(%s)",
            [scope.organisation_id, sorted(set(rate_ids))],
        )
        rows = cursor.fetchall()
    return {row[0]: RateTerms(row[0], Terms(*row[1:6]), json.loads(row[6]), row[7]) for row in rows}


def _rows(scope: Scope, statement: str, asked: Sequence[AskedSpan], until: Cutoff) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_parameters(scope, asked), "until": list(until)})
        rows: list[Any] = cursor.fetchall()
        return rows


def _parameters(scope: Scope, asked: Sequence[AskedSpan]) -> dict[str, Any]:
    starts = [span.start for span in asked]
    known = [span.since for span in asked if span.since is not None]
    return {
        "seller": scope.organisation_id,
        "buyers": [span.buyer_id for span in asked],
        "starts": starts,
        "ends": [span.end for span in asked],
        "since": [None if span.since is None else f"{{{','.join(map(str, span.since))}}}" for span in asked],
        "zones": [span.time_zone for span in asked],
        "before": [span.month_before for span in asked],
        "first": min(starts),
        "last": max(span.end for span in asked),
        "latest_start": max(starts),
        "least": min((min(since) for since in known), default=0),
    }


def _group(row: Any) -> BillableGroup:
    buyer, month, meter, rate, *sums = row
    count, quantity, billed, amount = map(int, sums)
    return BillableGroup(
        buyer,
        "usage" if month is None else "late",
        month,
        METER_BY_ID[meter].code,
        rate,
        count,
        quantity,
        billed,
        amount,
    )
