"""Months that are over become statements, once; what waits for somebody's word is held and says why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Final

from twin.billing.actions.booking import lock_ledgers
from twin.billing.actions.issuing import issue_for_statements
from twin.billing.actions.writing import lock_seller, write_closed, write_held
from twin.billing.queries.listing import unstated
from twin.billing.queries.pairs import NextStatement, next_statements
from twin.billing.queries.sellers import billing_sellers
from twin.billing.queries.settings import settings_of
from twin.billing.rules.statements import held_by, lines_of, total_of
from twin.billing.types import Settings, Statement
from twin.companies.access import billing_scope
from twin.companies.types import BILLING_WRITE, Scope
from twin.kernel.tenancy import scoped, tenant_transaction
from twin.metering.queries import (
    billable_groups,
    billable_rates,
    buyers_in_correction,
    current_cutoff,
    unrated_counts,
)

log = logging.getLogger(__name__)

# Of so many buyers the charges are summed in one pass over the rows; it bounds the memory.
AT_ONCE: Final = 5_000
# So many statements are one transaction: a commit for each would wait for the disk ten thousand times.
_A_TRANSACTION: Final = 250


@dataclass(frozen=True, slots=True)
class Closing:
    """What one run did: statements closed, and statements that wait and why.

    `correcting` wait by themselves: until a correction of their charges that is being done has come to its end.
    """

    closed: int = 0
    unrated: int = 0
    late: int = 0
    correcting: int = 0

    def __add__(self, other: Closing) -> Closing:
        return Closing(
            self.closed + other.closed,
            self.unrated + other.unrated,
            self.late + other.late,
            self.correcting + other.correcting,
        )


def close_due(
    scope: Scope,
    *,
    now: datetime,
    only: Iterable[int] | None = None,
    until_month: date | None = None,
    tell: bool = True,
    issued_at: datetime | None = None,
) -> Closing:
    """Close every month of the organisation's buyers that was over, and its grace too, at `now`; in order.

    Safe to repeat, to interrupt and to run twice at once: each statement is closed once, with its
    lines, its document and its posting, or not at all. What is held holds up the later months of its pair
    alone. `only` and `until_month` narrow what is closed; `tell` False sends no mails. `issued_at` dates the documents
    otherwise than the clock, where a past is made up.
    """
    scope.require(BILLING_WRITE)
    settings = settings_of(scope)
    held: set[int] = set()
    total = Closing()
    while True:
        found = next_statements(scope, now, only=only)
        due = [
            one
            for one in found
            if one.buyer.company_id not in held
            and one.span.over_at + settings.grace <= now
            and (until_month is None or one.span.month <= until_month)
        ]
        due = _without_idle_tails(scope, due)
        if not due:
            return total
        for part in _parts(due):
            done, waiting = _close_part(scope, part, settings, now, tell=tell, issued_at=issued_at)
            total += done
            held.update(waiting)


def close_everywhere(scope: Scope, *, now: datetime) -> Iterator[tuple[int, Closing]]:
    """`close_due` for every seller beneath the platform that closes automatically; each seller with what was done.

    What keeps one of them from closing is reported and keeps nobody else.
    """
    for seller in billing_sellers(scope):
        own = billing_scope(seller)
        if not settings_of(own).closes_automatically:
            continue
        try:
            done = close_due(own, now=now)
        except Exception:
            log.exception("billing.close seller=%d", seller)
            continue
        if done != Closing():
            yield seller, done


def _without_idle_tails(scope: Scope, due: list[NextStatement]) -> list[NextStatement]:
    """Who left has a statement only when something came late: whether it did tell the totals, without the rows."""
    tails = [one for one in due if one.span.is_tail]
    if not tails:
        return due
    moved = unstated(scope).keys() | unrated_counts(scope, asked=[one.asked for one in tails]).keys()
    return [one for one in due if not one.span.is_tail or one.buyer.company_id in moved]


def _parts(due: list[NextStatement]) -> Iterator[list[NextStatement]]:
    """Those whose rows lie together are read together."""

    def alike(one: NextStatement) -> tuple[date, str, bool]:
        return one.span.month, one.time_zone, one.span.is_tail

    for _, group in groupby(sorted(due, key=alike), key=alike):
        same = list(group)
        for at in range(0, len(same), AT_ONCE):
            yield same[at : at + AT_ONCE]


def _close_part(
    scope: Scope,
    part: Sequence[NextStatement],
    settings: Settings,
    now: datetime,
    *,
    tell: bool,
    issued_at: datetime | None,
) -> tuple[Closing, list[int]]:
    """Returns also the buyers that need no second look: held, or empty tails that leave no statement."""
    prepared, correcting = prepare(scope, part, settings, now)
    done, finished = Closing(correcting=correcting), []
    for at in range(0, len(prepared), _A_TRANSACTION):
        some = prepared[at : at + _A_TRANSACTION]
        done += _write(scope, some, tell=tell, issued_at=issued_at)
        finished += [one.buyer_id for one in some if one.held]
    written = {one.buyer_id for one in prepared}
    return done, finished + [one.buyer.company_id for one in part if one.buyer.company_id not in written]


@scoped(snapshot=True)
def prepare(
    scope: Scope, part: Sequence[NextStatement], settings: Settings, now: datetime
) -> tuple[list[Statement], int]:
    """The statements as they would be closed at the cutoff of this snapshot; held ones say why.

    What lies up to a cutoff never changes, so they may be written in a later transaction. Of buyers that
    left there is one only when something came late. Left out, and counted, are those whose charges a correction
    is changing in this snapshot: the cutoff would cut it in two, and late usage may be written off.
    """
    until = current_cutoff(scope)
    in_correction = buyers_in_correction(scope, asked=[one.asked for one in part])
    part = [one for one in part if one.buyer.company_id not in in_correction]
    asked = [one.asked for one in part]
    groups = billable_groups(scope, asked=asked, until=until)
    unrated = unrated_counts(scope, asked=asked)
    rates = billable_rates(scope, {group.rate_id for group in groups})
    by_buyer = {buyer: list(found) for buyer, found in groupby(groups, key=lambda group: group.buyer_id)}
    prepared = []
    for one in part:
        buyer = one.buyer.company_id
        lines = lines_of(by_buyer.get(buyer, ()), rates, one.span.month)
        if one.span.is_tail and not lines and not unrated.get(buyer):
            continue
        found = replace(one.blank(now), lines=lines, cutoff=until, amount=total_of(lines), closed_at=now)
        prepared.append(_judged(found, unrated.get(buyer, 0), settings))
    return prepared, len(in_correction)


def _judged(found: Statement, unrated: int, settings: Settings) -> Statement:
    held = held_by(
        found.lines,
        currency=found.currency,
        unrated=unrated,
        is_signed_off=bool(found.signed_off_reason),
        decided=found.late_policy,
        threshold_minor=settings.late_threshold_minor,
    )
    if held:
        return replace(found, state="closing", held=held)
    return replace(found, state="closed", held="", late_policy=found.late_policy or settings.late_policy)


def _write(scope: Scope, prepared: Sequence[Statement], *, tell: bool, issued_at: datetime | None) -> Closing:
    """One transaction: statements, lines, documents, postings."""
    with tenant_transaction(scope.organisation_id):
        lock_seller(scope)
        lock_ledgers(scope, [one.buyer_id for one in prepared])
        held = [one for one in prepared if one.held]
        write_held(scope, held)
        closed = write_closed(scope, [one for one in prepared if not one.held])
        issue_for_statements(scope, [one for one in closed if one.lines], tell=tell, issued_at=issued_at)
    return Closing(
        closed=len(closed),
        unrated=sum(one.held == "unrated" for one in held),
        late=sum(one.held == "late" for one in held),
    )
