"""The to-do lists of the books: usage without a price, keys that came twice with different content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.rules.identity import id_of
from twin.metering.types import Conflict, UnratedGroup

MOST_LISTED: Final = 10_000
# Where a page ended: the next one begins after it.
UnratedPlace = tuple[int, int, int, int]
ConflictPlace = tuple[datetime, int, int, UUID, str]

_UNRATED: Final = """
    select u.seller_id, u.buyer_id, m.code, a.body::json, count(*), min(u.event_time), max(u.event_time),
           m.id, a.attributes_id
    from metering_unrated u
    join pricing_meter m on m.id = u.meter_id
    join metering_attributes a using (attributes_id)
    where (u.seller_id = %(organisation)s or u.buyer_id = %(organisation)s)
      and (%(start)s::timestamptz is null or u.event_time >= %(start)s and u.event_time < %(end)s)
      and (%(seller)s::int is null
           or (u.seller_id, u.buyer_id, u.meter_id, u.attributes_id) > (%(seller)s, %(buyer)s, %(meter)s, %(set)s))
    group by u.seller_id, u.buyer_id, m.id, m.code, a.attributes_id
    order by u.seller_id, u.buyer_id, m.id, a.attributes_id
    limit %(most)s
"""
# The newest first, the rest of the place ascending.
_CONFLICTS: Final = """
    select c.company_id, s.name, c.event_id, m.code, c.quantity, c.event_time, a.body::json, c.recorded_at,
           c.source_id, c.key, encode(c.fingerprint, 'hex')
    from metering_conflict c
    join metering_source s using (source_id)
    join pricing_meter m on m.id = c.meter_id
    join metering_attributes a using (attributes_id)
    where %(moment)s::timestamptz is null or c.recorded_at < %(moment)s or (c.recorded_at = %(moment)s
        and (c.company_id, c.source_id, c.key, c.fingerprint)
            > (%(company)s, %(source)s, %(key)s::uuid, decode(%(fingerprint)s, 'hex')))
    order by c.recorded_at desc, c.company_id, c.source_id, c.key, c.fingerprint
    limit %(most)s
"""


@dataclass(frozen=True, slots=True)
class UnratedGroups:
    """One page; `following` is where the next one begins, None at the end."""

    items: tuple[UnratedGroup, ...]
    following: UnratedPlace | None


@dataclass(frozen=True, slots=True)
class Conflicts:
    """One page; `following` is where the next one begins, None at the end."""

    items: tuple[Conflict, ...]
    following: ConflictPlace | None


@scoped
def unrated_groups(scope: Scope, period: Period | None = None) -> list[UnratedGroup]:
    """The first 10,000 edges without a price of which the organisation is a party, grouped as one rate would mend them.

    All there are, or those of usage within the period.
    """
    return list(_unrated(scope, period, None, MOST_LISTED).items)


@scoped
def unrated_page(scope: Scope, *, after: UnratedPlace | None, limit: int) -> UnratedGroups:
    """`unrated_groups` from a place on, in the order of seller, buyer, meter and attributes."""
    return _unrated(scope, None, after, limit)


@scoped
def conflicts_page(scope: Scope, *, after: ConflictPlace | None, limit: int) -> Conflicts:  # noqa: ARG001 - row-level security answers for the scope
    """Conflicting repeats of the organisation and of what lay beneath it at their `event_time`, newest first."""
    moment, company, source, key, fingerprint = after or (None, None, None, None, None)
    given = {
        "moment": moment,
        "company": company,
        "source": source,
        "key": key,
        "fingerprint": fingerprint,
        "most": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CONFLICTS, given)
        rows = cursor.fetchall()
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else (last[7], last[0], last[8], last[9], last[10])
    return Conflicts(tuple(Conflict(*row[:8]) for row in rows[:limit]), following)


def _unrated(scope: Scope, period: Period | None, after: UnratedPlace | None, limit: int) -> UnratedGroups:
    seller, buyer, meter, attributes = after or (None, None, None, None)
    given = {
        "organisation": scope.organisation_id,
        "start": period.start if period else None,
        "end": period.end if period else None,
        "seller": seller,
        "buyer": buyer,
        "meter": meter,
        "set": attributes,
        "most": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UNRATED, given)
        rows = cursor.fetchall()
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else (last[0], last[1], last[7], last[8])
    return UnratedGroups(tuple(UnratedGroup(*row[:7]) for row in rows[:limit]), following)


def event_id_text(key: UUID, text: str | None) -> str:
    """The id an event was sent with."""
    return id_of(key.bytes, text)
