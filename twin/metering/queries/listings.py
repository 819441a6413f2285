"""The to-do lists of the books: usage without a price, keys that came twice with different content."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from twin.companies.types import Scope
from twin.kernel.period import Period
from twin.kernel.tenancy import scoped
from twin.metering.rules.identity import id_of
from twin.metering.types import Conflict, UnratedGroup

MOST_LISTED = 10_000


@scoped
def unrated_groups(scope: Scope, period: Period | None = None) -> list[UnratedGroup]:
    """Edges without a price to which the organisation is a party, grouped as one rate would mend them.

    All there are, or those of usage within the period.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select u.seller_id, u.buyer_id, m.code, a.body::json, count(*), min(u.event_time), max(u.event_time)
            from metering_unrated u
            join pricing_meter m on m.id = u.meter_id
            join metering_attributes a using (attributes_id)
            where (u.seller_id = %(organisation)s or u.buyer_id = %(organisation)s)
              and (%(start)s::timestamptz is null or u.event_time >= %(start)s and u.event_time < %(end)s)
            group by u.seller_id, u.buyer_id, m.id, m.code, a.attributes_id
            order by u.seller_id, u.buyer_id, m.id, a.attributes_id
            limit %(most)s
            """,
            {
                "organisation": scope.organisation_id,
                "most": MOST_LISTED,
                "start": period.start if period else None,
                "end": period.end if period else None,
            },
        )
        return [UnratedGroup(*row) for row in cursor.fetchall()]


@scoped
def conflicts(scope: Scope) -> list[Conflict]:  # noqa: ARG001 - row-level security answers for the scope
    """Conflicting repeats of the organisation and of what lay beneath it at their `event_time`, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select c.company_id, s.name, c.event_id, m.code, c.quantity, c.event_time, a.body::json, c.recorded_at
            from metering_conflict c
            join metering_source s using (source_id)
            join pricing_meter m on m.id = c.meter_id
            join metering_attributes a using (attributes_id)
            order by c.recorded_at desc, c.company_id, c.source_id, c.key, c.fingerprint
            limit %s
            """,
            [MOST_LISTED],
        )
        return [Conflict(*row) for row in cursor.fetchall()]


def event_id_text(key: UUID, text: str | None) -> str:
    """The id an event was sent with."""
    return id_of(key.bytes, text)
