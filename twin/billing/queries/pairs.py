"""Where each pair stands: its last closed statement, and what follows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

from twin.billing.rules.months import MonthSpan, Stay, next_span, spans_after
from twin.billing.types import HeldBy, LatePolicy, Statement
from twin.companies.queries import DirectBuyer, direct_buyers
from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.types import AskedSpan, Cutoff

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = """
    select distinct on (buyer_id) buyer_id, id, month, ends_at, cutoff from billing_statement
    where seller_id = %(seller)s and state = 'closed' and (%(only)s::int[] is null or buyer_id = any(%(only)s))
    order by buyer_id, starts_at desc
"""
_WAITING: Final = """
    select buyer_id, id, month, time_zone, starts_at, ends_at, held, signed_off_reason, signed_off_by, late_policy
    from billing_statement
    where seller_id = %(seller)s and state = 'closing' and (%(only)s::int[] is null or buyer_id = any(%(only)s))
"""


@dataclass(frozen=True, slots=True)
class LastStatement:
    """The statement of a pair that was closed last."""

    id: int
    month: date
    ends_at: datetime
    cutoff: Cutoff


@dataclass(frozen=True, slots=True)
class Waiting:
    """A statement that waits for somebody's word, and what was said so far."""

    id: int
    month: date
    time_zone: str
    period: Period
    held: HeldBy
    signed_off_reason: str
    signed_off_by: str
    decided: LatePolicy | None


@dataclass(frozen=True, slots=True)
class NextStatement:
    """What a pair's next statement covers. `last` None: it is the first one."""

    seller_id: int
    buyer: DirectBuyer = field(repr=False)
    time_zone: str
    span: MonthSpan
    last: LastStatement | None
    waiting: Waiting | None = None

    @property
    def since(self) -> Cutoff:
        """The cutoff before; none for a first statement, of which nothing can be late."""
        return () if self.last is None else self.last.cutoff

    def blank(self, now: datetime) -> Statement:
        """The statement that comes next, without lines."""
        waiting = self.waiting
        return Statement(
            id=waiting.id if waiting else None,
            seller_id=self.seller_id,
            buyer_id=self.buyer.company_id,
            month=self.span.month,
            time_zone=self.time_zone,
            period=self.span.period,
            currency=self.buyer.currency,
            state="open" if self.span.over_at > now else "closing",
            held=waiting.held if waiting else "",
            since=self.since,
            cutoff=None,
            late_policy=waiting.decided if waiting else None,
            signed_off_reason=waiting.signed_off_reason if waiting else "",
            signed_off_by=waiting.signed_off_by if waiting else "",
            amount=None,
            closed_at=None,
        )

    @property
    def asked(self) -> AskedSpan:
        """The same, as metering asks for it."""
        return AskedSpan(
            buyer_id=self.buyer.company_id,
            start=self.span.period.start,
            end=self.span.period.end,
            since=None if self.last is None else self.last.cutoff,
            time_zone=self.time_zone,
            month_before=self.span.month if self.last is None else self.last.month,
        )


@scoped
def next_statements(scope: Scope, now: datetime, *, only: Iterable[int] | None = None) -> list[NextStatement]:
    """For each direct buyer, present or former, the first span that no closed statement covers; by buyer."""
    ids = None if only is None else list(only)
    buyers = direct_buyers(scope, only=ids)
    last, waiting = _last(scope, ids), _waiting(scope, ids)
    found = (
        _first(scope.organisation_id, buyer, last.get(buyer.company_id), waiting.get(buyer.company_id), now)
        for buyer in buyers
    )
    return [one for one in found if one is not None]


@scoped
def open_spans(scope: Scope, buyer_id: int, now: datetime) -> list[NextStatement]:
    """All spans of one pair that no closed statement covers and that have begun, in order; none of a stranger."""
    buyers = direct_buyers(scope, only=[buyer_id])
    last, waiting = _last(scope, [buyer_id]).get(buyer_id), _waiting(scope, [buyer_id]).get(buyer_id)
    found: list[NextStatement] = []
    for buyer in buyers:
        first = _first(scope.organisation_id, buyer, last, waiting, now)
        if first is None:
            continue
        found.append(first)
        before = (first.span.month, first.span.period.end)
        # What comes late belongs to the month that will be closed first.
        found.extend(
            NextStatement(scope.organisation_id, buyer, buyer.time_zone, span, None)
            for span in spans_after(_stays(buyer), ZoneInfo(buyer.time_zone), before, now)
            if not span.is_tail
        )
    return found


def _first(
    seller: int, buyer: DirectBuyer, last: LastStatement | None, waiting: Waiting | None, now: datetime
) -> NextStatement | None:
    if waiting is not None:
        span = MonthSpan(waiting.month, waiting.period, waiting.period.end)
        return NextStatement(seller, buyer, waiting.time_zone, span, last, waiting)
    before = None if last is None else (last.month, last.ends_at)
    following = next_span(_stays(buyer), ZoneInfo(buyer.time_zone), before, now)
    if following is None or following.period.start > now:
        return None
    return NextStatement(seller, buyer, buyer.time_zone, following, last)


def _stays(buyer: DirectBuyer) -> list[Stay]:
    return [Stay(stay.start or _BEGINNING, stay.end) for stay in buyer.stays]


def _last(scope: Scope, only: list[int] | None) -> dict[int, LastStatement]:
    with connection.cursor() as cursor:
        cursor.execute(_LAST, {"seller": scope.organisation_id, "only": only})
        return {row[0]: LastStatement(row[1], row[2], row[3], tuple(row[4])) for row in cursor.fetchall()}


def _waiting(scope: Scope, only: list[int] | None) -> dict[int, Waiting]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"seller": scope.organisation_id, "only": only})
        return {row[0]: Waiting(row[1], row[2], row[3], Period(row[4], row[5]), *row[6:]) for row in cursor.fetchall()}
