"""Proof of closed statements: each made again from the rows up to its cutoff, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from django.db import connection

from twin.billing.rules.statement_rows import COLUMNS, statement_from
from twin.billing.rules.statements import digest_of, lines_of, total_of
from twin.billing.types import Statement
from twin.companies.types import Scope
from twin.kernel.tenancy import scoped
from twin.metering.queries import billable_groups, billable_rates
from twin.metering.types import AskedSpan, Cutoff

_AT_ONCE: Final = 5_000
_CLOSED: Final = f"""
    select {COLUMNS}, digest, before from (
        select *, lag(month) over (partition by buyer_id order by starts_at) as before
        from billing_statement where seller_id = %(seller)s and state = 'closed'
    ) closed
    order by cutoff, month, time_zone, buyer_id
"""  # noqa: S608 - constants only


@dataclass(frozen=True, slots=True)
class _Kept:
    statement: Statement
    digest: bytes
    asked: AskedSpan


@scoped(snapshot=True)
def differing_statements(scope: Scope) -> tuple[int, list[int]]:
    """How many closed statements the seller has, and those that the rows no longer give: none, or something is wrong.

    Statements of one cutoff and month are made again in one pass.
    """
    number, wrong = 0, []
    for cutoff, kept in _parts(scope):
        number += len(kept)
        made = _made_again(scope, kept, cutoff)
        wrong += [one.statement.id or 0 for one in kept if made[one.statement.id] != one.digest]
    return number, wrong


def _parts(scope: Scope) -> Iterator[tuple[Cutoff, list[_Kept]]]:
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED, {"seller": scope.organisation_id})
        kept = [_kept(row) for row in cursor.fetchall()]

    def alike(one: _Kept) -> tuple[Any, ...]:
        return one.statement.cutoff, one.statement.month, one.statement.time_zone

    for (cutoff, *_), group in groupby(kept, key=alike):
        yield from ((cutoff, part) for part in _one_of_each_buyer(list(group)))


def _one_of_each_buyer(kept: list[_Kept]) -> Iterator[list[_Kept]]:
    """A pass takes at most one statement of a buyer: one that came back has two of a month."""
    while kept:
        part = list({one.statement.buyer_id: one for one in kept}.values())[:_AT_ONCE]
        yield part
        taken = {one.statement.id for one in part}
        kept = [one for one in kept if one.statement.id not in taken]


def _kept(row: tuple[Any, ...]) -> _Kept:
    found = statement_from(row)
    asked = AskedSpan(
        buyer_id=found.buyer_id,
        start=found.period.start,
        end=found.period.end,
        since=found.since or None,
        time_zone=found.time_zone,
        month_before=row[-1] or found.month,
    )
    return _Kept(found, bytes(row[-2]), asked)


def _made_again(scope: Scope, kept: Iterable[_Kept], cutoff: Cutoff) -> dict[int | None, bytes]:
    same = list(kept)
    groups = billable_groups(scope, asked=[one.asked for one in same], until=cutoff)
    rates = billable_rates(scope, {group.rate_id for group in groups})
    by_buyer = {buyer: list(found) for buyer, found in groupby(groups, key=lambda group: group.buyer_id)}
    made = {}
    for one in same:
        lines = lines_of(by_buyer.get(one.statement.buyer_id, ()), rates, one.statement.month)
        made[one.statement.id] = digest_of(replace(one.statement, lines=lines, amount=total_of(lines)))
    return made
